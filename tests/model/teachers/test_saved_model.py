"""SavedModels from strings to vectors as teachers."""

import numpy as np
import pytest
import tensorflow as tf

from babelet.configs.schema import TeacherConfig
from babelet.core.errors import BabeletError
from babelet.model.teachers.saved_model import load

STRINGS = tf.TensorSpec([None], tf.string, name="text")
NUMBERS = tf.TensorSpec([None], tf.int64, name="ids")


class Letters(tf.Module):
    """Counts of the letters a, b and c, times a weight."""

    def __init__(self, weight=2.0):
        super().__init__()
        self.weight = tf.Variable([weight])

    def counts(self, text):
        letters = tf.strings.unicode_split(text, "UTF-8").to_tensor("")
        found = letters[..., None] == tf.constant(["a", "b", "c"])
        return tf.reduce_sum(tf.cast(found, tf.float32), axis=1) * self.weight


def save(folder, outputs, spec=STRINGS, module=None):
    """Saves `outputs` of the module as the signature; returns the folder."""
    module = module or Letters()
    function = tf.function(lambda x: outputs(module, x), input_signature=[spec])
    tf.saved_model.save(module, str(folder), {"serving_default": function})
    return folder


def counts(module, text):
    return {"vectors": module.counts(text), "size": tf.size(text)}


def open_teacher(path, **settings):
    return load(TeacherConfig(kind="saved_model", path=str(path), **settings), path)


@pytest.fixture
def folder(tmp_path):
    return save(tmp_path / "letters", counts)


def test_strings_become_unit_vectors(folder):
    """Batches are formed by length: a row that keeps that order is another's."""
    teacher = open_teacher(folder, tokens_per_batch=2)
    texts = ["abcabcabc", "a", "bbbb", "aab", "cccccccc"]
    expected = np.array([[1, 1, 1], [1, 0, 0], [0, 1, 0], [2, 1, 0], [0, 0, 1]])
    expected = expected / np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(teacher.encode(texts), expected, atol=1e-6)
    assert teacher.dim == 3 and teacher.parameters == 1
    assert teacher.encode([]).shape == (0, 3)


def test_prefix_and_normalization(folder):
    teacher = open_teacher(folder, prefix="b", normalization="none")
    np.testing.assert_array_equal(teacher.encode(["a"]), [[2, 2, 0]])


def test_loading_warns_that_it_is_a_program(folder, capfd):
    """A user who takes it for data opens his files to a stranger."""
    open_teacher(folder)
    assert "is a program" in capfd.readouterr().err
    open_teacher(folder)
    assert "is a program" not in capfd.readouterr().err


def test_the_fingerprint_follows_the_weights(folder, tmp_path):
    first = open_teacher(folder).fingerprint
    other = save(tmp_path / "other", counts, module=Letters(3.0))
    assert open_teacher(folder).fingerprint == first
    assert open_teacher(other).fingerprint != first
    assert open_teacher(folder, prefix="a").fingerprint != first


def test_one_output_of_several_is_found_by_its_name(tmp_path):
    def two(module, text):
        vector = module.counts(text)
        return {"embedding": vector, "loudness": tf.reduce_sum(vector, 1)}

    teacher = open_teacher(save(tmp_path / "two", two))
    np.testing.assert_allclose(teacher.encode(["b"]), [[0, 1, 0]], atol=1e-6)


def ambiguous(module, text):
    return {"one": module.counts(text), "two": module.counts(text)}


def no_numbers(module, text):
    return {"text": text}


def one_for_all(module, text):
    return {"vector": tf.reduce_sum(module.counts(text), axis=0)}


def of_ids(module, ids):
    return {"vector": tf.cast(ids, tf.float32)[:, None] * module.weight}


@pytest.mark.parametrize(
    ("outputs", "spec", "match"),
    [
        (ambiguous, STRINGS, r"one named embedding.*one, two"),
        (no_numbers, STRINGS, r"one output of numbers.*text"),
        (one_for_all, STRINGS, r"a tensor \(1, dim\).*shape \(3,\)"),
        (of_ids, NUMBERS, r"one input, of strings.*int64"),
    ],
)
def test_other_signatures_are_refused(tmp_path, outputs, spec, match):
    """The first output that fits by chance is taught."""
    path = save(tmp_path / "other", outputs, spec)
    with pytest.raises(BabeletError, match=rf"not from strings to vectors.*{match}"):
        open_teacher(path)


def test_a_column_of_texts_is_what_keras_exports(tmp_path):
    """A Keras model of one string a row "failed on 'a'", and nobody knew why."""

    def column(module, texts):
        return {"vector": module.counts(texts[:, 0])}

    spec = tf.TensorSpec([None, 1], tf.string, name="text")
    teacher = open_teacher(save(tmp_path / "column", column, spec))
    vectors = teacher.encode(["aa", "b"])
    np.testing.assert_allclose(vectors, [[1, 0, 0], [0, 1, 0]], atol=1e-6)


@pytest.mark.parametrize("shape", [[None, 2], [4], [], [None, 1, 1]])
def test_an_input_of_another_shape_is_told(tmp_path, shape):
    def vector(module, texts):
        return {"vector": module.counts(tf.reshape(texts, [-1]))}

    spec = tf.TensorSpec(shape, tf.string, name="text")
    path = save(tmp_path / "other", vector, spec)
    with pytest.raises(BabeletError, match=r"texts \(B,\) or \(B, 1\).*Received"):
        open_teacher(path)


def test_rows_of_another_width_are_refused(tmp_path):
    """NumPy's error about broadcasting names neither text nor model."""

    def wider(module, text):
        longest = tf.reduce_max(tf.strings.length(text))
        return {"vector": tf.ones([tf.size(text), 2 + longest])}

    teacher = open_teacher(save(tmp_path / "wider", wider))
    with pytest.raises(BabeletError, match=r"3 numbers for each text.*Received: 5"):
        teacher.encode(["abc"])


def test_missing_and_damaged_folders_are_refused(folder, tmp_path):
    with pytest.raises(BabeletError, match=r"no SavedModel at .*absent.*Remedy"):
        open_teacher(tmp_path / "absent")
    (folder / "saved_model.pb").write_bytes(b"not a graph")
    with pytest.raises(BabeletError, match=r"Cannot load the SavedModel.*Remedy"):
        open_teacher(folder)


def test_a_program_without_a_signature_is_refused(tmp_path):
    tf.saved_model.save(Letters(), str(tmp_path / "bare"))
    with pytest.raises(BabeletError, match=r"a signature serving_default.*none"):
        open_teacher(tmp_path / "bare")


def test_a_text_that_it_fails_on_is_named(tmp_path):
    def strict(module, text):
        vector = module.counts(text)
        with tf.control_dependencies([tf.debugging.assert_positive(vector)]):
            return {"vector": tf.identity(vector)}

    teacher_path = save(tmp_path / "strict", strict)
    with pytest.raises(BabeletError, match=r"failed on 'a'.*Remedy"):
        open_teacher(teacher_path)
