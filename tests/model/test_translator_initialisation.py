"""Where translators start: a student from its teacher, a table from an encoder."""

import numpy as np
import pytest

from babelet.model.encoder_decoder import EncoderDecoder
from babelet.model.translator_initialisation import initialise_translator, token_table

INPUTS = {
    "token_ids": np.array([[1, 7, 9, 2], [1, 5, 2, 0]]),
    "padding_mask": np.array([[True] * 4, [True] * 3 + [False]]),
    "target_ids": np.array([[1, 11, 4], [1, 8, 2]]),
}


def translator(encoder=3, decoder=3, **changes):
    shape = {"hidden_dim": 16, "num_heads": 2, "intermediate_dim": 32, "dropout": 0.0}
    size = {"vocabulary_size": 30, "max_length": 12}
    depth = {"encoder_layers": encoder, "decoder_layers": decoder}
    return EncoderDecoder(**(size | shape | depth | changes))


@pytest.fixture(scope="module")
def teacher():
    """Each number random: norms and biases at their initial values prove little."""
    model = translator(context_dim=6)
    random = np.random.default_rng(5)
    for variable in model.variables:
        noise = 0.3 * random.standard_normal(variable.shape)
        variable.assign(noise + (1.0 if variable.path.endswith("gamma") else 0.0))
    return model


def without_context(teacher):
    width = (*INPUTS["token_ids"].shape, 6)
    none = {"context": np.zeros(width), "context_mask": np.zeros(width[:2], bool)}
    return np.asarray(teacher(INPUTS | none))


def test_a_student_of_all_layers_is_its_teacher_without_context(teacher):
    """A norm or a table left at random still trains, from a worse start."""
    student = translator()
    initialise_translator(student, teacher)
    np.testing.assert_allclose(
        student(INPUTS), without_context(teacher), rtol=1e-5, atol=1e-5
    )


def test_fewer_layers_are_the_first_and_the_last_of_each_side(teacher):
    """Two lower layers would hand the last norm what no layer after them reads."""
    student = translator(encoder=2, decoder=1)
    before = np.asarray(student(INPUTS))
    initialise_translator(student, teacher)
    assert np.abs(np.asarray(student(INPUTS)) - before).max() > 0.1
    pairs = [(0, 0), (1, 2)]
    for own, theirs in pairs:
        for mine, other in zip(
            student.encoder[own].get_weights(),
            teacher.encoder[theirs].get_weights(),
            strict=True,
        ):
            np.testing.assert_array_equal(mine, other)
    for mine, other in zip(
        student.decoder[0].get_weights(),
        teacher.decoder[0].get_weights(),
        strict=True,
    ):
        np.testing.assert_array_equal(mine, other)


def test_the_teacher_stays_as_it_is(teacher):
    """Shared variables would train the teacher away from its own answers."""
    before, student = without_context(teacher), translator()
    initialise_translator(student, teacher)
    for variable in student.trainable_variables:
        variable.assign(variable + 1)
    np.testing.assert_array_equal(without_context(teacher), before)


def test_tokens_of_one_sense_begin_near_each_other():
    """A table whose rows lost their order teaches the teacher nonsense first."""
    random = np.random.default_rng(0)
    senses = random.standard_normal((20, 64))
    # Two words of each sense, in two layers, the second much longer than the first.
    words = np.repeat(senses, 2, axis=0)
    views = [
        scale * (words + 0.2 * random.standard_normal(words.shape)) + 3
        for scale in (1, 50)
    ]
    table = token_table(views, 16)
    assert table.shape == (40, 16) and table.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(table, axis=1), 1, rtol=1e-5)
    likeness = table @ table.T - 2 * np.eye(40)
    other = np.arange(40) ^ 1
    assert (likeness.argmax(axis=1) == other).all()
    # No column holds most of it.
    assert table.std(axis=0).max() < 3 * table.std(axis=0).min()


def test_both_layers_count_the_same():
    """The longer vectors alone would decide, and the words of the first be lost."""
    random = np.random.default_rng(1)
    views = [random.standard_normal((30, 8)), 100 * random.standard_normal((30, 8))]
    table = token_table(views, 16)
    np.testing.assert_allclose(
        token_table([views[0], views[1] / 100], 16) @ table.T,
        table @ table.T,
        atol=1e-4,
    )


def test_more_columns_than_components_are_refused():
    """The rest would be made of zeros, equal for all tokens."""
    with pytest.raises(ValueError, match="at most 8, the components"):
        token_table([np.eye(30, 8)], 9)
