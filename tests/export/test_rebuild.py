"""The student of a run, rebuilt: once a process, and never another one's."""

import numpy as np

from babelet.export.rebuild import rebuild_student, shared_student
from tests import run_record


def test_a_student_is_built_once_until_its_run_changes(
    make_workdir, make_student, tmp_path
):
    """Kept by the folder's name, a student trained again would be the one before."""
    workdir = make_workdir(tmp_path / "run", make_student())
    first = shared_student(workdir)
    assert shared_student(workdir).student is first.student
    changed = rebuild_student(workdir).student
    # One's own may be changed, and nobody else's changes with it.
    assert changed is not first.student
    table = changed.get_layer("embedding").tokens
    table.assign(table * 2)
    assert shared_student(workdir).student is first.student
    changed.save_weights(workdir / "student.weights.h5")
    run_record.write(workdir, first.config)
    again = shared_student(workdir).student
    assert again is not first.student
    np.testing.assert_array_equal(again.get_layer("embedding").tokens, table)


def test_two_folders_of_the_same_student_do_not_mix(
    make_workdir, make_student, tmp_path
):
    """One entry is kept: the second folder must not get the first one's files."""
    one = make_workdir(tmp_path / "one", make_student())
    two = make_workdir(tmp_path / "two", make_student("cls"))
    student = shared_student(one).student
    assert shared_student(two).student is not student
    assert shared_student(one).config == shared_student(two).config
