"""The report and model card of a classifier: figures and tables."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from babelet.evaluation import wording
from babelet.evaluation.comparison import ratio
from babelet.evaluation.heatmap import confusion_map
from babelet.evaluation.languages import name_of
from babelet.evaluation.report import write_page

# Classes that are taken for another, at most so many pairs of them are shown.
CONFUSIONS = 20


@dataclasses.dataclass(frozen=True)
class ClassificationReport:
    """All that is told about a run."""

    # `config.json` as read.
    config: Mapping[str, Any]
    # By model ("teacher", "student") what `classification` returns.
    metrics: Mapping[str, Mapping[str, Any]]
    # Which model, and what was tuned of it.
    teacher: str
    classes: Sequence[str]
    # The student's `temperature` and `threshold`.
    calibration: Mapping[str, float]
    # Of the teacher, on validation: `raw` and `calibrated`.
    teacher_calibration: Mapping[str, float]
    # By language and split: sentences.
    counts: Mapping[str, Mapping[str, int]]
    # By reason: rows that were not taken.
    rejected: Mapping[str, int]
    # By exported file: figures of its comparison with the Keras student.
    parity: Mapping[str, Mapping[str, Any]]
    # By exported file or folder: bytes.
    sizes: Mapping[str, int]
    # By model ("teacher", "student"): `file`, `parameters`, `bytes`.
    models: Sequence[Mapping[str, Any]]
    # By model: `file`, `milliseconds`; and how they were taken.
    latency: Sequence[Mapping[str, Any]]
    latency_note: str
    # What `babelet.export.gate` found; None where nothing was quantised.
    quantisation: Mapping[str, Any] | None
    command: str
    # Of both pages.
    warnings: Sequence[str] = ()
    # Further tables: `title`, `note`, `columns`, `rows`.
    tables: Sequence[Mapping[str, Any]] = ()


def write_classification_report(folder: Path, report: ClassificationReport) -> None:
    """Writes report.html, which needs no network, and MODEL_CARD.md.

    Raises:
        BabeletError: A file cannot be written.
    """
    facts = {
        "name": report.config["name"],
        "kind": "a small multilingual classifier",
        "licence": report.config.get("licence", ""),
        "lead": _lead(report),
        "figures": _figures(report),
        "warnings": report.warnings,
        "tables": [
            _languages(report),
            *report.tables,
            _confusions(report),
            _matrix(report),
            _classes(report),
            _counts(report),
            *_latency(report),
            *_precision(report),
            _parity(report),
            _sizes(report),
        ],
        "command": report.command,
        "config_text": wording.settings(report.config),
    }
    write_page(folder / "report.html", "tables.html.jinja", facts)
    short = facts | {"tables": [facts["tables"][0], *report.tables]}
    write_page(folder / "MODEL_CARD.md", "tables.md.jinja", short)


def _lead(report: ClassificationReport) -> str:
    labels = report.config["labels"]["setting"].replace("_", "-")
    return (
        f"A small classifier of short texts into {len(report.classes)} classes, in "
        f"{len(report.counts)} languages, distilled from a large one "
        f"({report.teacher}). Labels: {labels}."
    )


def _figures(report: ClassificationReport) -> list[dict[str, str]]:
    teacher, student = report.metrics["teacher"], report.metrics["student"]
    rows = [
        (title, wording.percent(student["mean"][key]), teacher["mean"][key])
        for title, key in (("Accuracy", "accuracy"), ("Macro-F1", "macro_f1"))
    ]
    figures = [
        {
            "title": title,
            "value": value,
            "unit": "%",
            "note": f"mean over languages; teacher {wording.percent(other)} %",
        }
        for title, value, other in rows
    ]
    raw, fitted = (report.teacher_calibration[k] for k in ("raw", "calibrated"))
    figures.append(
        {
            "title": "Calibration error",
            "value": wording.percent(student["calibration_error"]),
            "unit": "%",
            "note": f"teacher {wording.percent(teacher['calibration_error'])} %; on "
            f"validation {wording.percent(raw)} % before its temperature was fitted, "
            f"{wording.percent(fitted)} % after",
        }
    )
    figures.append(
        {
            "title": "Refused as of no known class",
            "value": wording.percent(student["refused"]),
            "unit": "%",
            "note": f"score below {report.calibration['threshold']:.2f}; of the rest "
            f"{wording.percent(student['accepted_accuracy'])} % are right",
        }
    )
    return figures + _smaller_and_faster(report)


def _smaller_and_faster(report: ClassificationReport) -> list[dict[str, str]]:
    """Returns how many times smaller and faster than its teacher, where measured."""
    figures = []
    for title, unit, rows, key, shown in (
        ("Size", "× smaller", report.models, "bytes", wording.size),
        ("Latency", "× faster", report.latency, "milliseconds", _milliseconds),
    ):
        found = ratio(rows, key)
        # A rule is smaller and faster than any student of it.
        if found and found["times"] > 1:
            student, teacher = found["student"], found["teacher"]
            figures.append(
                {
                    "title": title,
                    "value": wording.decimal(found["times"], 1),
                    "unit": unit,
                    "note": f"{student['file']} {shown(student[key])}, "
                    f"teacher's {teacher['file']} {shown(teacher[key])}",
                }
            )
    return figures


def _milliseconds(value: float) -> str:
    return f"{value:.2f} ms"


def _languages(report: ClassificationReport) -> dict[str, Any]:
    teacher = report.metrics["teacher"]["languages"]
    student = report.metrics["student"]["languages"]
    rows = [
        [
            f"{name_of(language)} ({language})",
            wording.count(row["count"]),
            *(
                wording.percent(model[language][key])
                for key in ("accuracy", "macro_f1")
                for model in (teacher, student)
            ),
            wording.points(row["accuracy"] - teacher[language]["accuracy"]),
        ]
        for language, row in student.items()
    ]
    means = [
        wording.percent(report.metrics[model]["mean"][key])
        for key in ("accuracy", "macro_f1")
        for model in ("teacher", "student")
    ]
    rows.append(["mean", "", *means, ""])
    return {
        "title": "By language",
        "note": "Held-out sentences, of templates that no training sentence is from. "
        "Percent.",
        "columns": [
            "language",
            "sentences",
            "teacher, accuracy",
            "student, accuracy",
            "teacher, macro-F1",
            "student, macro-F1",
            "accuracy gained",
        ],
        "rows": rows,
    }


def _confusions(report: ClassificationReport) -> dict[str, Any]:
    matrix = report.metrics["student"]["confusion"]
    wrong = [
        (count, report.classes[i], report.classes[j])
        for i, row in enumerate(matrix)
        for j, count in enumerate(row)
        if i != j and count
    ]
    wrong.sort(key=lambda item: (-item[0], item[1:]))
    return {
        "title": "What is taken for what",
        "note": f"The student's {min(CONFUSIONS, len(wrong))} most common mistakes.",
        "columns": ["class", "taken for", "sentences"],
        "rows": [[true, chosen, n] for n, true, chosen in wrong[:CONFUSIONS]],
    }


def _matrix(report: ClassificationReport) -> dict[str, Any]:
    return {
        "title": "Confusion matrix",
        "note": "Rows are the true classes, columns those the student chose, by "
        "number; the darker, the larger the share of the row. Counts show on hover.",
        "chart": confusion_map(report.metrics["student"]["confusion"], report.classes),
        "columns": [],
        "rows": [],
    }


def _classes(report: ClassificationReport) -> dict[str, Any]:
    teacher, student = (report.metrics[k]["f1"] for k in ("teacher", "student"))
    return {
        "title": "By class",
        "note": "F1 over the sentences of all languages. Percent.",
        "columns": ["class", "teacher", "student"],
        "rows": [
            [name, wording.percent(teacher[name]), wording.percent(student[name])]
            for name in report.classes
        ],
    }


def _counts(report: ClassificationReport) -> dict[str, Any]:
    rejected = ", ".join(f"{name} {n:,}" for name, n in report.rejected.items())
    return {
        "title": "Sentences",
        "note": f"Left out: {rejected or 'none'}.",
        "columns": ["language", "train", "validation", "test"],
        "rows": [
            [f"{name_of(language)} ({language})", *map(wording.count, row.values())]
            for language, row in report.counts.items()
        ],
    }


def _latency(report: ClassificationReport) -> list[dict[str, Any]]:
    rows = [
        [row["file"], row["model"], wording.decimal(row["milliseconds"], 2)]
        for row in report.latency
    ]
    if not rows:
        return []
    columns = ["file", "model", "ms"]
    note = report.latency_note
    return [{"title": "Latency", "note": note, "columns": columns, "rows": rows}]


def _precision(report: ClassificationReport) -> list[dict[str, Any]]:
    found = report.quantisation
    if not found:
        return []
    return [
        {
            "title": "Precision",
            "note": "The student in each precision against the student in float32, on "
            f"{found['texts']} test sentences. A quantised file with other answers is "
            "not written.",
            "columns": [
                "precision",
                "size",
                "ms",
                "same answer, %",
                "largest difference of a score",
                "written",
            ],
            "rows": [
                [
                    tier,
                    wording.size(row.get("bytes")),
                    wording.decimal(row.get("median_ms"), 2),
                    wording.percent(row["same_answer"]),
                    wording.decimal(row["max_difference"], 4),
                    wording.figure(row["kept"])
                    + ", by force" * bool(row["kept"] and row["failures"]),
                ]
                for tier, row in found["tiers"].items()
            ],
        }
    ]


def _sizes(report: ClassificationReport) -> dict[str, Any]:
    rows = [[name, wording.size(size)] for name, size in report.sizes.items()]
    teacher = [row for row in report.models if row["model"] == "teacher"]
    rows += [[f"teacher, {r['file']}", wording.size(r["bytes"])] for r in teacher]
    return {
        "title": "Sizes",
        "note": "SavedModel and files for text have the tokenizer inside.",
        "columns": ["file", "size"],
        "rows": rows,
    }


def _parity(report: ClassificationReport) -> dict[str, Any]:
    return {
        "title": "Exported files",
        "note": "Each, loaded in a new process, against the Keras student in float32.",
        "columns": ["file", "same answer, %", "largest difference of a score"],
        "rows": [
            [
                name,
                wording.percent(row["same_answer"]),
                wording.decimal(row["max_difference"], 4),
            ]
            for name, row in report.parity.items()
        ],
    }
