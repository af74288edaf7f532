import numpy as np
import pytest

from babelet.export.predict import keras_predict
from benchmarks.refused_precisions import in_blocks, rounded, with_weights


def test_four_bits_are_fifteen_steps_of_the_largest_weight():
    """A scale that is off by one bit halves the error that is reported."""
    weights = np.array([[7.0, 0.7], [3.4, -0.26], [-1.6, 0.0]], np.float32)
    expected = [[7.0, 0.7], [3.0, -0.3], [-2.0, 0.0]]
    assert rounded(weights, 4, 0) == pytest.approx(np.array(expected))
    assert len(np.unique(rounded(np.linspace(-1, 1, 999), 4, None))) == 15
    assert not rounded(np.zeros((4, 4), np.float32), 4, 0).any()


def test_an_outlier_spoils_its_own_block_alone():
    """Blocks laid across channels would mix weights that share nothing."""
    kernel = np.random.default_rng(0).uniform(-1, 1, (64, 3)).astype(np.float32)
    kernel[0, 0] = 100.0
    errors = np.abs(in_blocks(kernel) - kernel)
    assert errors[:32, 0].max() > 0.5
    assert errors[32:].max() < 0.1 and errors[:, 1:].max() < 0.1


def test_eight_bits_change_a_student_less_than_four(make_student, tokenizer):
    """Weights that are not really replaced make every precision look perfect."""
    texts = ["Turn on the lamp", "ドアが開いています"]
    expected = keras_predict(make_student(), tokenizer)(texts)
    cosines = {}
    for bits in (8, 4):
        student = make_student()
        with_weights(
            student,
            lambda kernel, bits=bits: rounded(kernel, bits, 0),
            lambda table, bits=bits: rounded(table, bits, 1),
        )
        got = keras_predict(student, tokenizer)(texts)
        cosines[bits] = (got * expected).sum(axis=1).min()
    assert 1 > cosines[8] > 0.999 > cosines[4] > 0.9
