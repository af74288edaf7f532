"""Held-out sentences that have nearly the same words as a training sentence."""

from array import array
from collections import defaultdict
from collections.abc import Callable, Iterable
from itertools import count, islice

import numpy as np
from scipy import sparse

# Sentences are neighbours from this word Jaccard similarity on: 3/5.
NUMERATOR, DENOMINATOR = 3, 5
# Training sentences, held-out sentences and pairs at a time; they bound the memory.
TRAINING_BLOCK, HELD_OUT_BLOCK, PAIR_BLOCK = 4096, 1024, 16384


def near_neighbours(
    held_out: Iterable[set[str]], training: Iterable[set[str]]
) -> np.ndarray:
    """Returns bool (n,): which of `held_out` have a neighbour in `training`.

    Neighbours share at least 3/5 of the words that either has. Two such sets share
    one of their rarest words, those left when each gives up 3/5 of its words but
    one, common ones first; only sets that do are compared.

    Args:
        held_out: n sets of words, none empty; kept in memory as integers.
        training: Sets of words, none empty; read once, in blocks.
    """
    numbers: dict[str, int] = defaultdict(count().__next__)
    queries = _Sets(held_out, numbers.__getitem__)
    frequency = np.bincount(queries.words, minlength=len(numbers))
    rank = np.empty(len(numbers), np.int32)
    rank[np.argsort(frequency, kind="stable")] = np.arange(len(numbers))
    words, rarest = queries.matrices(rank)
    near = np.zeros(len(queries.sizes), bool)
    training = iter(training)
    while block := list(islice(training, TRAINING_BLOCK)):
        others = _Sets(block, numbers.get)
        other_words, other_rarest = others.matrices(rank)
        left = np.flatnonzero(~near)
        for start in range(0, len(left), HELD_OUT_BLOCK):
            rows = left[start : start + HELD_OUT_BLOCK]
            candidates = (rarest[rows] @ other_rarest.T).tocoo()
            for first in range(0, candidates.nnz, PAIR_BLOCK):
                i = rows[candidates.row[first : first + PAIR_BLOCK]]
                j = candidates.col[first : first + PAIR_BLOCK]
                both = words[i].multiply(other_words[j]).sum(axis=1).A1
                either = queries.sizes[i] + others.sizes[j] - both
                near[i[both * DENOMINATOR >= either * NUMERATOR]] = True
    return near


class _Sets:
    """Sets of words as numbers, one after the other.

    Attributes:
        words: int32, the numbers of known words.
        sizes: int64 (n,), words of each set, unknown ones included.
    """

    def __init__(
        self, sets: Iterable[set[str]], number: Callable[[str], int | None]
    ) -> None:
        words, known, sizes = array("i"), array("q"), array("q")
        for members in sets:
            row = [i for i in map(number, members) if i is not None]
            words.extend(row)
            known.append(len(row))
            sizes.append(len(members))
        self.words = np.array(words, np.int32)
        self.sizes = np.array(sizes, np.int64)
        self._known = np.array(known, np.int64)

    def matrices(self, rank: np.ndarray) -> tuple[sparse.csr_matrix, sparse.csr_matrix]:
        """Returns the sets as 0/1 rows (n, words), whole and their rarest words.

        Args:
            rank: int32 (words,), the column of each word, rarest first.
        """
        shape = (len(self.sizes), len(rank))
        ends = np.concatenate([[0], np.cumsum(self._known)])
        ones = np.ones(len(self.words), np.int32)
        whole = sparse.csr_matrix((ones, rank[self.words], ends), shape=shape)
        whole.sort_indices()
        kept = self.sizes - -(-self.sizes * NUMERATOR // DENOMINATOR) + 1
        # Words of no held-out sentence are rarer than any, and cannot be shared.
        kept -= self.sizes - self._known
        place = np.arange(len(self.words)) - np.repeat(ends[:-1], self._known)
        rarest = whole.copy()
        rarest.data[place >= np.repeat(kept, self._known)] = 0
        rarest.eliminate_zeros()
        return whole, rarest
