"""Opens the file of an index, and says in one line what SQLite has against it.

Every page carries a checksum, which SQLite's cksumvfs writes and compares at each
reading: a flipped bit is an error, never another answer.
"""

import contextlib
import functools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw
import apsw.sqlite_extra
import sqlite_vec

from babelet.core import boundary
from babelet.core.errors import BabeletError
from babelet.core.locking import exclusive
from babelet.search.schema import APPLICATION_ID, VERSION

# Another process may hold the file for the length of one transaction.
_BUSY_MILLISECONDS = 30_000
# Bytes of a page that cksumvfs takes; with any other number it checks nothing.
CHECKSUM_BYTES = 8
_MEND = (
    "babelet search inspect tells what can be read, and with --repair makes bits and "
    "words anew; else restore a copy, or move the file away and build it anew"
)


def connect(path: Path, writable: bool = False) -> apsw.Connection:
    """Returns a connection to an index that exists, with sqlite-vec loaded.

    Raises:
        BabeletError: There is no such file, or it is no index of this version.
    """
    require_file(path)
    with guarded(path):
        connection = open_file(path, writable)
        try:
            _require_index(connection, path)
        except BaseException:
            connection.close()
            raise
    return connection


def shown(path: str | Path) -> str:
    r"""Returns a path as text: a byte that is no UTF-8 is written "\xff"."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def require_file(path: Path) -> None:
    """Raises a BabeletError if there is no such file."""
    if not path.is_file():
        raise BabeletError(
            f"There is no index {path}",
            remedy=f"make it: babelet search build --model=RUN --input=FILE "
            f"--index={path}",
        )


def is_index(path: Path) -> bool:
    """Tells whether there is a file with tables; a build killed at once leaves none.

    Raises:
        BabeletError: The file is damaged or cannot be read.
    """
    if not path.is_file() or not path.stat().st_size:
        return False
    with guarded(path):
        connection = open_file(path, writable=False)
        try:
            return bool(connection.execute("SELECT count(*) FROM sqlite_schema").get)
        finally:
            connection.close()


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Keeps other builds away from an index; queries are not.

    Raises:
        BabeletError: Another build works on it, or the folder cannot be written.
    """
    busy = BabeletError(
        f"Another build is working on {path}",
        remedy="wait for it; queries need not wait",
    )
    # One lock for all the names of a file.
    real = path.resolve()
    with contextlib.ExitStack() as held:
        with boundary.output(path):
            held.enter_context(exclusive(real.with_name(f".{real.name}.lock"), busy))
        yield


def open_file(path: Path, writable: bool, create: bool = False) -> apsw.Connection:
    """Returns a connection to any SQLite file, with sqlite-vec loaded.

    Pages with checksums are checked, and those of a new file get them.
    """
    flags = apsw.SQLITE_OPEN_URI | (
        apsw.SQLITE_OPEN_READWRITE if writable else apsw.SQLITE_OPEN_READONLY
    )
    flags |= apsw.SQLITE_OPEN_CREATE if create else 0
    address = path.absolute().as_uri()
    if not writable and not _can_share(path):
        address += "?immutable=1"
    connection = apsw.Connection(address, flags=flags, vfs=_checking_vfs())
    if create:
        connection.reserve_bytes(reserve=CHECKSUM_BYTES)
    connection.set_busy_timeout(_BUSY_MILLISECONDS)
    connection.enable_load_extension(True)
    connection.load_extension(sqlite_vec.loadable_path())
    connection.enable_load_extension(False)
    connection.execute("PRAGMA temp_store = FILE")
    return connection


@functools.cache
def _checking_vfs() -> str:
    """Makes SQLite's checksums known to this process; returns their name."""
    try:
        apsw.sqlite_extra.load(apsw.Connection(":memory:"), "cksumvfs")
    except (apsw.sqlite_extra.NotAvailable, LookupError) as error:
        raise BabeletError(
            "This installation of apsw cannot check the pages of an index",
            expected="its extra cksumvfs, which its wheels contain",
            received=boundary.described(error),
            remedy="pip install --force-reinstall --only-binary=apsw apsw",
        ) from error
    return "cksmvfs"


def _can_share(path: Path) -> bool:
    """Tells whether SQLite may write beside the file, as it has to even to read it.

    If not, the file is read as one that nobody changes, unless a killed build left
    something beside it: without that, it would be the index of some time ago.
    """
    return os.access(path.resolve().parent, os.W_OK) or _log(path).exists()


def _log(path: Path) -> Path:
    """Returns where SQLite keeps what it has not yet written into the file."""
    real = path.resolve()
    return real.with_name(real.name + "-wal")


def _require_index(connection: apsw.Connection, path: Path) -> None:
    application = connection.pragma("application_id")
    version = connection.pragma("user_version")
    if application != APPLICATION_ID:
        raise BabeletError(
            f"{path} is an SQLite file, but no index of Babelet",
            expected=f"application_id {APPLICATION_ID:#x}",
            received=f"{application:#x}",
            remedy="choose another --index",
        )
    if version != VERSION:
        raise BabeletError(
            f"{path} has tables of another version of Babelet",
            expected=f"version {VERSION}",
            received=str(version),
            remedy="build it anew from its documents with this version",
        )
    # The header's own byte that says so may be the damaged one.
    if not int(connection.pragma("checksum_verification") or 0):
        raise _damaged(path, "its header denies that pages have checksums")
    # SQLite fills the end of a file up with zeros, unchecked. While a build writes, or
    # after a kill, the last pages may still be in the file beside.
    log = _log(path)
    is_merged = not log.exists() or not log.stat().st_size
    if is_merged and path.stat().st_size % connection.pragma("page_size"):
        raise _damaged(path, "it ends within a page")


def _damaged(path: Path, how: str) -> BabeletError:
    return BabeletError(
        f"{path} is damaged: {how}",
        consequence="It was left as it is",
        remedy="restore a copy, or move the file away and build it anew",
    )


@contextmanager
def guarded(path: Path) -> Iterator[None]:
    """Turns whatever the content of an index raises into one line for the user.

    Nothing but the reading or writing of the index belongs in the block.
    """
    with (
        boundary.boundary(
            f"Cannot read the index {path}",
            expected="an index as babelet search build wrote it",
            consequence="It was left as it is",
            remedy=_MEND,
        ),
        explained(path),
    ):
        yield


@contextmanager
def transaction(path: Path, connection: apsw.Connection) -> Iterator[None]:
    """Makes the block one transaction: all of it is written or read, or nothing.

    NOTE: not apsw's own. After an error for which SQLite itself ends the transaction,
    such as a damaged page, it says "cannot rollback", and nothing of the page.

    Raises:
        BabeletError: What went wrong with the index.
    """
    with guarded(path):
        connection.execute("BEGIN")
        try:
            yield
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turns what SQLite raises into one line for the user."""
    try:
        yield
    except apsw.Error as error:
        said = _explanation(path, error)
        if not said:
            raise
        raise said from error


def _explanation(path: Path, error: apsw.Error) -> BabeletError | None:
    if isinstance(error, apsw.CorruptError | apsw.NotADBError):
        return BabeletError(
            f"{path} is damaged, or no SQLite file: {error}",
            consequence="It was left as it is",
            remedy=_MEND,
        )
    if isinstance(error, apsw.FullError):
        return BabeletError(
            f"No space left on the disk while writing {path}",
            consequence="What was committed before is kept, the rest was taken back",
            remedy="free some space and run the same command again: it continues",
        )
    if isinstance(
        error, apsw.ReadOnlyError | apsw.CantOpenError | apsw.PermissionsError
    ):
        return BabeletError(
            f"Cannot open or write {path}: {error}",
            expected="a file and a folder this user may write to",
            remedy="change their permissions, or choose another --index",
        )
    if isinstance(error, apsw.IOError):
        if getattr(error, "extendedresult", 0) == apsw.SQLITE_IOERR_DATA:
            return BabeletError(
                f"{path} is damaged: a page differs from its checksum",
                consequence="It was left as it is",
                remedy=_MEND,
            )
        return BabeletError(
            f"Cannot read or write {path}: {error}",
            consequence="What was committed before is kept",
            remedy="see that the disk has space and no errors, and run again",
        )
    if isinstance(error, apsw.BusyError | apsw.LockedError):
        return BabeletError(
            f"Another program holds {path}: {error}",
            remedy="wait until it has finished, and run again",
        )
    return None
