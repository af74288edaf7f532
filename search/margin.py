"""Pairs of vectors that are nearer to each other than to what surrounds them.

The margin of Artetxe and Schwenk (2019): the cosine of two sentences over the mean
cosine of both with their k nearest neighbours. A sentence that is near everything, a
short or vague one, has a small margin with all; a fixed cosine would let it in.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from babelet.search.quantise import to_unit

_ROWS, _COLUMNS = 512, 16_384


class Pair(NamedTuple):
    """Rows of two sets of vectors that belong together."""

    first: int
    second: int
    margin: float
    cosine: float


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
