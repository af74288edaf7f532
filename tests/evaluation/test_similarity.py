import numpy as np
import pytest

from babelet.evaluation.retrieval import RetrievalSet
from babelet.evaluation.similarity import (
    SimilaritySet,
    cosine_gap,
    cosine_of_translations,
    rank_correlation,
    semantic_similarity,
)


def test_cosine_gap_by_hand():
    """Prevents the pairs themselves from being counted among the random ones."""
    pivot = np.array([[1.0, 0.0], [0.0, 1.0]], np.float32)
    other = np.array([[0.6, 0.8], [0.0, 1.0]], np.float32)
    # Translations: .6 and 1; wrong pairings: (1,0)·(0,1) = 0 and (0,1)·(.6,.8) = .8.
    assert cosine_gap(pivot, other) == {
        "translations": pytest.approx(0.8),
        "random": pytest.approx(0.4),
        "gap": pytest.approx(0.4),
        "count": 2,
    }


def test_cosine_gap_equals_the_full_matrix():
    """Prevents the shortcut through sums from drifting from its definition."""
    rng = np.random.default_rng(0)
    pivot, other = rng.normal(size=(2, 40, 8)).astype(np.float32)
    matrix = pivot @ other.T
    wrong = matrix[~np.eye(40, dtype=bool)].mean()
    gap = cosine_gap(pivot, other)
    assert gap["translations"] == pytest.approx(np.trace(matrix) / 40, abs=1e-5)
    assert gap["random"] == pytest.approx(wrong, abs=1e-5)


def test_one_pair_has_no_random_counterpart():
    """Prevents a division by zero from becoming NaN in metrics.json."""
    vector = np.array([[1.0, 0.0]], np.float32)
    gap = cosine_gap(vector, vector)
    assert (gap["translations"], gap["random"], gap["gap"]) == (1.0, None, None)
    assert cosine_gap(vector[:0], vector[:0])["translations"] is None


def test_cosines_are_given_by_language():
    """Prevents languages from being pooled."""
    vectors = {"lamp": [1, 0], "door": [0, 1], "Lampe": [1, 0], "Tür": [0, 1]}
    vectors |= {"lampa": [0, 1], "dveře": [1, 0]}
    result = cosine_of_translations(
        lambda texts: np.array([vectors[text] for text in texts], np.float32),
        [
            RetrievalSet("de", ["lamp", "door"], ["Lampe", "Tür"]),
            RetrievalSet("cs", ["lamp", "door"], ["lampa", "dveře"]),
        ],
    )
    assert result["de"]["gap"] == 1.0
    assert result["cs"]["gap"] == -1.0


@pytest.mark.parametrize(
    ("a", "b", "rho"),
    [
        ([1, 2, 3, 4], [10, 20, 30, 400], 1.0),
        ([1, 2, 3, 4], [4, 3, 2, 1], -1.0),
        # Rank differences 0, 1, 1, 0: 1 - 6·2 / (4·15) = 0.8
        ([1, 2, 3, 4], [1, 3, 2, 4], 0.8),
        # A constant model orders nothing.
        ([5, 5, 5, 5], [1, 3, 2, 4], 0.0),
    ],
)
def test_rank_correlation_by_hand(a, b, rho):
    """Prevents Pearson's correlation, or NaN, from being reported as Spearman's."""
    assert rank_correlation(np.array(a), np.array(b)) == pytest.approx(rho)


def test_sts_ranks_cosines_against_scores():
    """Prevents the sentences of different rows from being compared."""
    angle = {"cat": 0.0, "kitten": 0.2, "dog": 0.9, "stock market": 1.5}
    file = SimilaritySet(
        ["cat"] * 3, ["kitten", "dog", "stock market"], np.array([4.5, 2.0, 0.0])
    )
    result = semantic_similarity(
        lambda texts: np.array([[np.cos(angle[t]), np.sin(angle[t])] for t in texts]),
        file,
    )
    assert result == {"spearman": pytest.approx(1.0), "count": 3}
