"""Batches of alike lengths: little padding, whatever the order of the texts."""

from collections.abc import Iterator, Sequence

import numpy as np


def by_length(
    lengths: Sequence[int] | np.ndarray,
    rows: int | None = None,
    tokens: int | None = None,
) -> Iterator[np.ndarray]:
    """Yields the places int64 (B,) of one batch after another, the shortest first.

    Args:
        lengths: Of each item.
        rows: Items of a batch, at most.
        tokens: Items times the longest one's length, at most; one item alone may be
            longer.
    """
    order = np.argsort(lengths, kind="stable")
    start = 0
    while start < len(order):
        end = start + 1
        # The last item of a batch is its longest.
        while (
            end < len(order)
            and (rows is None or end - start < rows)
            and (tokens is None or (end + 1 - start) * lengths[order[end]] <= tokens)
        ):
            end += 1
        yield order[start:end]
        start = end
