import numpy as np
import pytest

from benchmarks.ranking import (
    mean_reciprocal_rank,
    ndcg_at,
    recall_at,
    scores_by_pair,
)


def test_scores_are_those_computed_by_hand():
    """Counting "not found", rank 0, as the best rank makes every score perfect."""
    ranks = np.array([1, 2, 0, 11])
    assert recall_at(ranks, 1) == 0.25
    assert recall_at(ranks, 10) == 0.5
    assert mean_reciprocal_rank(ranks) == pytest.approx((1 + 1 / 2 + 1 / 11) / 4)
    assert ndcg_at(ranks, 10) == pytest.approx((1 + 1 / np.log2(3)) / 4)


def test_the_mean_weighs_languages_and_not_queries():
    """One language with most of the queries would hide all the others."""
    pairs = [("de", "en")] * 3 + [("fi", "en")]
    scores = scores_by_pair(np.array([1, 1, 1, 0]), pairs)
    assert scores["de>en"]["recall@10"] == 1 and scores["fi>en"]["recall@10"] == 0
    assert scores["mean"]["recall@10"] == 0.5
    assert scores["mean"]["count"] == 4 and scores["de>en"]["count"] == 3


def test_no_query_is_no_score():
    """The mean of nothing is NaN, which a report prints without a word."""
    with pytest.raises(ValueError, match="0 ranks"):
        scores_by_pair(np.array([], int), [])
