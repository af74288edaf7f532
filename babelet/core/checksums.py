"""Checksums of stored files: SHA-256 by path, so that a flipped bit is noticed."""

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from babelet.core.errors import BabeletError

# In a folder: the SHA-256 of every other file below it.
SEAL = "checksums.json"


def file_digest(path: Path) -> str:
    """Returns the SHA-256 of a file, hexadecimal; reading takes 0.8 s a GB."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digests(folder: Path, names: Iterable[str]) -> dict[str, str]:
    """Returns the SHA-256 of each file, by its path within `folder`.

    Args:
        folder: What the paths are relative to.
        names: Files, or folders that count with every file below them.
    """
    found = {}
    for name in names:
        path = folder / name
        files = sorted(p for p in path.rglob("*") if p.is_file())
        for file in files if path.is_dir() else [path]:
            found[file.relative_to(folder).as_posix()] = file_digest(file)
    return found


def damaged(folder: Path, recorded: Mapping[str, str]) -> str:
    """Returns the first file that is missing or differs from its record, or ""."""
    for name, digest in recorded.items():
        path = folder / name
        if not path.is_file() or file_digest(path) != digest:
            return name
    return ""


def require_undamaged(
    folder: Path, recorded: Mapping[str, str], *, remedy: str
) -> None:
    """Compares files with their record.

    Raises:
        BabeletError: One is missing, or its content is not what was written.
    """
    name = damaged(folder, recorded)
    if name:
        raise _damaged(folder / name, remedy)


def seal(folder: Path, but: Collection[str] = ()) -> None:
    """Writes `SEAL` into a folder that is complete.

    Args:
        folder: Holds files and folders.
        but: Names in it that people may change.
    """
    names = [p.name for p in sorted(folder.iterdir()) if p.name not in (SEAL, *but)]
    text = json.dumps(digests(folder, names), indent=1) + "\n"
    (folder / SEAL).write_text(text, encoding="utf-8")


def broken_seal(folder: Path) -> str:
    """Returns the first file that is not as `seal` found it, or ""."""
    try:
        recorded = json.loads((folder / SEAL).read_text(encoding="utf-8"))
        hexadecimal = all(isinstance(value, str) for value in recorded.values())
    except (OSError, ValueError, AttributeError, RecursionError):
        return SEAL
    return damaged(folder, recorded) if recorded and hexadecimal else SEAL


def require_seal(folder: Path, *, remedy: str) -> None:
    """Compares a folder with what `seal` noted.

    Raises:
        BabeletError: A file is missing or was changed, or the folder has no seal.
    """
    name = broken_seal(folder)
    if name:
        raise _damaged(folder / name, remedy)


def _damaged(path: Path, remedy: str) -> BabeletError:
    return BabeletError(
        f"{path} is {'damaged' if path.exists() else 'missing'}",
        expected="the file as it was written, by its checksum",
        consequence="Results made from it would be wrong",
        remedy=remedy,
    )
