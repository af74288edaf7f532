"""Which output of a given classifier is which class."""

import numpy as np
import pytest

from babelet.configs.schema import TeacherConfig
from babelet.core.errors import BabeletError
from babelet.model.teachers.class_scores import ClassTeacher
from babelet.tasks.given_classifier import (
    class_names,
    load_class_teacher,
    matched,
    require_order,
)

CLASSES = ("clean", "off", "on")


class Fixed(ClassTeacher):
    """The same logits for every text."""

    fingerprint, dim = "f" * 64, 3

    def encode(self, texts):
        return np.tile(np.array([1.0, 2.0, 3.0], np.float32), (len(texts), 1))


def test_outputs_come_in_the_order_of_the_text(tmp_path):
    """Classes in the teacher's own order teach the student other names."""
    teacher = matched(Fixed(), ["on", "clean", "off"], CLASSES)
    np.testing.assert_array_equal(teacher.encode(["a"]), [[2, 3, 1]])
    other = matched(Fixed(), list(CLASSES), CLASSES)
    assert teacher.fingerprint != other.fingerprint


@pytest.mark.parametrize(
    ("names", "match"),
    [
        (["on", "off"], r"Expected: 3 names.*Received: 2: on, off.*Remedy"),
        (["on", "off", "dim"], r"missing: clean.*not in the text: dim.*Remedy"),
    ],
)
def test_other_classes_are_refused(names, match):
    """A count that fits by chance hides that a class is another."""
    with pytest.raises(BabeletError, match=match):
        matched(Fixed(), names, CLASSES)


def test_names_are_inside_the_folder_or_beside_it(tmp_path):
    """An order that is assumed is a guess that nobody sees."""
    model = tmp_path / "mine"
    model.mkdir()
    with pytest.raises(BabeletError, match=r"labels\.txt.*order of the classifier"):
        class_names(model)
    (tmp_path / "labels.txt").write_text("off\non\n")
    assert class_names(model) == ["off", "on"]
    assert class_names(tmp_path / "mine.keras") == ["off", "on"]
    (model / "labels.txt").write_text("on\noff\n")
    assert class_names(model) == ["on", "off"]


def logits_of(chosen):
    return np.eye(3, dtype=np.float32)[chosen]


def test_exchanged_names_are_seen_by_the_labels():
    """Names in a wrong order have the right count, and teach all the same."""
    labels = np.array([0, 0, 0, 1, 1, 1, 2, 2, 2])
    require_order(logits_of([0, 0, 1, 1, 1, 2, 2, 2, 0]), labels, CLASSES)
    # Bad in one class, but no other class is called that: no exchange.
    require_order(logits_of([0, 0, 0, 0, 0, 0, 2, 2, 2]), labels, CLASSES)
    exchanged = logits_of([0, 0, 0, 2, 2, 1, 1, 1, 1])
    with pytest.raises(BabeletError, match=r"another order.*on for off, off for on"):
        require_order(exchanged, labels, CLASSES)
    circle = logits_of([1, 1, 1, 2, 2, 2, 0, 0, 0])
    with pytest.raises(BabeletError, match="another order"):
        require_order(circle, labels, CLASSES)


def test_a_teacher_without_classes_is_refused():
    """An encoder's vectors taken for scores of classes are noise."""
    config = TeacherConfig(kind="packaged_e5")
    with pytest.raises(BabeletError, match=r"packaged_e5 gives no scores.*scope=all"):
        load_class_teacher(config)
    with pytest.raises(BabeletError, match=r"has to be given.*teacher\.path"):
        load_class_teacher(TeacherConfig(kind="saved_model"))
