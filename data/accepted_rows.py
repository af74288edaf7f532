"""Takes the rows of a source one by one: rejects, numbers and groups them."""

import errno
import hashlib
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from babelet.configs.data import PairDataConfig
from babelet.data import cleaning, splits
from babelet.data.language_check import LanguageCheck
from babelet.data.sources.raw import RawPair


class Intake:
    """A context in which rows are taken, appended to files in `folder`.

    Files of raw numbers and UTF-8, in the order of ids: `pivot.bin`, `.length`,
    `.language`, and the same of `translation`; `pair.ids` (pivot and translation),
    `pair.language`, `pair.entry`; and `rejected.tsv`.

    A sentence alone is a pair with itself, in the place of a pivot sentence: the
    teacher reads it, and its vector is the target. As a translation it is -1.

    Attributes:
        rejected: Rows by reason.
        groups: Of pivot sentences, one for each in `pivot.bin`.
        pairs: Rows accepted.
        translations: Different ones, by (language, text).
    """

    def __init__(self, config: PairDataConfig, folder: Path) -> None:
        self.rejected: Counter[str] = Counter()
        self.groups = splits.Groups()
        self.pairs = self.translations = 0
        self._config = config
        self._folder = folder
        languages = (config.pivot, *config.languages)
        self._language_id = {name: i for i, name in enumerate(languages)}
        self._check = LanguageCheck(languages) if config.check_language else None
        self._stack = ExitStack()

    def __enter__(self) -> "Intake":
        enter = self._stack.enter_context
        database = enter(scratch_database(self._folder / "numbers.sqlite"))
        self._pair_ids = Numbering(database, "pairs")
        self._pivot_ids = Numbering(database, "pivots")
        self._translation_ids = Numbering(database, "translations")
        self._group_ids = Numbering(database, "groups")
        self._pivot = enter(_TextFile(self._folder / "pivot"))
        self._translation = enter(_TextFile(self._folder / "translation"))
        self._pair = enter(open(self._folder / "pair.ids", "wb"))
        self._pair_language = enter(open(self._folder / "pair.language", "wb"))
        self._pair_entry = enter(open(self._folder / "pair.entry", "wb"))
        self._rejected = enter(
            open(
                self._folder / "rejected.tsv",
                "w",
                encoding="utf-8",
                errors="backslashreplace",
                newline="\n",
            )
        )
        self._rejected.write("\t".join(cleaning.COLUMNS) + "\n")
        return self

    def __exit__(self, *exception: Any) -> None:
        self._stack.__exit__(*exception)

    def take(self, row: RawPair) -> None:
        """Adds the row to the corpus or to the rejected ones."""
        row = cleaning.clean(row)
        reason = cleaning.rejection(row, self._config)
        if not reason:
            key = f"{row.language}\t{row.pivot_text}\t{row.text}"
            if self._pair_ids.setdefault(key, self.pairs) < self.pairs:
                reason = "duplicate"
        # Last, because it takes longest.
        if not reason and self._is_in_another_language(row):
            reason = "language"
        if reason:
            self.rejected[reason] += 1
            cleaning.write_rejected(self._rejected, row, reason)
        else:
            self._accept(row)

    def _is_in_another_language(self, row: RawPair) -> bool:
        texts = {row.language: row.text}
        if not row.monolingual:
            texts[self._config.pivot] = row.pivot_text
        check = self._check
        return check is not None and any(
            check.is_other(text, name) for name, text in texts.items()
        )

    def _accept(self, row: RawPair) -> None:
        language = self._language_id[row.language]
        if row.monolingual:
            pivot, translation = self._pivot_id(row.language, row.text), -1
        else:
            pivot = self._pivot_id(self._config.pivot, row.pivot_text)
            key = f"{row.language}\t{row.text}"
            translation = self._translation_ids.setdefault(key, self.translations)
            if translation == self.translations:
                self.translations += 1
                self._translation.append(row.text, language)
            self._unite(pivot, row.language, row.text)
        self._pair.write(np.array([pivot, translation], np.int32).tobytes())
        self._pair_language.write(np.int16(language).tobytes())
        self._pair_entry.write(np.int32(row.entry).tobytes())
        self.pairs += 1

    def _pivot_id(self, language: str, text: str) -> int:
        pivot = self._pivot_ids.setdefault(f"{language}\t{text}", len(self.groups))
        if pivot == len(self.groups):
            self.groups.add(text)
            self._pivot.append(text, self._language_id[language])
            self._unite(pivot, language, text)
        return pivot

    def _unite(self, pivot: int, language: str, text: str) -> None:
        key = f"{language}\t{splits.group_key(text)}"
        self.groups.unite(pivot, self._group_ids.setdefault(key, pivot))


class _TextFile:
    """Texts one after the other in `<path>.bin`, their bytes in `<path>.length`.

    Their languages, as ids, are in `<path>.language`.
    """

    def __init__(self, path: Path) -> None:
        self._texts = open(path.with_suffix(".bin"), "wb")
        self._lengths = open(path.with_suffix(".length"), "wb")
        self._languages = open(path.with_suffix(".language"), "wb")

    def __enter__(self) -> "_TextFile":
        return self

    def __exit__(self, *_: object) -> None:
        self._texts.close()
        self._lengths.close()
        self._languages.close()

    def append(self, text: str, language: int) -> None:
        data = text.encode()
        self._texts.write(data)
        self._lengths.write(np.int32(len(data)).tobytes())
        self._languages.write(np.int16(language).tobytes())


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
