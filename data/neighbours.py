"""Held-out sentences that have nearly the same words as a training sentence."""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import islice

import numpy as np
from scipy import sparse

# Sentences are neighbours from this word Jaccard similarity on: 3/5.
NUMERATOR, DENOMINATOR = 3, 5
# Training sentences, held-out sentences and pairs at a time; they bound the memory.
TRAINING_BLOCK, HELD_OUT_BLOCK, PAIR_BLOCK = 4096, 1024, 16384


def near_neighbours(
    held_out: Sequence[set[str]], training: Iterable[set[str]]
) -> np.ndarray:
    """Returns bool (n,): which of `held_out` have a neighbour in `training`.

    Neighbours share at least 3/5 of the words that either has. Two such sets share
    one of their rarest words, those left when each gives up 3/5 of its words but
    one, common ones first; only sets that do are compared.

    Args:
        held_out: n sets of words, none empty; kept in memory.
        training: Sets of words, none empty; read once, in blocks.
    """
    frequency = Counter(word for words in held_out for word in words)
    rarest_first = sorted(frequency, key=lambda word: (frequency[word], word))
    rank = {word: i for i, word in enumerate(rarest_first)}
    near = np.zeros(len(held_out), bool)
    training = iter(training)
    while block := list(islice(training, TRAINING_BLOCK)):
        others = _Block(block, rank)
        left = np.flatnonzero(~near)
        for start in range(0, len(left), HELD_OUT_BLOCK):
            rows = left[start : start + HELD_OUT_BLOCK]
            queries = _Block([held_out[row] for row in rows], rank)
            near[rows[_matches(queries, others)]] = True
    return near


class _Block:
    """Sets of words as rows of 0/1 matrices (n, words ranked rarest first)."""

    def __init__(self, sets: list[set[str]], rank: dict[str, int]) -> None:
        self.sizes = np.array([len(words) for words in sets])
        # Words of no held-out sentence are rarer than any and cannot be shared.
        known = [sorted(rank[w] for w in words if w in rank) for words in sets]
        kept = self.sizes - -(-self.sizes * NUMERATOR // DENOMINATOR) + 1
        unknown = self.sizes - [len(row) for row in known]
        prefixes = [
            row[:n] for row, n in zip(known, np.maximum(kept - unknown, 0), strict=True)
        ]
        self.words = _matrix(known, len(rank))
        self.rarest = _matrix(prefixes, len(rank))


def _matrix(rows: list[list[int]], width: int) -> sparse.csr_matrix:
    ends = np.cumsum([0, *map(len, rows)])
    columns = np.fromiter((i for row in rows for i in row), np.int32, ends[-1])
    ones = np.ones(ends[-1], np.int32)
    return sparse.csr_matrix((ones, columns, ends), shape=(len(rows), width))


def _matches(queries: _Block, others: _Block) -> np.ndarray:
    """Returns the rows of `queries` that have a neighbour among `others`, repeated."""
    candidates = (queries.rarest @ others.rarest.T).tocoo()
    found = []
    for start in range(0, candidates.nnz, PAIR_BLOCK):
        i = candidates.row[start : start + PAIR_BLOCK]
        j = candidates.col[start : start + PAIR_BLOCK]
        both = queries.words[i].multiply(others.words[j]).sum(axis=1).A1
        either = queries.sizes[i] + others.sizes[j] - both
        found.append(i[both * DENOMINATOR >= either * NUMERATOR])
    return np.concatenate(found) if found else np.zeros(0, np.int32)
