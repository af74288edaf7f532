"""Class scores from files as teachers."""

import numpy as np
import pytest

from babelet.configs.schema import TeacherConfig
from babelet.core.errors import BabeletError
from babelet.model.teachers.scores import load

TEXTS = ["on", "off", "where is it"]
LOGITS = np.array([[2, -1, 0], [0, 3, -2], [-1, 0, 1]], np.float32)


def write(path, scores, texts=TEXTS):
    np.save(path, scores)
    path.with_suffix(".txt").write_text("".join(f"{text}\n" for text in texts))
    return path


def open_teacher(path, **settings):
    return load(TeacherConfig(kind="scores", path=str(path), **settings), path)


def test_each_text_has_its_row(tmp_path):
    """Rows found by place instead of by text teach other sentences' classes."""
    teacher = open_teacher(write(tmp_path / "s.npy", LOGITS))
    np.testing.assert_array_equal(teacher.encode(TEXTS[::-1]), LOGITS[::-1])
    assert teacher.dim == 3


def test_probabilities_become_logits(tmp_path):
    """Probabilities taken for logits teach that all classes are nearly alike."""
    scores = np.exp(LOGITS) / np.exp(LOGITS).sum(axis=1, keepdims=True)
    teacher = open_teacher(write(tmp_path / "s.npy", scores))
    np.testing.assert_allclose(np.exp(teacher.encode(TEXTS)), scores, rtol=1e-5)
    assert open_teacher(write(tmp_path / "l.npy", LOGITS)).fingerprint != (
        teacher.fingerprint
    )


def test_what_is_missing_is_listed(tmp_path):
    """One sentence that is missing would end the run an hour later."""
    teacher = open_teacher(write(tmp_path / "s.npy", LOGITS))
    with pytest.raises(BabeletError, match=r"none for 'dim'.*s\.missing\.txt"):
        teacher.require(["on", "dim"])
    assert (tmp_path / "s.missing.txt").read_text() == "dim\n"


def test_independent_scores_are_refused(tmp_path):
    with pytest.raises(BabeletError, match="one class among several"):
        open_teacher(write(tmp_path / "s.npy", np.full((3, 3), 0.9, np.float32)))
