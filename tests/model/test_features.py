"""The embedding match by hand."""

import keras
import numpy as np
import pytest

from babelet.model.features import EmbeddingMatch


def test_one_minus_cosine_by_hand():
    """A sum in the place of a cosine would reward long vectors."""
    student = np.array([[1, 0], [0, 2], [3, 4], [-1, 0]], np.float32)
    teacher = np.array([[5, 0], [7, 0], [4, 3], [2, 0]], np.float32)
    got = EmbeddingMatch(2, 2)(student, teacher)
    np.testing.assert_allclose(np.asarray(got), [0, 1, 1 - 24 / 25, 2], atol=1e-6)


def test_equal_widths_have_nothing_to_learn():
    """A projection could turn any vector into the teacher's, and train nothing."""
    layer = EmbeddingMatch(2, 2)
    assert layer.projection is None and not layer.variables


def test_other_widths_are_projected():
    """The teacher's vector cut to the student's width is another vector."""
    layer = EmbeddingMatch(2, 3)
    layer.projection.kernel.assign([[1, 0, 0], [0, 2, 0]])
    student = np.array([[1, 1], [1, 0]], np.float32)
    teacher = np.array([[1, 2, 0], [0, 0, 1]], np.float32)
    got = layer(student, teacher)
    np.testing.assert_allclose(np.asarray(got), [0, 1], atol=1e-6)
    assert [v.shape for v in layer.trainable_variables] == [(2, 3)]


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_half_precision_inputs_are_matched_in_float32(dtype):
    """1 - cosine in bfloat16 is 0 below 0.004: the term stops teaching there."""
    student = np.array([[1, 0.0625]], np.float32)
    teacher = np.array([[1, 0]], np.float32)
    got = EmbeddingMatch(2, 2)(keras.ops.cast(student, dtype), teacher)
    assert got.dtype == "float32"
    expected = 1 - 1 / np.sqrt(1 + 0.0625**2)
    np.testing.assert_allclose(np.asarray(got), [expected], atol=1e-6)
