"""The passages nearest to a vector: a choice by bits, compared by bytes."""

import json
from collections.abc import Sequence
from typing import Any

import apsw
import numpy as np

from babelet.search.passages import Filter
from babelet.search.quantise import sketch, to_bytes, to_unit

# Of the nearest passages by bits, so many are compared by bytes: of 100,000 sentences
# they hold 99% of the true ten nearest. sqlite-vec's time grows with them.
CANDIDATES = 128
# sqlite-vec gives no more.
_MOST_CANDIDATES = 4096


def nearest(
    connection: apsw.Connection,
    vector: np.ndarray,
    count: int,
    where: Filter,
    exact: bool = False,
) -> list[tuple[int, float]]:
    """Returns passages with their cosines, the nearest first.

    Args:
        connection: To an index.
        vector: float32 (dim,) of unit length.
        count: Passages at most.
        where: What their documents have to be.
        exact: Compare the bytes of all, without the choice by bits.
    """
    clause, values = where.clause("passage")
    if exact:
        found: list[Any] = connection.execute(
            "SELECT passage, 1 - vec_distance_cosine(vec_int8(vector), vec_int8(?)) "
            f"AS cosine FROM vectors WHERE true{clause} "
            "ORDER BY cosine DESC, passage LIMIT ?",
            (to_bytes(vector[None])[0].tobytes(), *values, count),
        ).fetchall()
        return found
    centre = connection.execute("SELECT value FROM settings WHERE name = 'centre'").get
    if centre is None:  # Nothing was ever stored.
        return []
    bits = sketch(vector[None], np.frombuffer(centre, "<f4"))[0].tobytes()
    candidates = min(_MOST_CANDIDATES, max(CANDIDATES, 4 * count))
    rows = connection.execute(
        f"SELECT passage FROM sketches WHERE sketch MATCH vec_bit(?) AND k = ?{clause}",
        (bits, candidates, *values),
    )
    passages: list[Any] = [row[0] for row in rows]
    scored = cosines(connection, vector, passages)
    return sorted(scored.items(), key=lambda item: -item[1])[:count]


def cosines(
    connection: apsw.Connection, vector: np.ndarray, passages: Sequence[int]
) -> dict[int, float]:
    """Returns the cosine of `vector`, float32 (dim,), with each of the passages."""
    rows: list[Any] = connection.execute(
        "SELECT passage, vector FROM vectors "
        "WHERE passage IN (SELECT value FROM json_each(?))",
        (json.dumps(list(passages)),),
    ).fetchall()
    if not rows:
        return {}
    data = np.frombuffer(b"".join(row[1] for row in rows), np.int8)
    scores = to_unit(data.reshape(len(rows), -1)) @ vector
    return {row[0]: float(score) for row, score in zip(rows, scores, strict=True)}
