"""Finds documents by meaning, by words, or by both."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from babelet.search.connection import connect, guarded, transaction
from babelet.search.embedding import load_model_of
from babelet.search.passages import Filter, Passage, read_passages
from babelet.search.settings import read_settings
from babelet.search.vector_ranking import cosines, nearest
from babelet.search.word_ranking import having_words

Mode = Literal["hybrid", "vectors", "words"]
MODES = ("hybrid", "vectors", "words")
# What is ranked beyond hardly changes the first places.
_DEPTH = 30


@dataclasses.dataclass(frozen=True)
class Hit:
    """A document that was found, with its best passage."""

    # Cosine of query and passage.
    score: float
    # The document's places by meaning and by words, from 1; None: not among them.
    by_vector: int | None
    by_words: int | None
    source: str
    key: str
    language: str
    # The passage, and where it is in the document, in code points.
    text: str
    start: int
    stop: int
    metadata: dict[str, Any]


class Searcher:
    """An index opened for queries, with its model."""

    def __init__(self, index: Path, model: Path | None = None) -> None:
        """Opens both.

        Args:
            index: What `babelet search build` made.
            model: Where its model is now; None if it is where it was.

        Raises:
            BabeletError: Either is missing, damaged, or not of the other.
        """
        self._index = index
        self._connection = connect(index)
        try:
            with guarded(index):
                stored, self._rules = read_settings(self._connection)
            self._embedder = load_model_of(index, stored, model)
        except BaseException:
            self._connection.close()
            raise

    def close(self) -> None:
        """Closes the index."""
        self._connection.close()

    def knows(self, texts: Sequence[str]) -> list[bool]:
        """Tells of each text whether the model knows any letter of it.

        If not, its meaning is that of all such texts.
        """
        return self._embedder.knows(texts)

    def search(
        self,
        query: str,
        top: int = 10,
        mode: Mode = "hybrid",
        where: Filter | None = None,
        exact: bool = False,
    ) -> list[Hit]:
        """Returns the documents that answer a query, the best first.

        A query of whose letters the model knows none is ranked by words alone, unless
        the mode is "vectors".

        Args:
            query: In any language.
            top: Documents at most.
            mode: Ranked by meaning ("vectors"), by words, or by both, fused.
            where: What the documents have to be.
            exact: Compare with all vectors, without the choice by bits.

        Raises:
            BabeletError: The index is damaged.
        """
        where = where or Filter()
        # A document's passages are one result, so some more are needed.
        depth = max(_DEPTH, 2 * top)
        vector = self._embedder.encode([query])[0]
        if mode == "hybrid" and not all(self.knows([query])):
            mode = "words"
        # One transaction: a build in between would change the numbers.
        with transaction(self._index, self._connection):
            by_vector, by_words = [], []
            if mode != "words":
                found = nearest(self._connection, vector, depth, where, exact)
                by_vector = [number for number, _ in found]
            if mode != "vectors":
                by_words = having_words(
                    self._connection, self._rules, query, depth, where
                )
            hits = self._hits(vector, by_vector, by_words, top)
        return hits

    def _hits(
        self,
        vector: np.ndarray,
        by_vector: Sequence[int],
        by_words: Sequence[int],
        top: int,
    ) -> list[Hit]:
        numbers = list(dict.fromkeys([*by_vector, *by_words]))
        passages = {p.number: p for p in read_passages(self._connection, numbers)}
        meaning = _documents(by_vector, passages)
        words = _documents(by_words, passages)
        best = {**words, **meaning}
        fused = fuse([list(meaning), list(words)])[:top]
        scores = cosines(self._connection, vector, [best[d] for d, _ in fused])
        places = [{d: i for i, d in enumerate(r, 1)} for r in (meaning, words)]
        return [
            _hit(
                passages[best[document]],
                scores[best[document]],
                *(place.get(document) for place in places),
            )
            for document, _ in fused
        ]


def _documents(ranking: Sequence[int], passages: dict[int, Passage]) -> dict[int, int]:
    """Returns documents in their order, each with its best passage."""
    best: dict[int, int] = {}
    for number in ranking:
        best.setdefault(passages[number].document, number)
    return best


def _hit(
    passage: Passage, score: float, by_vector: int | None, by_words: int | None
) -> Hit:
    facts = {f.name: getattr(passage, f.name) for f in dataclasses.fields(Passage)}
    for name in ("number", "document"):
        del facts[name]
    return Hit(round(score, 4), by_vector, by_words, **facts)


# The constant of the paper: the first places of a ranking weigh about the same.
_DAMPING = 60


def fuse(rankings: Sequence[Sequence[int]]) -> list[tuple[int, float]]:
    """Returns all items with their scores, the best first.

    An item's score is the sum of 1 / (60 + its rank) over the rankings that have it,
    ranks from 1. Of equal scores the item that comes first in the rankings is first.

    Args:
        rankings: Each the best first.
    """
    scores: dict[int, float] = {}
    for ranking in rankings:
        for rank, item in enumerate(ranking, start=1):
            scores[item] = scores.get(item, 0.0) + 1 / (_DAMPING + rank)
    return sorted(scores.items(), key=lambda item: -item[1])
