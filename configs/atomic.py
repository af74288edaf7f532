"""Files and folders that are either whole or absent."""

import contextlib
import errno
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from configs.errors import BabeletError


@contextlib.contextmanager
def atomic_path(path: str | os.PathLike) -> Iterator[Path]:
    """Yields a temporary sibling of `path` that takes its name on success.

    Write a file or create a folder at the yielded path. When the block ends
    normally it is flushed to disk and renamed over `path`; when it raises, the
    temporary is removed and `path` is as before.

    Raises:
        BabeletError: The disk is full or the folder cannot be written.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        cause = explain(error, path)
        raise _unwritable(error, path) if cause is error else cause from error
    try:
        remove(temporary)
        yield temporary
        _flush(temporary)
        if path.is_dir() and temporary.is_dir():
            # A folder cannot be renamed over a non-empty one.
            remove(path)
        os.replace(temporary, path)
    except OSError as error:
        remove(temporary)
        raise explain(error, path) from error
    except BaseException:
        remove(temporary)
        raise


def explain(error: OSError, path: Path) -> Exception:
    """Returns the user's error for a failed write, or `error` if it is another."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return BabeletError(
            f"No space left on the disk while writing {path}",
            consequence="Nothing half-written was left",
            remedy="free some space or choose another --workdir or --output, then run "
            "the same command again: finished steps are kept",
        )
    unwritable = (errno.EACCES, errno.EROFS, errno.EPERM, errno.ENOTDIR, errno.EEXIST)
    if error.errno in unwritable:
        return _unwritable(error, path)
    return error


def _unwritable(error: OSError, path: Path) -> BabeletError:
    return BabeletError(
        f"Cannot write {path}: {error.strerror}",
        expected="a folder this user may write to",
        remedy="change its permissions or choose another --workdir or --output",
    )


def remove(path: Path) -> None:
    """Removes a file or folder tree if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        # Nothing is there either where a parent is missing or no folder.
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            path.unlink()


def remove_partial(folder: Path) -> None:
    """Removes what killed processes were writing in `folder`, at any depth."""
    for path in list(folder.rglob(".*.partial*")):
        remove(path)


def _flush(path: Path) -> None:
    files = [p for p in path.rglob("*") if p.is_file()] if path.is_dir() else [path]
    for file in files:
        descriptor = os.open(file, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
