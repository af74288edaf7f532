"""A student that starts from layers of its teacher."""

import keras
import numpy as np
import pytest

from model.encoder_decoder import EncoderDecoder
from model.translator_start import start_from_layers


def make(encoder_layers, decoder_layers, hidden_dim=16, seed=0):
    keras.utils.set_random_seed(seed)
    return EncoderDecoder(
        vocabulary_size=20,
        encoder_layers=encoder_layers,
        decoder_layers=decoder_layers,
        hidden_dim=hidden_dim,
        num_heads=2,
        intermediate_dim=32,
        max_length=8,
        dropout=0.0,
    )


BATCH = {
    "token_ids": np.array([[1, 5, 6, 2]], "int32"),
    "padding_mask": np.ones((1, 4), bool),
    "target_ids": np.array([[1, 7, 8]], "int32"),
}


def test_copies_of_all_layers_answer_as_the_teacher():
    """One table or norm left as it was, and the copied layers read noise."""
    teacher, student = make(2, 2, seed=1), make(2, 2, seed=2)
    for variable in teacher.weights:
        # Norms too, which all begin alike.
        variable.assign(variable + keras.random.normal(variable.shape, stddev=0.1))
    assert not np.allclose(student(BATCH), teacher(BATCH), atol=1e-3)
    start_from_layers(student, teacher, (0, 1), (0, 1))
    np.testing.assert_allclose(student(BATCH), teacher(BATCH), atol=1e-6)


def test_each_layer_comes_from_the_one_named():
    """Off by one, the student starts from layers of other depths."""
    teacher, student = make(3, 2, seed=1), make(1, 1, seed=2)
    start_from_layers(student, teacher, (2,), (1,))
    for mine, theirs in (
        (student.encoder[0], teacher.encoder[2]),
        (student.decoder[0], teacher.decoder[1]),
    ):
        for a, b in zip(mine.weights, theirs.weights, strict=True):
            np.testing.assert_array_equal(a, b)


def test_a_copy_does_not_move_its_teacher():
    """Shared variables: the teacher would forget while its student learns."""
    teacher, student = make(1, 1, seed=1), make(1, 1, seed=2)
    start_from_layers(student, teacher, (0,), (0,))
    before = np.array(teacher(BATCH))
    for variable in student.weights:
        variable.assign(variable * 0)
    np.testing.assert_array_equal(teacher(BATCH), before)


@pytest.mark.parametrize(
    ("student", "chosen", "message"),
    [
        (dict(encoder_layers=1, decoder_layers=1), ((2,), ()), "0 to 1"),
        (dict(encoder_layers=1, decoder_layers=1), ((), (-1,)), "0 to 1"),
        (dict(encoder_layers=1, decoder_layers=1, hidden_dim=32), ((0,), ()), "widths"),
    ],
)
def test_what_cannot_be_copied_is_refused(student, chosen, message):
    """A student half at random weights would be blamed on distillation."""
    with pytest.raises(ValueError, match=message):
        start_from_layers(make(**student), make(2, 2), *chosen)
