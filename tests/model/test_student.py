"""The student's vectors: what may change them, and what must not."""

import keras
import numpy as np
import pytest

from babelet.model.heads import SentencePooling
from babelet.model.student import build_encoder

POLICIES = ["float32", "mixed_bfloat16", "mixed_float16"]
LAMP = [1, 7, 9, 4, 2]
DOOR = [1, 5, 2]


def student(**changes):
    """Two layers of width 8 over a vocabulary of 20, always of equal weights."""
    keras.utils.set_random_seed(3)
    shape = {
        "vocabulary_size": 20,
        "num_layers": 2,
        "hidden_dim": 8,
        "num_heads": 2,
        "intermediate_dim": 16,
        "max_length": 12,
        "pooling": "mean",
        "output_dim": 8,
        "dropout": 0.1,
    }
    model = build_encoder(**shape | changes)
    for variable in model.trainable_variables:
        # Freshly initialised, all sentences have nearly one vector.
        variable.assign(variable + 0.3 * keras.random.normal(variable.shape, seed=4))
    return model


def inputs(*rows, width=None, pad_id=0):
    width = width or max(len(row) for row in rows)
    return {
        "token_ids": np.array([row + [pad_id] * (width - len(row)) for row in rows]),
        "padding_mask": np.array([np.arange(width) < len(row) for row in rows]),
    }


def vectors(model, batch):
    return np.asarray(model(batch), np.float64)


@pytest.mark.parametrize("pooling", ["mean", "cls", "max"])
def test_padding_never_changes_a_vector(pooling):
    """A sentence would be found or not according to its longest neighbour."""
    model = student(pooling=pooling)
    expected = vectors(model, inputs(LAMP))
    for width, pad_id in [(8, 0), (12, 0), (12, 19)]:
        got = vectors(model, inputs(LAMP, width=width, pad_id=pad_id))
        np.testing.assert_allclose(got, expected, atol=1e-6)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_padding_weighs_nothing_in_half_precision(policy):
    """A penalty that a short format cannot hold lets padding through, or gives NaN."""
    model = student(dtype=policy)
    expected = vectors(model, inputs(LAMP))
    got = vectors(model, inputs(LAMP, width=12, pad_id=19))
    np.testing.assert_allclose(got, expected, atol=2e-2)


@pytest.mark.parametrize("pooling", ["mean", "cls", "max"])
def test_the_batch_company_never_changes_a_vector(pooling):
    """Attention across rows would make every score depend on the batch size."""
    model = student(pooling=pooling)
    alone = [vectors(model, inputs(row))[0] for row in (LAMP, DOOR)]
    together = vectors(model, inputs(DOOR, LAMP, DOOR))
    np.testing.assert_allclose(together[[1, 0]], alone, atol=1e-6)
    np.testing.assert_allclose(together[0], together[2], atol=1e-6)
    assert np.abs(alone[0] - alone[1]).max() > 0.01


def test_the_order_of_tokens_matters():
    """Positions that are never added leave a bag of words that still trains."""
    model = student()
    got = vectors(model, inputs([1, 7, 9, 2], [1, 9, 7, 2]))
    assert np.abs(got[0] - got[1]).max() > 0.01


def test_pooling_by_hand():
    """Padding counted as a token shortens every mean, and hides in unit vectors."""
    hidden = np.array([[[1, -4], [3, -2], [99, 99]]], np.float32)
    mask = np.array([[True, True, False]])
    expected = {"mean": [[2, -3]], "cls": [[1, -4]], "max": [[3, -2]]}
    for pooling, value in expected.items():
        got = SentencePooling(pooling)(hidden, mask)
        np.testing.assert_array_equal(np.asarray(got), value)
    with pytest.raises(ValueError, match="Received: 'sum'"):
        SentencePooling("sum")


@pytest.mark.parametrize("pooling", ["mean", "cls", "max"])
def test_the_output_is_the_projection_of_the_pooled_vector(pooling):
    """A projection after the normalisation would return vectors of any length."""
    model = student(pooling=pooling, output_dim=3)
    batch = inputs(LAMP, DOOR)
    pooled = keras.Model(model.inputs, model.get_layer("pooling").output)
    kernel, bias = (np.float64(w) for w in model.get_layer("projection").get_weights())
    expected = np.asarray(pooled(batch), np.float64) @ kernel + bias
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(vectors(model, batch), expected, atol=1e-6)
    assert model.output_shape == (None, 3)


def test_equal_widths_need_no_projection():
    """A stray random matrix would undo what the teacher's layers gave."""
    names = [layer.name for layer in student().layers]
    assert "projection" not in names


@pytest.mark.parametrize("policy", POLICIES)
def test_vectors_are_float32_of_unit_length_under_every_policy(policy):
    """A length rounded to bfloat16 puts cosines above 1 and moves every ranking."""
    exact = vectors(student(), inputs(LAMP, DOOR))
    got = student(dtype=policy)(inputs(LAMP, DOOR))
    assert got.dtype == "float32"
    got = np.asarray(got, np.float64)
    np.testing.assert_allclose(np.linalg.norm(got, axis=1), 1, atol=1e-6)
    assert np.sum(got * exact, axis=1).min() > 0.998


def test_a_row_of_padding_alone_is_no_nan():
    """One empty row would turn the mean loss of its batch into NaN."""
    assert np.isfinite(vectors(student(), inputs(LAMP, []))).all()


def test_dropout_acts_in_training_alone():
    """Vectors drawn anew at each call make evaluation a lottery."""
    model, batch = student(dropout=0.5), inputs(LAMP)
    np.testing.assert_array_equal(vectors(model, batch), vectors(model, batch))
    noisy = [np.asarray(model(batch, training=True)) for _ in range(2)]
    assert np.abs(noisy[0] - noisy[1]).max() > 1e-3


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
@pytest.mark.parametrize("output_dim", [8, 3])
def test_a_saved_student_is_the_same_after_loading(policy, output_dim, tmp_path):
    """A setting missing from get_config comes back as its default, unnoticed."""
    model = student(
        dtype=policy, output_dim=output_dim, pooling="max", dropout=0.25, num_heads=4
    )
    model.save(tmp_path / "student.keras")
    loaded = keras.saving.load_model(tmp_path / "student.keras", safe_mode=True)
    batch = inputs(LAMP, DOOR)
    np.testing.assert_array_equal(vectors(loaded, batch), vectors(model, batch))
    trained = [v.path for v in model.trainable_variables]
    assert [v.path for v in loaded.trainable_variables] == trained
    assert loaded.get_layer("layer_1").dropout.rate == 0.25
    assert loaded.get_layer("layer_1").compute_dtype == model.layers[3].compute_dtype


def test_heads_that_do_not_divide_the_width_are_an_error():
    """Heads of width 2.67 rounded down would drop the last dimensions."""
    with pytest.raises(ValueError, match="hidden_dim=8, num_heads=3"):
        student(num_heads=3)
