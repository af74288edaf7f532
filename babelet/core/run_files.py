"""JSON files that a run keeps in its folder: read whole and as expected, or refused."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from babelet.core.boundary import run_folder


def read_json(path: Path, keys: Sequence[str] = (), kind: type = dict) -> Any:
    """Returns what a JSON file of a run holds.

    Args:
        path: The file.
        keys: What it must have.
        kind: What it must be.

    Raises:
        BabeletError: It is absent or damaged, has numbers that are none, or is of
            another kind; file and remedy are named.
    """
    with run_folder(path):
        value = json.loads(path.read_text("utf-8"), parse_constant=_refuse)
        if not isinstance(value, kind):
            raise ValueError(f"{type(value).__name__}, not {kind.__name__}")
        for key in keys:
            if key not in value:
                raise ValueError(f'there is no "{key}"')
    return value


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number")
