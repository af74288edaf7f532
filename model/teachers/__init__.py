"""Teachers: from strings to unit vectors, one file per kind."""

from model.teachers import (
    kerashub,
    packaged_e5,
    packaged_minilm,
    saved_model,
    vectors,
)
from model.teachers.base import TeacherKind

TEACHERS: dict[str, TeacherKind] = {
    "packaged_e5": TeacherKind(packaged_e5.load, packaged_e5.WHEEL),
    "packaged_minilm": TeacherKind(packaged_minilm.load, packaged_minilm.WHEEL),
    "kerashub": TeacherKind(kerashub.load),
    "saved_model": TeacherKind(saved_model.load),
    "vectors": TeacherKind(vectors.load),
}
