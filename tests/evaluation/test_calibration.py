import numpy as np
import pytest

from babelet.evaluation.calibration import (
    calibration_error,
    fitted_temperature,
    refusal_threshold,
    to_scores,
)


def test_the_calibration_error_by_hand():
    """An error over all sentences at once hides over- and underconfidence."""
    scores = np.array([[0.9, 0.1], [0.9, 0.1], [0.4, 0.6], [0.4, 0.6]])
    labels = np.array([0, 1, 1, 1])
    # 0.9 against 1/2 right, and 0.6 against 1 right; half of the sentences each.
    assert calibration_error(scores, labels) == pytest.approx((0.4 + 0.4) / 2)
    assert calibration_error(np.eye(2), np.array([0, 1])) == 0.0


def test_the_fitted_temperature_undoes_overconfidence():
    """Soft labels of a teacher that is always sure are hard labels."""
    random = np.random.default_rng(3)
    logits = random.normal(0, 2, (4000, 5))
    gumbel = -np.log(-np.log(random.random(logits.shape)))
    labels = (logits + gumbel).argmax(axis=1)
    assert fitted_temperature(3 * logits, labels) == pytest.approx(3, rel=0.1)
    assert fitted_temperature(np.zeros((0, 5)), np.zeros(0, int)) == 1.0
    scores = to_scores(3 * logits, 3.0)
    assert calibration_error(scores, labels) < 0.04
    assert calibration_error(to_scores(3 * logits, 1.0), labels) > 0.1


def test_the_threshold_refuses_the_share_that_was_asked_for():
    """A threshold on the wrong end refuses nearly everything."""
    top = np.linspace(0.5, 1.0, 101)
    scores = np.stack([top, 1 - top], axis=1)
    assert refusal_threshold(scores, 0.2) == pytest.approx(0.6)
    assert refusal_threshold(scores, 0.0) == 0.0
