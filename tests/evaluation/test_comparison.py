import pytest

from babelet.evaluation.comparison import (
    curve_points,
    gain,
    gains_by_language,
    ratio,
    series,
)


def scores(mean, near=None):
    part = {"to_pivot": mean, "from_pivot": mean, "mean": mean, "count": 10}
    return part | {"without_near": near and scores(near)}


def metrics(**languages):
    return {"retrieval": {"languages": languages}}


def test_the_largest_gain_comes_first():
    """Prevents the losses from hiding in the middle of a table."""
    rows = gains_by_language(
        {
            "teacher": metrics(de=scores(0.8), fi=scores(0.6), it=scores(0.9)),
            "student": metrics(de=scores(0.85), fi=scores(0.9), it=scores(0.88)),
        }
    )
    assert [row["language"] for row in rows] == ["fi", "de", "it"]
    assert [row["gain"] for row in rows] == pytest.approx([0.3, 0.05, -0.02])


def test_a_language_the_teacher_lacks_has_no_gain():
    """Prevents an unmeasured teacher from counting as a teacher at zero."""
    (row,) = gains_by_language({"student": metrics(de=scores(0.8, near=0.7))})
    assert (row["teacher"], row["gain"], row["gain_without_near"]) == (None,) * 3
    assert gain(scores(0.8), scores(None)) is None


def test_ratio_names_what_was_compared():
    """Prevents an unnamed pair of files from making the headline."""
    rows = [
        {"model": "teacher", "file": "teacher_fp32.tflite", "bytes": 470},
        {"model": "student", "file": "student_fp32.tflite", "bytes": 94},
        {"model": "student", "file": "student_int8.tflite", "bytes": 23.5},
    ]
    compared = ratio(rows, "bytes")
    assert compared["times"] == 20
    assert compared["student"]["file"] == "student_int8.tflite"
    assert ratio(rows[:1], "bytes") is None
    assert ratio(None, "bytes") is None


def test_curves_survive_the_way_from_rows_to_lines():
    """Prevents a resumed run's unordered rows from being drawn back and forth."""
    rows = [
        {"step": 20, "train/loss": 1.0, "validation/retrieval": 0.9},
        {"step": 10, "train/loss": 2.0},
    ]
    assert series(curve_points(rows)) == {
        "train/loss": [(10.0, 2.0), (20.0, 1.0)],
        "validation/retrieval": [(20.0, 0.9)],
    }
