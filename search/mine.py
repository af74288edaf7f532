"""Finds translations, or duplicates, among the passages of an index.

  babelet search mine --index=my.db --output=mined.tsv --pivot=en
  babelet search mine --index=my.db --output=doubles.tsv --duplicates

With --pivot, each passage of another language is paired with the passage of the pivot
that says the same, if there is one. The file has the columns language, the pivot's code
(such as en), text, margin and cosine, and can be trained on as it is:
  --set data.source=parallel_files --set data.files=mined.tsv

With --duplicates, pairs of one language that say the same: language, first_id,
second_id, first, second, margin, cosine.

A pair counts if each chooses the other and its margin is --least or more: their cosine
over the mean cosine with their four nearest neighbours. The widest come first in each
language: look where they cease to be good, and set --least there.
"""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import apsw
import numpy as np
from absl import flags
from tqdm import tqdm

from babelet.core import command
from babelet.core.atomic import atomic_path
from babelet.core.errors import BabeletError
from babelet.search.connection import connect, transaction
from babelet.search.output import alone, require_output
from babelet.search.passages import read_passages
from babelet.search.quantise import to_unit
from babelet.search.settings import read_settings

Row = tuple[object, ...]


def mine_translations(
    connection: apsw.Connection, pivot: str, least: float
) -> Iterator[Row]:
    """Yields a header, and language, pivot text, text, margin, cosine of each pair.

    Raises:
        BabeletError: The index has no passage in the pivot language, or in no other.
    """
    languages = _languages(connection)
    if pivot not in languages or len(languages) < 2:
        raise BabeletError(
            f"There is nothing to pair with {pivot!r}",
            expected="passages of this language and of others",
            received=" ".join(languages) or "an empty index",
            remedy="choose another --pivot, or build the index with languages",
        )
    yield "language", pivot, "text", "margin", "cosine"
    numbers, vectors = _vectors(connection, pivot)
    for language in sorted(set(languages) - {pivot}):
        own_numbers, own = _vectors(connection, language)
        with _progress(language, len(own) + len(vectors)) as bar:
            pairs = mine(own, vectors, least, progress=bar.update)
        left = read_passages(connection, [own_numbers[p.first] for p in pairs])
        right = read_passages(connection, [numbers[p.second] for p in pairs])
        for pair, text, translation in zip(pairs, left, right, strict=True):
            yield language, translation.text, text.text, *_scores(pair)


def mine_duplicates(connection: apsw.Connection, least: float) -> Iterator[Row]:
    """Yields a header, and language, ids, texts, margin and cosine of each pair."""
    names = ("language", "first_id", "second_id", "first", "second")
    yield *names, "margin", "cosine"
    for language in sorted(_languages(connection)):
        numbers, vectors = _vectors(connection, language)
        with _progress(language, len(vectors)) as bar:
            pairs = mine(vectors, vectors, least, progress=bar.update)
        left = read_passages(connection, [numbers[p.first] for p in pairs])
        right = read_passages(connection, [numbers[p.second] for p in pairs])
        for pair, a, b in zip(pairs, left, right, strict=True):
            yield language, a.key, b.key, a.text, b.text, *_scores(pair)


class Pair(NamedTuple):
    """Rows of two sets of vectors that belong together."""

    first: int
    second: int
    margin: float
    cosine: float


def _scores(pair: Pair) -> tuple[str, str]:
    return f"{pair.margin:.4f}", f"{pair.cosine:.4f}"


def _progress(language: str, rows: int) -> tqdm:
    return tqdm(total=rows, desc=f"Mining {language or '??'}", unit=" passages")


def _languages(connection: apsw.Connection) -> list[str]:
    rows = connection.execute("SELECT DISTINCT language FROM documents")
    return [row[0] for row in rows]


def _vectors(
    connection: apsw.Connection, language: str
) -> tuple[list[int], np.ndarray]:
    """Returns the passages of a language, and their vectors, int8 (N, dim)."""
    rows: list[Any] = connection.execute(
        "SELECT v.passage, v.vector FROM documents AS d "
        "JOIN passages AS p ON p.document = d.id JOIN vectors AS v ON v.passage = p.id "
        "WHERE d.language = ? ORDER BY p.id",
        (language,),
    ).fetchall()
    data = np.frombuffer(b"".join(row[1] for row in rows), np.int8)
    # Documents without text have no passage.
    dim = read_settings(connection)[0].dim
    return [row[0] for row in rows], data.reshape(len(rows), dim)


def run(index: Path, output: Path, pivot: str, duplicates: bool, least: float) -> int:
    """Writes the pairs of `index` to `output`, whole or not at all.

    Args:
        index: What `babelet search build` made.
        output: A .tsv file.
        pivot: The language that others are paired with.
        duplicates: Pairs of one language instead.
        least: Margin of a pair.

    Returns:
        How many pairs.

    Raises:
        BabeletError: Something cannot be read or written.
    """
    require_output(output, index)
    with contextlib.closing(connect(index)) as connection:
        with transaction(index, connection):
            rows = (
                mine_duplicates(connection, least)
                if duplicates
                else mine_translations(connection, pivot, least)
            )
            lines = [_line(row) for row in rows]
    with alone(output), atomic_path(output) as path:
        path.write_text("".join(lines), encoding="utf-8", newline="\n")
    return len(lines) - 1  # The header is none of the pairs.


def _line(row: Row) -> str:
    return "\t".join(" ".join(str(cell).split()) for cell in row) + "\n"


def main(argv: list[str]) -> None:
    """Runs the command line."""
    command.require_none_left(argv, "the index is given as --index=FILE")
    given = flags.FLAGS
    index, output = Path(given.index), Path(given.output)
    count = run(index, output, given.pivot, given.duplicates, given.least)
    print(f"{output}: {count:,} pairs.")


_ROWS, _COLUMNS = 512, 16_384


def mine(
    first: np.ndarray,
    second: np.ndarray,
    least: float,
    neighbours: int = 4,
    progress: Callable[[int], object] = lambda rows: None,
) -> list[Pair]:
    """Returns pairs that choose each other by margin, the widest first.

    Args:
        first: int8 (N, dim).
        second: int8 (M, dim); `first` itself finds pairs in one set, each once.
        least: Margin of a pair.
        neighbours: k.
        progress: Is told how many rows were done, of N + M, or of N in one set.
    """
    same = first is second
    if min(len(first), len(second)) <= same:
        return []
    forward = nearest_rows(first, second, neighbours, same, progress)
    backward = forward
    if not same:
        backward = nearest_rows(second, first, neighbours, False, progress)
    surroundings = forward[1].mean(axis=1), backward[1].mean(axis=1)
    right, margin, cosine = _best(forward, *surroundings)
    left, _, _ = _best(backward, *surroundings[::-1])
    mutual = left[right] == np.arange(len(right))
    if same:
        mutual &= np.arange(len(right)) < right
    rows = np.flatnonzero(mutual & (margin >= least))
    rows = rows[np.argsort(-margin[rows], kind="stable")]
    return [
        Pair(int(i), int(right[i]), float(margin[i]), float(cosine[i])) for i in rows
    ]


def nearest_rows(
    queries: np.ndarray,
    candidates: np.ndarray,
    count: int,
    same: bool,
    progress: Callable[[int], object],
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the nearest candidates of each query, and their cosines.

    Args:
        queries: int8 (N, dim).
        candidates: int8 (M, dim).
        count: k; fewer if there are fewer candidates, of which there is one.
        same: Both are one set: a row is not its own neighbour.
        progress: Is told how many rows were done.

    Returns:
        int64 (N, k) and float32 (N, k), the nearest first.
    """
    count = min(count, len(candidates) - same)
    ids = np.zeros((len(queries), count), np.int64)
    scores = np.full(ids.shape, -np.inf, np.float32)
    for start in range(0, len(queries), _ROWS):
        rows = np.arange(start, min(start + _ROWS, len(queries)))
        block = to_unit(queries[rows])
        for left in range(0, len(candidates), _COLUMNS):
            columns = np.arange(left, min(left + _COLUMNS, len(candidates)))
            cosines = block @ to_unit(candidates[columns]).T
            if same:
                cosines[rows[:, None] == columns] = -np.inf
            both = np.concatenate([scores[rows], cosines], axis=1)
            names = np.broadcast_to(columns, cosines.shape)
            names = np.concatenate([ids[rows], names], axis=1)
            order = np.argsort(-both, axis=1, kind="stable")[:, :count]
            scores[rows] = np.take_along_axis(both, order, axis=1)
            ids[rows] = np.take_along_axis(names, order, axis=1)
        progress(len(rows))
    return ids, scores


def _best(
    found: tuple[np.ndarray, np.ndarray], own: np.ndarray, other: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns of each row the neighbour of widest margin, its margin and cosine."""
    ids, cosines = found
    margins = 2 * cosines / (own[:, None] + other[ids])
    best = margins.argmax(axis=1)[:, None]
    values = [
        np.take_along_axis(a, best, axis=1)[:, 0] for a in (ids, margins, cosines)
    ]
    return values[0], values[1], values[2]


if __name__ == "__main__":
    command.path_flag("index", None, "What babelet search build made.", required=True)
    command.path_flag("output", None, "The .tsv file to write.", required=True)
    flags.DEFINE_string("pivot", "en", "The language that others are paired with.")
    flags.DEFINE_bool("duplicates", False, "Pairs of one language instead.")
    flags.DEFINE_float("least", 1.06, "Margin of a pair.", lower_bound=0)
    command.run(main)
