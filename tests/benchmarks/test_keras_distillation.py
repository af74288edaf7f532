"""What docs/results.md says of `keras.distillation` is still so."""

import numpy as np
import pytest

from benchmarks.keras_distillation import compare, logits


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_ours_is_the_textbook_value(seed):
    """A comparison against ourselves would show nothing: NumPy is the judge."""
    losses = compare(*logits(seed))
    assert losses["babelet"] == pytest.approx(losses["NumPy, float64"], abs=1e-6)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_default_of_keras_is_another_number(seed):
    """If Keras mends its default this fails, and docs/results.md has to say so."""
    losses = compare(*logits(seed))
    difference = losses["keras.distillation, default"] - losses["NumPy, float64"]
    assert abs(difference) > 0.5


def test_a_student_equal_to_its_teacher_has_no_loss():
    """The one point where a divergence is known without computing it."""
    _, teacher = logits()
    assert compare(teacher, teacher)["babelet"] == pytest.approx(0, abs=1e-7)


def test_shifted_logits_are_the_same_distribution():
    """Without softmax, Keras's default moves with a shift that means nothing."""
    student, teacher = logits()
    before, after = compare(student, teacher), compare(student + 2, teacher)
    assert after["babelet"] == pytest.approx(before["babelet"], abs=2e-6)
    default = "keras.distillation, default"
    assert not np.isclose(after[default], before[default], rtol=0.1)
