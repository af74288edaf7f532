import numpy as np
import pytest

from babelet.export.score_gate import (
    EXACT_TOLERANCE,
    HALF_TOLERANCE,
    TIE,
    same_answers,
    score_failure,
    score_figures,
    upper_bound,
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
    # Of the 200 the scores are tied in eight.
    assert failed is None or "96.88% of 192" in failed[1]


def test_answers_to_texts_without_sense_do_not_count():
    """Eleven strings of signs, on which no class is right, would decide the gate."""
    got = scores()
    got[:20] = np.roll(got[:20], 1, axis=1)
    answered = np.arange(len(got)) >= 20
    assert score_failure(got, scores(), None)
    assert score_failure(got, scores(), None, answered=answered) is None


@pytest.mark.parametrize(
    ("different", "count", "refused"),
    [(2, 95, False), (8, 95, True), (4, 760, False), (12, 760, False), (20, 760, True)],
)
def test_a_few_texts_refuse_only_what_they_prove(different, count, refused):
    """Two near ties among 95 texts refused a file that had 99.5% of 760."""
    got = scores(count)
    got[:different] = np.roll(got[:different], 1, axis=1)
    assert bool(score_failure(got, scores(count), None)) is refused


def test_the_interval_is_wilsons():
    """A point in its place is a coin toss; an interval of width 0 is that point."""
    # Computed by hand: (0.98 + 0.0192 + 1.96 * 0.01705) / 1.0384.
    assert upper_bound(98, 100) == pytest.approx(0.99449, abs=1e-4)
    assert upper_bound(100, 100) == pytest.approx(1)
    assert upper_bound(0, 0) == 1
    assert upper_bound(0, 1000) < 0.004


def test_what_the_student_is_undecided_about_does_not_count():
    """A tie of the student's two best classes is decided by any rounding."""
    expected = np.tile(np.float32([0.41, 0.40, 0.19]), (200, 1))
    swapped = np.tile(np.float32([0.40, 0.41, 0.19]), (200, 1))
    third = np.tile(np.float32([0.20, 0.19, 0.61]), (200, 1))
    assert same_answers(expected, expected, TIE) == (0, 0)
    assert same_answers(swapped, expected, TIE) == (0, 0)
    assert score_failure(swapped, expected, None) is None
    # A class that is not among the tied ones is another answer all the same.
    assert same_answers(third, expected, TIE) == (0, 200)
    assert score_failure(third, expected, None)


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
