"""JSON files that a run keeps in its folder: whole and as expected, or refused."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from babelet.core.atomic import atomic_path
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


def write_json(
    path: Path, value: Any, indent: int = 1, ensure_ascii: bool = False
) -> None:
    """Writes a JSON value, whole or not at all.

    Args:
        path: The file.
        value: What it is to hold.
        indent: Of each level.
        ensure_ascii: For values that UTF-8 cannot hold, as of paths.

    Raises:
        BabeletError: The disk is full or the folder cannot be written.
    """
    text = json.dumps(value, indent=indent, ensure_ascii=ensure_ascii)
    with atomic_path(path) as file:
        file.write_text(text + "\n", "utf-8")


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number")
