"""What a report says about two models: gains by language, ratios, series."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any


def gains_by_language(metrics: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Sets the student's retrieval beside its teacher's.

    Args:
        metrics: By model what `evaluate` returns; "student" is required, a model
            "teacher" may be missing.

    Returns:
        A row for each language of the student, largest gain first: `language`,
        `student` and `teacher` (as `retrieval` scores them, the teacher's or None),
        `gain` and `gain_without_near` in mean accuracy, None where not known.
    """
    ours = metrics["student"]["retrieval"]["languages"]
    theirs = _languages(metrics.get("teacher"))
    rows = []
    for language, student in ours.items():
        teacher = theirs.get(language)
        far = (student["without_near"], teacher and teacher["without_near"])
        rows.append(
            {
                "language": language,
                "student": student,
                "teacher": teacher,
                "gain": gain(student, teacher),
                "gain_without_near": gain(*far),
            }
        )
    return sorted(rows, key=lambda row: (-(row["gain"] or 0.0), row["language"]))


def gain(
    student: Mapping[str, Any] | None, teacher: Mapping[str, Any] | None
) -> float | None:
    """Returns the difference of mean accuracies, None where one is not known."""
    if not student or not teacher or None in (student["mean"], teacher["mean"]):
        return None
    return student["mean"] - teacher["mean"]


def ratio(rows: Sequence[Mapping[str, Any]] | None, key: str) -> dict[str, Any] | None:
    """Compares the teacher's first row with the student's smallest value.

    Args:
        rows: Mappings with `model` ("teacher" or "student"), `file` and `key`.
        key: "bytes" or "milliseconds".

    Returns:
        `times` (teacher over student) and the two rows, or None where one is missing.
    """
    known = [row for row in rows or () if row.get(key)]
    teachers = [row for row in known if row["model"] == "teacher"]
    students = [row for row in known if row["model"] == "student"]
    if not teachers or not students:
        return None
    student = min(students, key=lambda row: row[key])
    return {
        "times": teachers[0][key] / student[key],
        "teacher": teachers[0],
        "student": student,
    }


def curve_points(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Turns {"step": 200, "train/loss": 1.5, ...} rows into one dict per value.

    Returns:
        {"step", "name", "value"} dicts, as `Report.curves` wants them.
    """
    return [
        {"step": row["step"], "name": name, "value": value}
        for row in rows
        for name, value in row.items()
        if name != "step"
    ]


def series(points: Iterable[Mapping[str, Any]]) -> dict[str, list[tuple[float, float]]]:
    """Groups curve points by name into (step, value) lists, in order of steps."""
    grouped: dict[str, list[tuple[float, float]]] = {}
    for point in points:
        if point["value"] is not None:
            pair = (float(point["step"]), float(point["value"]))
            grouped.setdefault(point["name"], []).append(pair)
    return {name: sorted(pairs) for name, pairs in grouped.items()}


def _languages(metrics: Mapping[str, Any] | None) -> Mapping[str, Any]:
    return metrics["retrieval"]["languages"] if metrics else {}
