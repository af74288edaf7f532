"""Where `mine` and `export` write: told early if it cannot be, alone in the moment."""

import contextlib
import fcntl
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from babelet.core import boundary
from babelet.core.errors import BabeletError


def require_output(output: Path, index: Path) -> None:
    """Sees, before the work, that a file can be written.

    Raises:
        BabeletError: It cannot, or it would be written over the index itself.
    """
    if output.exists() and index.exists() and output.samefile(index):
        raise BabeletError(
            f"--output is the index {index} itself",
            consequence="It would be lost",
            remedy="choose another --output",
        )
    if output.is_dir():
        raise BabeletError(
            f"{output} is a folder",
            expected="the name of a file to write",
            remedy="choose another --output",
        )
    with boundary.output(output):
        output.parent.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=output.parent).close()


@contextlib.contextmanager
def alone(output: Path) -> Iterator[None]:
    """Waits for other processes that write in this folder in this very moment.

    Two that write one file would else give it the half of one of them.

    Raises:
        BabeletError: The file cannot be written.
    """
    with boundary.output(output):
        folder = os.open(output.parent, os.O_RDONLY)
        try:
            # Some network drives have no locks.
            with contextlib.suppress(OSError):
                fcntl.flock(folder, fcntl.LOCK_EX)
            yield
        finally:
            os.close(folder)
