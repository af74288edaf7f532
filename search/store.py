"""What changes an index: documents put in and taken out, in whole transactions."""

import dataclasses
import hashlib
import itertools
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import apsw
import numpy as np

from babelet.core import boundary
from babelet.core.errors import BabeletError
from babelet.search import schema
from babelet.search.connection import (
    connect,
    explained,
    guarded,
    open_file,
    transaction,
)
from babelet.search.derived import (
    centre_of,
    delete_derived,
    put_sketches,
    put_words,
    renew_sketches,
    renew_words,
)
from babelet.search.documents import Document
from babelet.search.lexical import WordRules
from babelet.search.quantise import to_bytes, to_unit
from babelet.search.settings import Model, read_settings, write_settings


@dataclasses.dataclass(frozen=True)
class Embedded:
    """A document ready to be stored."""

    document: Document
    # Where its P passages start and stop in its text.
    windows: Sequence[tuple[int, int]]
    # float32 (P, dim) of unit length.
    vectors: np.ndarray
    # Passages of whose letters the model knows none: they have one vector.
    unknown: int = 0


class Store:
    """An index opened for writing.

    Every method that writes is one transaction: readers see all of it or nothing,
    and so does the next process after a kill.

    Attributes:
        path: The file.
        connection: To it.
        model: What made the vectors.
        rules: How text becomes words.
    """

    def __init__(self, path: Path, connection: apsw.Connection) -> None:
        self.path = path
        self.connection = connection
        self.model, self.rules = read_settings(connection)
        self._source = ""

    @classmethod
    def open(cls, path: Path) -> "Store":
        """Opens an index that exists.

        Raises:
            BabeletError: It does not exist, is damaged, or cannot be written.
        """
        connection = connect(path, writable=True)
        try:
            with guarded(path):
                return cls(path, connection)
        except BaseException:
            connection.close()
            raise

    @classmethod
    def create(cls, path: Path, model: Model, rules: WordRules) -> "Store":
        """Makes an empty index.

        Raises:
            BabeletError: It cannot be written, or the file is something else.
        """
        with boundary.output(path), explained(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            connection = open_file(path, writable=True, create=True)
            try:
                _make_tables(path, connection, model, rules)
                # Into the file itself: after a kill it is an index, whatever becomes
                # of the log beside it.
                connection.wal_checkpoint()
                return cls(path, connection)
            except BaseException:
                connection.close()
                raise

    def close(self) -> None:
        """Closes the file, with all that was written in the file itself."""
        self.connection.close()

    def begin(self, source: str) -> None:
        """Starts to compare an input with what is stored of it; see `changed`."""
        with guarded(self.path):
            self.connection.execute(
                "DROP TABLE IF EXISTS temp.seen;"
                "CREATE TEMP TABLE seen (key TEXT PRIMARY KEY) WITHOUT ROWID"
            )
        self._source = source

    def changed(self, documents: Sequence[Document]) -> list[Document]:
        """Returns those whose text or language is not stored; notes all as seen.

        Metadata that differs alone is stored here, which embeds nothing. Of rows
        without an id that are the same in all, the first counts.

        Raises:
            BabeletError: Two documents have one id.
        """
        with transaction(self.path, self.connection):
            first = self._unseen(documents)
            stored = self._stored(first)
            missing, others = [], []
            for document in first:
                if document.key not in stored:
                    missing.append(document)
                    continue
                number, content, metadata = stored[document.key]
                if content != content_hash(document):
                    missing.append(document)
                elif metadata != document.metadata:
                    others.append((document.metadata, number))
            self.connection.executemany(
                "UPDATE documents SET metadata = ? WHERE id = ?", others
            )
        return missing

    def _unseen(self, documents: Sequence[Document]) -> list[Document]:
        """Returns the first document of each key, and notes the keys."""
        first = []
        for document in documents:
            self.connection.execute(
                "INSERT OR IGNORE INTO temp.seen VALUES (?)", (document.key,)
            )
            if self.connection.changes():
                first.append(document)
            elif document.named:
                raise _same_id(document)
        return first

    def _stored(self, documents: Sequence[Document]) -> dict[str, tuple]:
        """Returns number, hash and metadata of those that the index has, by key."""
        rows: Iterable[Any] = self.connection.executemany(
            "SELECT key, id, hash, metadata FROM documents "
            "WHERE source = ? AND key = ?",
            [(self._source, document.key) for document in documents],
        )
        return {key: tuple(rest) for key, *rest in rows}

    def delete_unseen(self) -> int:
        """Takes out what the input no longer has; returns how many documents."""
        with guarded(self.path):
            gone: list[Any] = self.connection.execute(
                "SELECT id FROM documents WHERE source = ? "
                "AND key NOT IN (SELECT key FROM temp.seen)",
                (self._source,),
            ).fetchall()
        return self.delete(row[0] for row in gone)

    def put(self, batch: Sequence[Embedded]) -> None:
        """Stores documents, in the place of those of the same source and key.

        Args:
            batch: No two of one source and key.
        """
        with transaction(self.path, self.connection):
            numbers = self._put_documents([each.document for each in batch])
            rows, texts = [], []
            for number, each in zip(numbers, batch, strict=True):
                text, language = each.document.text, each.document.language
                rows += [(number, *window) for window in each.windows]
                texts += [(text[a:b], language) for a, b in each.windows]
            vectors = to_bytes(np.concatenate([each.vectors for each in batch]))
            self._put_passages(rows, texts, vectors)

    def delete(self, ids: Iterable[int]) -> int:
        """Takes the documents with these row numbers out; returns how many."""
        ids = list(ids)
        with transaction(self.path, self.connection):
            self._delete_passages(ids)
            self.connection.executemany(
                "DELETE FROM documents WHERE id = ?", ((each,) for each in ids)
            )
        return len(ids)

    def renew(self, always: bool = False) -> None:
        """Makes sketches anew if passages have doubled since the last time.

        The first documents may be of one language; the centre should be that of all.

        Args:
            always: Make them in any case, and the words too.
        """
        with transaction(self.path, self.connection):
            renew_sketches(self.connection, always)
            if always:
                renew_words(self.connection, self.rules)

    def sources(self) -> list[str]:
        """Returns the inputs that documents came from."""
        with guarded(self.path):
            rows = self.connection.execute("SELECT DISTINCT source FROM documents")
            return sorted(row[0] for row in rows)

    def _put_documents(self, documents: Sequence[Document]) -> list[int]:
        """Stores documents without their passages; returns their numbers."""
        keys = [(document.source, document.key) for document in documents]
        known = {
            (source, key): number
            for number, source, key in self.connection.executemany(
                "SELECT id, source, key FROM documents WHERE source = ? AND key = ?",
                keys,
            )
        }
        self._delete_passages(list(known.values()))
        last = self.connection.execute("SELECT coalesce(max(id), 0) FROM documents").get
        free = itertools.count(last + 1)
        numbers = [known.get(key) or next(free) for key in keys]
        self.connection.executemany(
            "INSERT INTO documents VALUES (?, ?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (id) DO UPDATE SET language = excluded.language, "
            "text = excluded.text, metadata = excluded.metadata, hash = excluded.hash",
            [
                (n, d.source, d.key, d.language, d.text, d.metadata, content_hash(d))
                for n, d in zip(numbers, documents, strict=True)
            ],
        )
        return numbers

    def _put_passages(
        self,
        rows: Sequence[tuple[int, int, int]],
        texts: Sequence[tuple[str, str]],
        vectors: np.ndarray,
    ) -> None:
        """Stores passages: document, start and stop; text and language; and vector."""
        first = self.connection.execute(
            "SELECT coalesce(max(id), 0) + 1 FROM passages"
        ).get
        numbers = range(first, first + len(rows))
        self.connection.executemany(
            "INSERT INTO passages VALUES (?, ?, ?, ?)",
            ((number, *row) for number, row in zip(numbers, rows, strict=True)),
        )
        self.connection.executemany(
            "INSERT INTO vectors VALUES (?, ?)",
            zip(numbers, map(bytes, vectors), strict=True),
        )
        # Of the bytes, not the vectors they were made of: sketches made anew are equal.
        units = to_unit(vectors)
        put_sketches(self.connection, numbers, units, centre_of(self.connection, units))
        words = ((number, *text) for number, text in zip(numbers, texts, strict=True))
        put_words(self.connection, self.rules, words)

    def _delete_passages(self, documents: Sequence[int]) -> None:
        """Takes out the passages of documents, and all that belongs to them."""
        numbers = [
            row[0]
            for row in self.connection.executemany(
                "SELECT id FROM passages WHERE document = ?",
                ((each,) for each in documents),
            )
        ]
        delete_derived(self.connection, numbers)
        for table, column in (("vectors", "passage"), ("passages", "id")):
            self.connection.executemany(
                f"DELETE FROM {table} WHERE {column} = ?",
                ((number,) for number in numbers),
            )


def _make_tables(
    path: Path, connection: apsw.Connection, model: Model, rules: WordRules
) -> None:
    # A process killed right here leaves a file without tables.
    if connection.execute("SELECT count(*) FROM sqlite_schema").get:
        raise BabeletError(
            f"{path} holds other tables",
            remedy="choose another --index",
        )
    connection.pragma("journal_mode", "wal")
    with transaction(path, connection):
        connection.pragma("application_id", schema.APPLICATION_ID)
        connection.pragma("user_version", schema.VERSION)
        connection.execute(schema.TABLES)
        connection.execute(schema.INDEXES.format(bits=-(-model.dim // 8) * 8))
        write_settings(connection, model, rules)


def _same_id(document: Document) -> BabeletError:
    return BabeletError(
        f"{document.place} has the id {document.key!r} of an earlier document",
        expected="an id for each document of an input",
        consequence="Documents before it may have been stored already",
        remedy="correct the input and run again: nothing is embedded twice",
    )


def content_hash(document: Document) -> bytes:
    """Returns SHA-256 of what a document's vectors and words are made of."""
    content = f"{document.language}\0{document.text}"
    return hashlib.sha256(content.encode()).digest()
