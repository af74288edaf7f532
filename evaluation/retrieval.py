"""Translation retrieval: is a sentence's translation its nearest neighbour?

Accuracies are shares in [0, 1]. A rival that is as near as the translation, within
the rounding of a float32 cosine, makes the answer wrong: so a model that maps all
sentences to one point scores 0, and the order of the pairs cannot matter.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from babelet.evaluation.encoding import Predict, encode_once

TIE = 1e-6
DIRECTIONS = ("to_pivot", "from_pivot", "mean")


@dataclasses.dataclass(frozen=True)
class RetrievalSet:
    """Sentences of one language beside their translations in the pivot language.

    Each text should occur once on its side: of two equal candidates neither wins.
    """

    language: str
    pivot_texts: Sequence[str]
    texts: Sequence[str]
    # bool (N,): the pair has a near neighbour in the training text.
    near: np.ndarray | None = None

    def __post_init__(self) -> None:
        lengths = {len(self.pivot_texts), len(self.texts)}
        lengths |= set() if self.near is None else {len(self.near)}
        if len(lengths) > 1:
            raise ValueError(
                f"Sides of the {self.language} pairs differ in length: {lengths}"
            )


def retrieval(predict: Predict, sets: Sequence[RetrievalSet]) -> dict[str, Any]:
    """Scores the nearest neighbour by cosine among all candidates of a language.

    Args:
        predict: Texts to float32 (N, dim); each distinct text is encoded once.
        sets: One for each language.

    Returns:
        By language `to_pivot`, `from_pivot`, their `mean`, `count`, and
        `without_near`: the same for the queries whose pair has no near neighbour in
        training, among the same candidates (None where that is not known).
    """
    encode = encode_once(predict)
    encode([text for s in sets for text in (*s.pivot_texts, *s.texts)])
    result = {}
    for each in sets:
        pivot, other = encode(each.pivot_texts), encode(each.texts)
        hits = {"to_pivot": finds_own(other, pivot)}
        hits["from_pivot"] = finds_own(pivot, other)
        scores = _accuracies(hits)
        scores["without_near"] = None
        if each.near is not None:
            far = ~np.asarray(each.near, bool)
            scores["without_near"] = _accuracies(
                {direction: hit[far] for direction, hit in hits.items()}
            )
        result[each.language] = scores
    return result


def finds_own(
    queries: np.ndarray, candidates: np.ndarray, chunk: int = 1024
) -> np.ndarray:
    """Tells for each query whether the candidate of its own row is the nearest.

    Args:
        queries: float32 (N, dim), rows of unit length.
        candidates: float32 (N, dim), rows of unit length.
        chunk: Queries compared at once; memory is chunk x N x 4 bytes.

    Returns:
        bool (N,).
    """
    found = np.zeros(len(queries), bool)
    for start in range(0, len(queries), chunk):
        scores = queries[start : start + chunk] @ candidates.T
        rows = np.arange(len(scores))
        own = scores[rows, start + rows]
        scores[rows, start + rows] = -np.inf
        found[start : start + chunk] = own > scores.max(axis=1) + TIE
    return found


def mean_over_languages(result: Mapping[str, Any]) -> dict[str, Any]:
    """Averages `retrieval`'s result, every language weighing the same.

    Returns:
        The same keys as for one language, `count` summed, and `languages`, how many
        were averaged. A language without any query is left out.
    """
    mean = _average(list(result.values()))
    parts = [scores["without_near"] for scores in result.values()]
    known = [part for part in parts if part is not None]
    mean["without_near"] = _average(known) if known else None
    return mean


def _accuracies(hits: Mapping[str, np.ndarray]) -> dict[str, Any]:
    count = len(hits["to_pivot"])
    scores: dict[str, Any] = dict.fromkeys(DIRECTIONS)
    if count:
        scores |= {name: float(hit.mean()) for name, hit in hits.items()}
        scores["mean"] = (scores["to_pivot"] + scores["from_pivot"]) / 2
    return scores | {"count": count}


def _average(parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    scored = [part for part in parts if part["count"]]
    mean: dict[str, Any] = dict.fromkeys(DIRECTIONS)
    if scored:
        mean = {d: float(np.mean([part[d] for part in scored])) for d in DIRECTIONS}
    count = sum(part["count"] for part in scored)
    return mean | {"count": count, "languages": len(scored)}
