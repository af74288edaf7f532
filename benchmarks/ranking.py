"""How high the right answers rank: recall, reciprocal rank, discounted gain.

A rank counts from 1; 0 says that the right answer was not among those looked at.
"""

from collections.abc import Sequence

import numpy as np


def recall_at(ranks: np.ndarray, k: int) -> float:
    """Returns the share of queries whose right answer is among the first k.

    Args:
        ranks: int (Q,).
        k: 1 or more.
    """
    return float(((ranks > 0) & (ranks <= k)).mean())


def mean_reciprocal_rank(ranks: np.ndarray) -> float:
    """Returns the mean of 1 / rank over int (Q,) ranks, 0 for what was not found."""
    return float(np.where(ranks > 0, 1 / np.maximum(ranks, 1), 0.0).mean())


def ndcg_at(ranks: np.ndarray, k: int) -> float:
    """Returns the mean normalised discounted cumulative gain of the first k.

    With one right answer for each query the best gain is 1, at rank 1, and the gain
    at rank r is 1 / log2(1 + r) (Järvelin and Kekäläinen, 2002).

    Args:
        ranks: int (Q,).
        k: 1 or more.
    """
    found = (ranks > 0) & (ranks <= k)
    return float(np.where(found, 1 / np.log2(1 + np.maximum(ranks, 1)), 0.0).mean())


def scores_by_pair(
    ranks: np.ndarray, pairs: Sequence[tuple[str, str]], k: int = 10
) -> dict[str, dict[str, float]]:
    """Scores the queries of each pair of languages, and their mean.

    Args:
        ranks: int (Q,), of each query's right answer.
        pairs: Languages of each query and of its answer.
        k: Answers that are looked at.

    Returns:
        By "query>answer", such as "de>en": `recall@1`, `recall@k`, `mrr`, `ndcg@k`
        and `count`; and under "mean" the same, every pair weighing the same.

    Raises:
        ValueError: There is no query, or the lengths differ.
    """
    if not len(ranks) or len(ranks) != len(pairs):
        raise ValueError(f"{len(ranks)} ranks for {len(pairs)} pairs of languages")
    names = np.array([f"{query}>{answer}" for query, answer in pairs])
    result = {}
    for name in sorted(set(names.tolist())):
        own = np.asarray(ranks)[names == name]
        result[name] = {
            "recall@1": recall_at(own, 1),
            f"recall@{k}": recall_at(own, k),
            "mrr": mean_reciprocal_rank(own),
            f"ndcg@{k}": ndcg_at(own, k),
            "count": len(own),
        }
    each = list(result.values())
    mean = {name: float(np.mean([s[name] for s in each])) for name in each[0]}
    return result | {"mean": mean | {"count": len(ranks)}}
