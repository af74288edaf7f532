"""The warning before a model runs that is a program."""

import functools
import os
import sys
from pathlib import Path


def warn_of_program(path: Path) -> None:
    """Warns that a SavedModel runs with the user's rights; once for each folder."""
    _warn(os.path.realpath(path), str(path))


@functools.cache
def _warn(place: str, path: str) -> None:
    del place
    print(
        f"warning: the SavedModel {path} is a program, which TensorFlow runs with "
        "your rights. Use it only if you trust where it comes from.",
        file=sys.stderr,
        flush=True,
    )
