"""A second file beside an index, in which its next content is made."""

from pathlib import Path

from babelet.core.errors import BabeletError
from babelet.search.connection import is_index
from babelet.search.schema import APPLICATION_ID
from babelet.search.store import Store

_MAGIC = b"SQLite format 3\0"


def path_beside(index: Path, purpose: str) -> Path:
    """Returns the file's name, hidden and of this purpose alone."""
    return index.with_name(f".{index.name}.{purpose}")


def remove_beside(path: Path) -> None:
    """Removes the file and what SQLite keeps with it, if there is one.

    Raises:
        BabeletError: It is none that this product made.
    """
    if path.exists() and not _is_ours(path):
        raise BabeletError(
            f"{path} is in the way, and no index of Babelet",
            expected="nothing, or what a killed command left there",
            consequence="It was left as it is",
            remedy="move or rename it, then run the same command again",
        )
    for end in ("", "-wal", "-shm"):
        path.with_name(path.name + end).unlink(missing_ok=True)


def replace_content(old: Store, new: Store) -> None:
    """Makes the content of `new` that of `old`, in one transaction.

    Readers see one or the other. Pages of `old` are written over unseen, so that a
    damaged one is no hindrance.
    """
    old.connection.pragma("checksum_verification", 0)
    with old.connection.backup("main", new.connection, "main") as backup:
        backup.step()
    old.connection.pragma("checksum_verification", 1)


def _is_ours(path: Path) -> bool:
    """Tells an index, or the file without tables that a kill at once leaves."""
    if not path.is_file() or path.is_symlink():
        return False
    with open(path, "rb") as file:
        header = file.read(100)
    if not header:
        return True
    if not header.startswith(_MAGIC):
        return False
    application = int.from_bytes(header[68:72], "big")
    return application == APPLICATION_ID or (not application and not is_index(path))
