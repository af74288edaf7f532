"""A dictionary from texts to integers that lives on disk."""

import errno
import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

# Bounds what the table takes of memory, however many keys it has.
CACHE_KIBIBYTES = 16 * 1024


class Numbering:
    """Remembers an integer for each key, the first one given.

    Keys are kept as 128-bit digests; that two texts of a corpus share one is less
    likely than a fault of the disk.
    """

    def __init__(self, connection: sqlite3.Connection, name: str) -> None:
        connection.execute(
            f"CREATE TABLE {name} (key BLOB PRIMARY KEY, value INT) WITHOUT ROWID"
        )
        self._cursor = connection.cursor()
        self._select = f"SELECT value FROM {name} WHERE key = ?"
        self._insert = f"INSERT INTO {name} VALUES (?, ?)"

    def setdefault(self, key: str, value: int) -> int:
        """Returns the integer of `key`, which becomes `value` if it has none."""
        data = key.encode("utf-8", "surrogatepass")
        digest = hashlib.blake2b(data, digest_size=16).digest()
        found = self._cursor.execute(self._select, (digest,)).fetchone()
        if found:
            return found[0]
        self._cursor.execute(self._insert, (digest, value))
        return value


@contextmanager
def scratch_database(path: Path) -> Iterator[sqlite3.Connection]:
    """Yields a database for Numberings, removed with all its keys at the end.

    Raises:
        OSError: The disk is full (ENOSPC).
    """
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            # A crash loses the file anyhow, so nothing is spent on surviving one.
            connection.execute("PRAGMA journal_mode = OFF")
            connection.execute("PRAGMA synchronous = OFF")
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")
            connection.execute(f"PRAGMA cache_size = -{CACHE_KIBIBYTES}")
            connection.execute("BEGIN")
            yield connection
            connection.execute("COMMIT")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_FULL:
            raise OSError(errno.ENOSPC, "No space left on device") from error
        raise
    finally:
        path.unlink(missing_ok=True)
