"""Batches of alike lengths hold each item once, within their limits."""

import numpy as np
import pytest

from babelet.core.by_length import by_length

LENGTHS = [5, 1, 9, 1, 3, 30, 2, 9]


@pytest.mark.parametrize(
    "limits", [{"rows": 3}, {"tokens": 12}, {"rows": 2, "tokens": 20}, {}]
)
def test_every_item_is_in_one_batch_within_the_limits(limits):
    """A text that is left out keeps a vector of zeros, and nothing says so."""
    batches = list(by_length(LENGTHS, **limits))
    places = np.concatenate(batches)
    assert sorted(places.tolist()) == list(range(len(LENGTHS)))
    lengths = np.array(LENGTHS)[places]
    assert (np.diff(lengths) >= 0).all()
    for batch in batches:
        longest = max(LENGTHS[place] for place in batch)
        assert len(batch) <= limits.get("rows", len(LENGTHS))
        assert len(batch) == 1 or len(batch) * longest <= limits.get("tokens", 10**9)
    # As few as the limits allow: with none of them, one.
    assert len(batches) == {"{'rows': 3}": 3, "{}": 1}.get(str(limits), len(batches))


def test_equal_lengths_keep_their_order():
    """The company of a text decides its last bits: a run repeated would differ."""
    assert next(by_length([2, 2, 2])).tolist() == [0, 1, 2]
    assert not list(by_length([]))
