"""SavedModels from strings to class scores as teachers."""

import numpy as np
import pytest
import tensorflow as tf

from babelet.configs.schema import TeacherConfig
from babelet.core.errors import BabeletError
from babelet.model.teachers.saved_model_classifier import load
from tests.classifier_writer import save_keywords

# For each class its words.
WORDS = [["on", "ein"], ["off", "aus"], ["where"]]
TEXTS = ["turn it off now please", "on", "where is it", "schalte es aus"]
LOGITS = np.array([[-1, 3, -1], [3, -1, -1], [-1, -1, 3], [-1, 3, -1]])


def open_teacher(path, **settings):
    return load(TeacherConfig(kind="saved_model", path=str(path), **settings), path)


def logits(found):
    return {"output_0": found}


def both(found):
    return {"scores": tf.nn.softmax(found), "logits": found}


@pytest.mark.parametrize("outputs", [None, logits, both])
def test_scores_and_logits_say_the_same(tmp_path, outputs):
    """Probabilities taken for logits teach that all classes are nearly alike."""
    path = save_keywords(tmp_path / "rule", WORDS, outputs)
    teacher = open_teacher(path, tokens_per_batch=4)
    got = teacher.encode(TEXTS)
    shift = got - LOGITS
    np.testing.assert_allclose(shift, shift[:, :1].repeat(3, axis=1), atol=1e-5)
    assert teacher.dim == 3 and teacher.parameters == 1


def test_loading_warns_that_it_is_a_program(tmp_path, capfd):
    """A user who takes it for data opens his files to a stranger."""
    open_teacher(save_keywords(tmp_path / "rule", WORDS))
    assert "is a program" in capfd.readouterr().err


def test_a_score_of_zero_has_a_logit(tmp_path):
    """The logarithm of 0 is not finite, and ends the training that meets it."""
    teacher = open_teacher(save_keywords(tmp_path / "sure", WORDS, strength=400.0))
    got = teacher.encode(["on"])
    assert np.isfinite(got).all() and got.argmax() == 0


def sigmoid(found):
    return {"scores": tf.sigmoid(found)}


def two(found):
    return {"one": found, "two": found}


@pytest.mark.parametrize(
    ("outputs", "match"),
    [
        (sigmoid, r"one class among several.*that sum to.*an output named logits"),
        (two, r"one named logits or scores.*one, two"),
    ],
)
def test_other_outputs_are_refused(tmp_path, outputs, match):
    """The first output that fits by chance is taught."""
    path = save_keywords(tmp_path / "rule", WORDS, outputs)
    with pytest.raises(BabeletError, match=match):
        open_teacher(path)


def test_the_fingerprint_follows_the_weights(tmp_path):
    first = open_teacher(save_keywords(tmp_path / "a", WORDS)).fingerprint
    other = open_teacher(save_keywords(tmp_path / "b", WORDS, strength=2.0))
    assert open_teacher(tmp_path / "a").fingerprint == first != other.fingerprint
