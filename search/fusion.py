"""Several rankings made one: reciprocal rank fusion (Cormack et al., 2009)."""

from collections.abc import Sequence

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
