"""Cosines by themselves: of translations, and against human judgements (STS)."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy

from babelet.evaluation.encoding import Predict, encode_once
from babelet.evaluation.retrieval import RetrievalSet


@dataclasses.dataclass(frozen=True)
class SimilaritySet:
    """Sentence pairs with a human score each; higher means closer."""

    first: Sequence[str]
    second: Sequence[str]
    scores: np.ndarray


def cosine_of_translations(
    predict: Predict, sets: Sequence[RetrievalSet]
) -> dict[str, Any]:
    """Compares translations with all wrong pairings of the same sentences.

    Returns:
        By language `translations` and `random` (mean cosines), `gap` (their
        difference) and `count`; None where there are no pairs to average.
    """
    encode = encode_once(predict)
    return {
        each.language: cosine_gap(encode(each.pivot_texts), encode(each.texts))
        for each in sets
    }


def cosine_gap(pivot: np.ndarray, other: np.ndarray) -> dict[str, Any]:
    """Averages the cosines of equal rows, and of all unequal rows.

    Args:
        pivot: float32 (N, dim), rows of unit length.
        other: float32 (N, dim), rows of unit length; row i translates pivot row i.
    """
    count = len(pivot)
    own = float(np.einsum("nd,nd->", pivot, other, dtype=np.float64))
    # The sum over all pairs is the product of the sums: no N x N matrix is needed.
    every = float(pivot.sum(0, dtype=np.float64) @ other.sum(0, dtype=np.float64))
    translations = own / count if count else None
    random = (every - own) / (count * (count - 1)) if count > 1 else None
    gap = None if translations is None or random is None else translations - random
    return {"translations": translations, "random": random, "gap": gap, "count": count}


def semantic_similarity(predict: Predict, file: SimilaritySet) -> dict[str, Any]:
    """Returns `spearman` of the pairs' cosines with the human scores, and `count`."""
    encode = encode_once(predict)
    cosines = np.einsum("nd,nd->n", encode(file.first), encode(file.second))
    return {
        "spearman": rank_correlation(cosines, file.scores),
        "count": len(file.scores),
    }


def rank_correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Returns Spearman's rho of two (N,) arrays; 0 where one of them is constant."""
    if len(a) < 2 or np.ptp(a) == 0 or np.ptp(b) == 0:
        return 0.0
    return float(scipy.stats.spearmanr(a, b).statistic)
