"""The indexes over texts and vectors: sketches and words, which can be made anew.

Called within a transaction.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import apsw
import numpy as np

from babelet.search.lexical import WordRules
from babelet.search.quantise import sketch, to_unit
from babelet.search.settings import get_setting, put_setting

# Vectors that are read at once, and that a new centre is about the mean of.
_SAMPLE = 8192
# A centre that is off by this share of the vectors' distance from it is good: the bits
# find the same share of the true ten nearest (20,000 sentences of 24 languages).
_OFF_CENTRE = 0.1


def put_sketches(
    connection: apsw.Connection,
    numbers: Sequence[int],
    vectors: np.ndarray,
    centre: np.ndarray,
) -> None:
    """Adds the bits of passages with vectors float32 (N, dim) of unit length."""
    bits = sketch(vectors, centre)
    connection.executemany(
        "INSERT INTO sketches VALUES (?, vec_bit(?))",
        zip(numbers, map(bytes, bits), strict=True),
    )


def put_words(
    connection: apsw.Connection, rules: WordRules, rows: Iterable[tuple[int, str, str]]
) -> None:
    """Adds the words of passages: rows of number, text and language."""
    connection.executemany(
        "INSERT INTO words (rowid, terms) VALUES (?, ?)",
        ((number, " ".join(rules.terms(*passage))) for number, *passage in rows),
    )


def delete_derived(connection: apsw.Connection, numbers: Sequence[int]) -> None:
    """Takes out the bits and words of passages.

    NOTE: one number a statement. Asked for `passage IN (SELECT …)`, sqlite-vec and
    FTS5 read all they have each time, and a large update is quadratic.
    """
    for table, column in (("sketches", "passage"), ("words", "rowid")):
        connection.executemany(
            f"DELETE FROM {table} WHERE {column} = ?",
            ((number,) for number in numbers),
        )


def centre_of(connection: apsw.Connection, vectors: np.ndarray) -> np.ndarray:
    """Returns the index's centre; it is that of these vectors if it has none yet.

    Args:
        connection: To an index.
        vectors: float32 (N, dim) of unit length.
    """
    stored = get_setting(connection, "centre", None)
    if stored is not None:
        return np.frombuffer(stored, "<f4")
    if not len(vectors):
        return np.zeros(vectors.shape[1], np.float32)
    return _new_centre(connection, vectors, len(vectors))


def renew_sketches(connection: apsw.Connection, always: bool) -> None:
    """Makes the sketches anew, around a centre of all passages.

    Args:
        connection: To an index.
        always: Even if there are less than twice the passages of the last time, or
            the centre is where it was.
    """
    passages = connection.execute("SELECT count(*) FROM vectors").get
    enough = passages >= 2 * get_setting(connection, "sketched", 0)
    if not passages or not (always or enough):
        return
    sample = connection.execute(
        "SELECT vector FROM vectors WHERE passage % ? = 0",
        (max(1, passages // _SAMPLE),),
    )
    vectors = [np.frombuffer(row[0], np.int8) for row in sample]
    if not vectors:
        return
    sampled = to_unit(np.stack(vectors))
    if not always and _is_centre(centre_of(connection, sampled), sampled):
        put_setting(connection, "sketched", passages)
        return
    centre = _new_centre(connection, sampled, passages)
    connection.execute("DELETE FROM sketches")
    for numbers, quantised in read_vectors(connection):
        put_sketches(connection, numbers, to_unit(quantised), centre)


def _is_centre(centre: np.ndarray, vectors: np.ndarray) -> bool:
    mean = vectors.mean(axis=0)
    spread = np.sqrt(((vectors - mean) ** 2).sum(axis=1).mean())
    return bool(np.linalg.norm(centre - mean) <= _OFF_CENTRE * spread)


def renew_words(connection: apsw.Connection, rules: WordRules) -> None:
    """Makes the full-text index anew from the documents."""
    connection.execute("INSERT INTO words (words) VALUES ('delete-all')")
    rows = connection.execute(
        "SELECT p.id, p.start, p.stop, d.text, d.language FROM passages AS p "
        "JOIN documents AS d ON d.id = p.document"
    )
    passages = ((n, text[start:stop], code) for n, start, stop, text, code in rows)
    put_words(connection, rules, passages)


def read_vectors(
    connection: apsw.Connection,
) -> Iterator[tuple[list[int], np.ndarray]]:
    """Yields all passages' numbers and vectors, int8 (N, dim), some at a time."""
    last = 0
    while True:
        rows: list[Any] = connection.execute(
            "SELECT passage, vector FROM vectors WHERE passage > ? "
            "ORDER BY passage LIMIT ?",
            (last, _SAMPLE),
        ).fetchall()
        if not rows:
            return
        last = rows[-1][0]
        data = np.frombuffer(b"".join(row[1] for row in rows), np.int8)
        yield [row[0] for row in rows], data.reshape(len(rows), -1)


def _new_centre(
    connection: apsw.Connection, vectors: np.ndarray, passages: int
) -> np.ndarray:
    centre = vectors.mean(axis=0).astype("<f4")
    put_setting(connection, "centre", centre.tobytes())
    put_setting(connection, "sketched", passages)
    return centre
