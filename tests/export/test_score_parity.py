import numpy as np
import pytest

from export.score_parity import (
    EXACT_TOLERANCE,
    HALF_TOLERANCE,
    score_failure,
    score_figures,
)


def scores(rows=200):
    random = np.random.default_rng(1)
    found = random.random((rows, 4)) ** 8
    return (found / found.sum(axis=1, keepdims=True)).astype(np.float32)


def test_equal_scores_pass():
    """A gate that fails on what is right gets switched off."""
    assert score_failure(scores(), scores(), EXACT_TOLERANCE) is None
    assert score_figures(scores(), scores())["same_answer"] == 1.0


@pytest.mark.parametrize("share", [0.005, 0.03])
def test_other_answers_fail_above_a_hundredth(share):
    """Quantisation that flips answers shows in no mean difference."""
    got = scores()
    flipped = int(share * len(got))
    got[:flipped] = np.roll(got[:flipped], 1, axis=1)
    failed = score_failure(got, scores(), None)
    assert (failed is None) == (share < 0.01)
    assert failed is None or "97.00% of 200" in failed[1]


def test_answers_to_texts_without_sense_do_not_count():
    """Eleven strings of signs, on which no class is right, would decide the gate."""
    got = scores()
    got[:20] = np.roll(got[:20], 1, axis=1)
    answered = np.arange(len(got)) >= 20
    assert score_failure(got, scores(), None)
    assert score_failure(got, scores(), None, answered=answered) is None


def test_one_of_few_texts_may_differ():
    """One near tie among 95 texts refused the export of a good classifier."""
    got = scores(95)
    got[:1] = np.roll(got[:1], 1, axis=1)
    assert score_failure(got, scores(95), None) is None
    got[:2] = np.roll(scores(95)[:2], 1, axis=1)
    assert score_failure(got, scores(95), None)


def test_a_float32_file_must_be_near():
    """A temperature forgotten in one file leaves the answers as they are."""
    got = scores() ** 0.9
    got /= got.sum(axis=1, keepdims=True)
    assert score_failure(got, scores(), None) is None
    assert "difference" in score_failure(got, scores(), EXACT_TOLERANCE)[1]


def test_weights_in_float16_may_move_a_score_by_a_hundredth():
    """The float32 tolerance refused every export of a good classifier."""
    moved = scores()
    moved[3] += [0.005, -0.005, 0, 0]
    assert score_failure(moved, scores(), EXACT_TOLERANCE)
    assert score_failure(moved, scores(), HALF_TOLERANCE) is None
    moved[3] += [0.01, -0.01, 0, 0]
    assert score_failure(moved, scores(), HALF_TOLERANCE)


def test_logits_and_nan_are_no_scores():
    """Their highest is the same class, and every threshold is met."""
    assert "sum" in score_failure(np.log(scores()), scores(), None)[1]
    assert score_failure(np.full((200, 4), np.nan), scores(), None)
