"""What changes an index: documents put in and taken out, in whole transactions."""

import dataclasses
import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import apsw
import numpy as np

from configs.errors import BabeletError
from search import schema
from search.connection import connect, explained, open_file
from search.documents import Document
from search.lexical import WordRules
from search.quantise import QUANTISATION, sketch, to_bytes, to_unit

# Passages a new centre is the mean of, and a part of the file that is read at once.
_SAMPLE = 8192


@dataclasses.dataclass(frozen=True)
class Model:
    """The file that made an index's vectors."""

    path: Path
    # Of the file: its vectors can be compared with no other's.
    sha256: str
    # Of the student it was made of, which its other exports share; "" if not known.
    weights_sha256: str
    dim: int


@dataclasses.dataclass(frozen=True)
class Embedded:
    """A document ready to be stored."""

    document: Document
    # Where its P passages start and stop in its text.
    windows: Sequence[tuple[int, int]]
    # float32 (P, dim) of unit length.
    vectors: np.ndarray


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
        with explained(path):
            return cls(path, connection)

    @classmethod
    def create(cls, path: Path, model: Model, rules: WordRules) -> "Store":
        """Makes an empty index.

        Raises:
            BabeletError: It cannot be written, or the file is something else.
        """
        with explained(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            connection = open_file(path, writable=True, create=True)
            # A process killed right here leaves a file without tables.
            if connection.execute("SELECT count(*) FROM sqlite_schema").get:
                raise BabeletError(
                    f"{path} holds other tables",
                    remedy="choose another --index",
                )
            connection.pragma("journal_mode", "wal")
            with connection:
                connection.pragma("application_id", schema.APPLICATION_ID)
                connection.pragma("user_version", schema.VERSION)
                connection.execute(schema.TABLES)
                connection.execute(schema.INDEXES.format(bits=-(-model.dim // 8) * 8))
                _write_settings(connection, model, rules)
            return cls(path, connection)

    def close(self) -> None:
        """Closes the file, with all that was written in the file itself."""
        self.connection.close()

    def begin(self, source: str) -> None:
        """Starts to compare an input with what is stored of it; see `changed`."""
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
        missing = []
        with explained(self.path), self.connection:
            for document in documents:
                if self._is_new(document) and self._differs(document):
                    missing.append(document)
        return missing

    def _is_new(self, document: Document) -> bool:
        self.connection.execute(
            "INSERT OR IGNORE INTO temp.seen VALUES (?)", (document.key,)
        )
        if self.connection.changes():
            return True
        if document.named:
            raise BabeletError(
                f"{document.place} has the id {document.key!r} of an earlier document",
                expected="an id for each document of an input",
                consequence="Documents before it may have been stored already",
                remedy="correct the input and run again: nothing is embedded twice",
            )
        return False

    def _differs(self, document: Document) -> bool:
        row = self.connection.execute(
            "SELECT id, hash, metadata FROM documents WHERE source = ? AND key = ?",
            (self._source, document.key),
        ).fetchone()
        if row is None or row[1] != content_hash(document):
            return True
        if row[2] != document.metadata:
            self.connection.execute(
                "UPDATE documents SET metadata = ? WHERE id = ?",
                (document.metadata, row[0]),
            )
        return False

    def delete_unseen(self) -> int:
        """Takes out what the input no longer has; returns how many documents."""
        gone = self.connection.execute(
            "SELECT id FROM documents WHERE source = ? "
            "AND key NOT IN (SELECT key FROM temp.seen)",
            (self._source,),
        )
        return self.delete(row[0] for row in gone.fetchall())

    def put(self, batch: Sequence[Embedded]) -> None:
        """Stores documents, in the place of those of the same source and key."""
        with explained(self.path), self.connection:
            centre = self._centre(batch)
            first = self._next_passage()
            for embedded in batch:
                document = self._put_document(embedded.document)
                self._put_passages(document, first, embedded, centre)
                first += len(embedded.windows)

    def delete(self, ids: Iterable[int]) -> int:
        """Takes the documents with these row numbers out; returns how many."""
        ids = list(ids)
        with explained(self.path), self.connection:
            for document in ids:
                self._delete_passages(document)
                self.connection.execute(
                    "DELETE FROM documents WHERE id = ?", (document,)
                )
        return len(ids)

    def renew_sketches(self, always: bool = False) -> bool:
        """Makes the sketches anew if twice the passages are there since the last time.

        The first of the documents may be of one language; the centre should be that
        of all. Returns whether it was done.
        """
        with explained(self.path), self.connection:
            passages = self.connection.execute("SELECT count(*) FROM vectors").get
            if not always and passages < 2 * self._setting("sketched", 0):
                return False
            step = max(1, passages // _SAMPLE)
            sample = self.connection.execute(
                "SELECT vector FROM vectors WHERE passage % ? = 0", (step,)
            )
            vectors = [np.frombuffer(row[0], np.int8) for row in sample]
            if not vectors:
                return False
            centre = to_unit(np.stack(vectors)).mean(axis=0)
            self._set("centre", centre.astype("<f4").tobytes())
            self._set("sketched", passages)
            self.connection.execute("DELETE FROM sketches")
            for ids, quantised in read_vectors(self.connection):
                self._put_sketches(ids, quantised, centre)
        return True

    def renew_words(self) -> None:
        """Makes the full-text index anew from the documents."""
        with explained(self.path), self.connection:
            self.connection.execute("INSERT INTO words (words) VALUES ('delete-all')")
            rows = self.connection.execute(
                "SELECT p.id, p.start, p.stop, d.text, d.language FROM passages AS p "
                "JOIN documents AS d ON d.id = p.document"
            )
            for passage, start, stop, text, language in rows:
                self._put_words([passage], [text[start:stop]], language)

    def sources(self) -> list[str]:
        """Returns the inputs that documents came from."""
        rows = self.connection.execute("SELECT DISTINCT source FROM documents")
        return sorted(row[0] for row in rows)

    def _put_document(self, document: Document) -> int:
        cells = (document.language, document.text, document.metadata)
        values = (document.source, document.key, *cells, content_hash(document))
        found = self.connection.execute(
            "SELECT id FROM documents WHERE source = ? AND key = ?", values[:2]
        ).get
        if found is None:
            self.connection.execute(
                "INSERT INTO documents (source, key, language, text, metadata, hash) "
                "VALUES (?, ?, ?, ?, ?, ?)",
                values,
            )
            return self.connection.last_insert_rowid()
        self._delete_passages(found)
        self.connection.execute(
            "UPDATE documents SET language = ?, text = ?, metadata = ?, hash = ? "
            "WHERE id = ?",
            (*values[2:], found),
        )
        return found

    def _put_passages(
        self, document: int, first: int, embedded: Embedded, centre: np.ndarray
    ) -> None:
        text, language = embedded.document.text, embedded.document.language
        ids = range(first, first + len(embedded.windows))
        many = self.connection.executemany
        many(
            "INSERT INTO passages VALUES (?, ?, ?, ?)",
            (
                (i, document, *window)
                for i, window in zip(ids, embedded.windows, strict=True)
            ),
        )
        many(
            "INSERT INTO vectors VALUES (?, ?)",
            zip(ids, map(bytes, to_bytes(embedded.vectors)), strict=True),
        )
        self._put_sketches(ids, to_bytes(embedded.vectors), centre)
        texts = [text[start:stop] for start, stop in embedded.windows]
        self._put_words(ids, texts, language)

    def _put_sketches(
        self, ids: Sequence[int], quantised: np.ndarray, centre: np.ndarray
    ) -> None:
        bits = sketch(to_unit(quantised), centre)
        self.connection.executemany(
            "INSERT INTO sketches VALUES (?, vec_bit(?))",
            zip(ids, map(bytes, bits), strict=True),
        )

    def _put_words(
        self, ids: Sequence[int], texts: Sequence[str], language: str
    ) -> None:
        terms = (" ".join(self.rules.terms(text, language)) for text in texts)
        self.connection.executemany(
            "INSERT INTO words (rowid, terms) VALUES (?, ?)",
            zip(ids, terms, strict=True),
        )

    def _delete_passages(self, document: int) -> None:
        for table, column in (("sketches", "passage"), ("words", "rowid")):
            self.connection.execute(
                f"DELETE FROM {table} WHERE {column} IN "
                "(SELECT id FROM passages WHERE document = ?)",
                (document,),
            )
        self.connection.execute(
            "DELETE FROM vectors WHERE passage IN "
            "(SELECT id FROM passages WHERE document = ?)",
            (document,),
        )
        self.connection.execute("DELETE FROM passages WHERE document = ?", (document,))

    def _centre(self, batch: Sequence[Embedded]) -> np.ndarray:
        stored = self._setting("centre", None)
        if stored is not None:
            return np.frombuffer(stored, "<f4")
        vectors = np.concatenate([embedded.vectors for embedded in batch])
        if not len(vectors):
            return np.zeros(self.model.dim, np.float32)
        centre = vectors.mean(axis=0)
        self._set("centre", centre.astype("<f4").tobytes())
        self._set("sketched", len(vectors))
        return centre

    def _next_passage(self) -> int:
        return self.connection.execute(
            "SELECT coalesce(max(id), 0) + 1 FROM passages"
        ).get

    def _setting(self, name: str, default: Any) -> Any:
        row = self.connection.execute(
            "SELECT value FROM settings WHERE name = ?", (name,)
        ).fetchone()
        return default if row is None else row[0]

    def _set(self, name: str, value: Any) -> None:
        self.connection.execute(
            "INSERT OR REPLACE INTO settings VALUES (?, ?)", (name, value)
        )


def content_hash(document: Document) -> bytes:
    """Returns SHA-256 of what a document's vectors and words are made of."""
    content = f"{document.language}\0{document.text}"
    return hashlib.sha256(content.encode()).digest()


def read_settings(connection: apsw.Connection) -> tuple[Model, WordRules]:
    """Returns the model and the rules that an index was made with."""
    found = dict(connection.execute("SELECT name, value FROM settings").fetchall())
    model = Model(
        path=Path(found["model_path"]),
        sha256=found["model_sha256"],
        weights_sha256=found["weights_sha256"],
        dim=found["dim"],
    )
    return model, WordRules(**json.loads(found["words"]))


def read_vectors(
    connection: apsw.Connection,
) -> Iterator[tuple[list[int], np.ndarray]]:
    """Yields all passages' ids and vectors, int8 (N, dim), N at most 8192."""
    last = 0
    while True:
        rows = connection.execute(
            "SELECT passage, vector FROM vectors WHERE passage > ? "
            "ORDER BY passage LIMIT ?",
            (last, _SAMPLE),
        ).fetchall()
        if not rows:
            return
        last = rows[-1][0]
        data = np.frombuffer(b"".join(row[1] for row in rows), np.int8)
        yield [row[0] for row in rows], data.reshape(len(rows), -1)


def _write_settings(
    connection: apsw.Connection, model: Model, rules: WordRules
) -> None:
    values = {
        "model_path": str(model.path),
        "model_sha256": model.sha256,
        "weights_sha256": model.weights_sha256,
        "dim": model.dim,
        "quantisation": QUANTISATION,
        "words": rules.to_json(),
    }
    connection.executemany("INSERT INTO settings VALUES (?, ?)", values.items())
