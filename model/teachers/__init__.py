"""Teachers: from strings to unit vectors, or to class scores, one file per kind."""

from babelet.model.teachers import (
    kerashub,
    kerashub_classifier,
    packaged_e5,
    packaged_minilm,
    saved_model,
    saved_model_classifier,
    scores,
    vectors,
)
from babelet.model.teachers.base import TeacherKind

TEACHERS: dict[str, TeacherKind] = {
    "packaged_e5": TeacherKind(packaged_e5.load, packaged_e5.WHEEL),
    "packaged_minilm": TeacherKind(packaged_minilm.load, packaged_minilm.WHEEL),
    "kerashub": TeacherKind(kerashub.load),
    "saved_model": TeacherKind(saved_model.load),
    "vectors": TeacherKind(vectors.load),
}
# Those that know the classes already: `tuning.scope=none`.
CLASSIFIERS: dict[str, TeacherKind] = {
    "kerashub": TeacherKind(kerashub_classifier.load),
    "saved_model": TeacherKind(saved_model_classifier.load),
    "scores": TeacherKind(scores.load),
}
