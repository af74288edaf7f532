"""Files and folders that are either whole or absent."""

import contextlib
import errno
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from babelet.core.errors import BabeletError

# Ends the names of what is being written, and of nothing else.
_PARTIAL = "babelet-partial"
# Libraries that insist on an ending add it.
_PARTIAL_NAME = re.compile(rf"\..+\.{_PARTIAL}(\.[a-z0-9.]+)?")
# A folder that holds one of these is a run of its own.
_OF_A_RUN = ("manifest.json", ".lock")


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
    temporary = partial_of(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        cause = explain(error, path)
        raise _unwritable(error, path) if cause is error else cause from error
    try:
        remove(temporary)
        yield temporary
        _flush(temporary)
        _replace(temporary, path)
    except OSError as error:
        _remove_with_endings(temporary)
        raise explain(error, path) from error
    except BaseException:
        _remove_with_endings(temporary)
        raise


def partial_of(path: Path) -> Path:
    """Returns where `atomic_path` writes what is to become `path`."""
    return path.with_name(f".{path.name}.{_PARTIAL}")


def _replace(temporary: Path, path: Path) -> None:
    if not (path.is_dir() and temporary.is_dir()):
        os.replace(temporary, path)
        return
    # A folder cannot be renamed over a non-empty one.
    former = partial_of(path.with_name(f"{path.name}.former"))
    remove(former)
    os.replace(path, former)
    os.replace(temporary, path)
    remove(former)


def _remove_with_endings(temporary: Path) -> None:
    remove(temporary)
    for path in temporary.parent.glob(f"{temporary.name.replace('[', '[[]')}.*"):
        remove(path)


def explain(error: OSError, path: Path) -> Exception:
    """Returns the user's error for a failed write, or `error` if it is another."""
    if full(error):
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


def full(error: OSError) -> bool:
    """Tells whether an error says that the disk is full."""
    # NumPy raises an OSError without a number.
    short = error.errno is None and "requested and" in str(error)
    return short or error.errno in (errno.ENOSPC, errno.EDQUOT)


def _unwritable(error: OSError, path: Path) -> BabeletError:
    return BabeletError(
        f"Cannot write {path}: {error.strerror}",
        expected="a folder this user may write to",
        remedy="change its permissions or choose another --workdir or --output",
    )


def reserve(path: Path, size: int) -> None:
    """Makes `path` a file of `size` bytes, whose place on the disk is certain.

    What is then written through a memory mapping cannot meet a full disk, which would
    end the process with SIGBUS.

    Raises:
        OSError: The disk is full.
    """
    with open(path, "ab") as file:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file.fileno(), 0, size)
        else:
            file.write(b"\0" * (size - file.tell()))


def require_space(folder: Path, size: int) -> None:
    """Sees that `size` bytes fit, before a library writes that crashes otherwise.

    Raises:
        OSError: They do not.
    """
    trial = partial_of(folder / "space")
    try:
        reserve(trial, size)
    finally:
        remove(trial)


def remove(path: Path) -> None:
    """Removes a file or folder tree if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        # What cannot be removed is told by the write that fails for the same reason.
        with contextlib.suppress(OSError):
            path.unlink()


def remove_partial(folder: Path) -> None:
    """Removes what killed processes were writing in the run `folder`.

    Runs inside it keep theirs, and so do folders that are links.
    """
    for place, folders, files in os.walk(folder):
        here = Path(place)
        for name in [n for n in (*folders, *files) if _PARTIAL_NAME.fullmatch(n)]:
            remove(here / name)
        folders[:] = [
            name
            for name in folders
            if not _PARTIAL_NAME.fullmatch(name)
            and not any((here / name / other).exists() for other in _OF_A_RUN)
        ]


def _flush(path: Path) -> None:
    files = [p for p in path.rglob("*") if p.is_file()] if path.is_dir() else [path]
    for file in files:
        descriptor = os.open(file, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
