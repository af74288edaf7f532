"""Teachers: from strings to unit vectors, one file per kind."""

from model.teachers import packaged_e5
from model.teachers.base import TeacherKind

TEACHERS: dict[str, TeacherKind] = {
    "packaged_e5": TeacherKind(packaged_e5.load, packaged_e5.WHEEL),
}
