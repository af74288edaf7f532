"""A student made of teacher layers, against the teacher itself."""

import keras
import keras_hub
import numpy as np
import pytest

from babelet.model.initialisation import initialise_from_teacher
from babelet.model.student import build_encoder

VOCABULARY = 30
IDS = np.array([[1, 7, 29, 4, 2, 0], [1, 5, 2, 0, 0, 0]])
MASK = np.array([[True] * 5 + [False], [True] * 3 + [False] * 3])
IDENTITY = np.arange(VOCABULARY)


@pytest.fixture(scope="module")
def backbone():
    """Three layers of width 16, each number random: a bias of 0 would prove little."""
    model = keras_hub.models.BertBackbone(
        vocabulary_size=VOCABULARY,
        num_layers=3,
        num_heads=2,
        hidden_dim=16,
        intermediate_dim=32,
        dropout=0.0,
        max_sequence_length=10,
    )
    random = np.random.default_rng(5)
    for variable in model.variables:
        noise = 0.2 * random.standard_normal(variable.shape)
        variable.assign(noise + (1.0 if variable.path.endswith("gamma") else 0.0))
    return model


def student(**changes):
    keras.utils.set_random_seed(6)
    shape = {
        "vocabulary_size": VOCABULARY,
        "num_layers": 3,
        "hidden_dim": 16,
        "num_heads": 2,
        "intermediate_dim": 32,
        "max_length": 8,
        "pooling": "mean",
        "output_dim": 16,
        "dropout": 0.0,
    }
    return build_encoder(**shape | changes)


def vectors(model, ids=IDS):
    return np.asarray(model({"token_ids": ids, "padding_mask": MASK}), np.float64)


def teacher_vectors(backbone):
    """Mean pooling and unit length, in NumPy, over the teacher's own layers."""
    hidden = backbone(
        {
            "token_ids": IDS,
            "padding_mask": MASK.astype("int32"),
            "segment_ids": np.zeros_like(IDS),
        }
    )["sequence_output"]
    total = (np.asarray(hidden, np.float64) * MASK[..., None]).sum(1)
    return total / np.linalg.norm(total, axis=1, keepdims=True)


def test_all_layers_give_the_teacher_itself(backbone):
    """One matrix transposed or one bias left out still trains, from a worse start."""
    model = student()
    copied = initialise_from_teacher(
        model, backbone, layers=[0, 1, 2], teacher_ids=IDENTITY
    )
    assert sorted(copied) == sorted(v.path for v in model.trainable_variables)
    # Not closer: the backbone's GELU is the tanh approximation, the student's exact.
    np.testing.assert_allclose(vectors(model), teacher_vectors(backbone), atol=1e-3)


def test_the_order_of_layers_matters(backbone):
    """Layers taken in order whatever was asked would ignore student.init_layers."""
    model = student()
    initialise_from_teacher(model, backbone, layers=[2, 1, 0], teacher_ids=IDENTITY)
    assert np.abs(vectors(model) - teacher_vectors(backbone)).max() > 0.05
    last = backbone.get_layer("transformer_layer_2")
    np.testing.assert_array_equal(
        model.get_layer("layer_0").feedforward_output.kernel,
        last._feedforward_output_dense.kernel,
    )


def test_token_rows_follow_teacher_ids(backbone):
    """Rows in the teacher's order give every piece the vector of another."""
    teacher_ids = np.random.default_rng(7).permutation(VOCABULARY)
    model = student()
    initialise_from_teacher(
        model, backbone, layers=[0, 1, 2], teacher_ids=teacher_ids.astype(np.int32)
    )
    own_ids = np.argsort(teacher_ids)[IDS]
    np.testing.assert_allclose(
        vectors(model, own_ids), teacher_vectors(backbone), atol=1e-3
    )


def test_a_smaller_vocabulary_takes_its_own_rows(backbone):
    """The first rows of the table are not the rows of the trimmed pieces."""
    teacher_ids = np.array([0, 1, 2, 29, 11], np.int32)
    model = student(vocabulary_size=5)
    initialise_from_teacher(model, backbone, layers=[0, 1, 2], teacher_ids=teacher_ids)
    table = np.asarray(backbone.get_layer("token_embedding").embeddings)
    got = np.asarray(model.get_layer("embedding").tokens)
    np.testing.assert_array_equal(got, table[teacher_ids])


def test_variables_of_another_shape_stay_random_and_are_not_listed(backbone):
    """A count of copied variables that lies hides a student that starts from noise."""
    model = student(intermediate_dim=24)
    before = {v.path: np.asarray(v) for v in model.variables}
    copied = initialise_from_teacher(
        model, backbone, layers=[0, 1, 2], teacher_ids=IDENTITY
    )
    unlisted = sorted(set(before) - set(copied))
    assert unlisted == sorted(
        f"layer_{i}/{name}"
        for i in range(3)
        for name in (
            "feedforward_intermediate/bias",
            "feedforward_intermediate/kernel",
            "feedforward_output/kernel",
        )
    )
    after = {v.path: np.asarray(v) for v in model.variables}
    for path in unlisted:
        np.testing.assert_array_equal(after[path], before[path])
    assert all((after[path] != before[path]).any() for path in copied)


def test_another_width_takes_nothing(backbone):
    """A slice of a wider teacher would be noise that claims to be a start."""
    model = student(hidden_dim=8, intermediate_dim=16, output_dim=8)
    assert not initialise_from_teacher(
        model, backbone, layers=[0, 1, 2], teacher_ids=IDENTITY
    )


def test_the_projection_stays_random(backbone):
    """It has no counterpart in the teacher; listing it would be a lie."""
    model = student(output_dim=4, num_layers=1)
    copied = initialise_from_teacher(model, backbone, layers=[1], teacher_ids=IDENTITY)
    assert not [path for path in copied if path.startswith("projection")]
    assert len(copied) == len(model.trainable_variables) - 2


@pytest.mark.parametrize("layers", [[0, 1, 3], [-1, 0, 1]])
def test_a_layer_the_teacher_lacks_is_an_error(backbone, layers):
    """Layer -1 as Python reads it is the last, which nobody asked for."""
    with pytest.raises(ValueError, match=r"0\.\.2, the teacher's layers. Received"):
        initialise_from_teacher(
            student(), backbone, layers=layers, teacher_ids=IDENTITY
        )
