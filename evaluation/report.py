"""The report of a run as one self-contained page, and its model card."""

import dataclasses
import functools
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2

from babelet.core.atomic import atomic_path
from babelet.evaluation import charts, comparison, scatter, translation_map, wording
from babelet.evaluation.evaluate import headline
from babelet.evaluation.languages import name_of

TEMPLATES = Path(__file__).parent / "templates"

# What a reader must know before comparing a student with its teacher.
TEACHER_NOTES = {
    "packaged_e5": "The teacher, multilingual-e5-small, is a general-purpose model, "
    "read from 4-bit weights. The student was trained on text of this one domain and "
    "is measured on it: being above the teacher here says nothing about other text, "
    "where the teacher may well be better.",
    "packaged_minilm": "The teacher, all-MiniLM-L6-v2, was trained on English alone: "
    "across languages it is no rival but shows where the student started. The student "
    "was trained on text of this one domain and is measured on it.",
}
OTHER_TEACHER = (
    "The teacher is used as it is, without training on this domain; the student was "
    "trained on it and is measured on it. Being above the teacher here says nothing "
    "about other text."
)
SPLITS = ("train", "validation", "test")


@dataclasses.dataclass(frozen=True)
class Report:
    """All that is told about a run. A part that is None is said to be missing."""

    # `config.json` and `manifest.json` as read: the manifest has `seed`, `versions`,
    # `steps` (by name: `seconds`, `inputs`), optionally `hashes` by name.
    config: Mapping[str, Any]
    manifest: Mapping[str, Any] | None = None
    # By language and split (0, 1, 2 or train, validation, test): pairs.
    counts: Mapping[str, Mapping[Any, int]] | None = None
    # The same of sentences without a translation.
    monolingual: Mapping[str, Mapping[str, int]] | None = None
    # By reason: rows that cleaning rejected.
    rejected: Mapping[str, int] | None = None
    # Rows of `language`, `sentences`, `tokens_per_word_before` and `_after`,
    # `unknown_rate_before` and `_after`, `agreement`.
    vocabulary: Sequence[Mapping[str, Any]] | None = None
    # Rows of `model` ("teacher" or "student"), `file`, `parameters`, `bytes`.
    sizes: Sequence[Mapping[str, Any]] | None = None
    # Rows of `model`, `file`, `milliseconds`; and in words, how they were taken.
    latency: Sequence[Mapping[str, Any]] | None = None
    latency_note: str = ""
    # By model ("teacher", "student", then any others) what `evaluate` returns.
    metrics: Mapping[str, Mapping[str, Any]] | None = None
    # {"step", "name", "value"}: names train/<term>, validation/<metric>,
    # validation/<metric>/<language>, and for the teacher's line teacher/<metric>,
    # teacher/<metric>/<language>.
    curves: Sequence[Mapping[str, Any]] | None = None
    # {"pair", "language", "text", "x", "y"}, the pivot first in its pair; with
    # `model`, one map for each model.
    map_points: Sequence[Mapping[str, Any]] | None = None
    # By exported file: figures of its comparison with the Keras student.
    parity: Mapping[str, Mapping[str, Any]] | None = None
    # What `babelet.export.gate` found: `metrics` of the float student, `gate`,
    # `texts`, and by name the `tiers`.
    quantisation: Mapping[str, Any] | None = None
    # Further measurements: `title`, `note`, `columns`, `rows`.
    tables: Sequence[Mapping[str, Any]] = ()
    # The command that made the run; empty: the one that repeats it.
    command: str = ""


def write_report(path: Path, report: Report) -> None:
    """Writes one HTML file that needs no network and no JavaScript.

    Raises:
        BabeletError: The file cannot be written.
    """
    _write(path, "report.html.jinja", report)


def write_model_card(path: Path, report: Report) -> None:
    """Writes the model card in Markdown.

    Raises:
        BabeletError: The file cannot be written.
    """
    _write(path, "model_card.md.jinja", report)


def _write(path: Path, template: str, report: Report) -> None:
    write_page(path, template, _facts(report))


def write_page(path: Path, template: str, facts: Mapping[str, Any]) -> None:
    """Writes a template of this folder, filled with `facts`.

    Raises:
        BabeletError: The file cannot be written.
    """
    text = _environment().get_template(template).render(facts)
    with atomic_path(path) as file:
        file.write_text(text, encoding="utf-8")


@functools.cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=lambda name: bool(name) and ".html" in name,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "percent": wording.percent,
        "points": wording.points,
        "decimal": wording.decimal,
        "size": wording.size,
        "duration": wording.duration,
        "count": wording.count,
        "cell": wording.cell,
        "language": name_of,
        "figure": wording.figure,
        "aligned": wording.aligned,
        "title": lambda name: str(name).replace("_", " "),
    }
    environment.globals |= {
        "bars": charts.bars,
        "line_chart": charts.line_chart,
        "scatter": scatter.scatter,
        "translation_map": translation_map.translation_map,
        "hue": translation_map.hue,
    }
    return environment


def _facts(report: Report) -> dict[str, Any]:
    metrics = report.metrics or {}
    curves = comparison.series(report.curves or ())
    gains = comparison.gains_by_language(metrics) if "student" in metrics else []
    by_language = _by_language(curves)
    name = report.config.get("name", "student")
    kind = report.config.get("teacher", {}).get("kind")
    return {
        "report": report,
        "name": name,
        "config": report.config,
        "config_text": wording.settings(report.config),
        "command": report.command
        or f"babelet distill --config=config.json --workdir=runs/{name}",
        "teacher_note": TEACHER_NOTES.get(kind, OTHER_TEACHER),
        "manifest": report.manifest or {},
        "metrics": metrics,
        "teacher": metrics.get("teacher"),
        "student": metrics.get("student"),
        "gains": gains,
        "gained": [row for row in gains if row["gain"] is not None],
        "smaller": comparison.ratio(report.sizes, "bytes"),
        "faster": comparison.ratio(report.latency, "milliseconds"),
        "counts": _counts(report.counts),
        "splits": SPLITS,
        "curves": dict(sorted(curves.items(), key=lambda item: _curve_order(item[0]))),
        "by_language": by_language,
        "span": _span(by_language),
        "maps": _maps(report.map_points),
        "tier_points": _tier_points(report.quantisation),
    }


def _counts(counts: Mapping[str, Mapping[Any, int]] | None) -> list[dict[str, Any]]:
    names = {str(i): name for i, name in enumerate(SPLITS)}
    rows = []
    for language, by_split in (counts or {}).items():
        row: dict[str, Any] = dict.fromkeys(SPLITS, 0)
        row |= {names.get(str(key), str(key)): n for key, n in by_split.items()}
        rows.append(row | {"language": language})
    return sorted(rows, key=lambda row: (-row["train"], row["language"]))


def _by_language(curves: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Returns the validation curves of single languages, with the teacher's score."""
    rows = []
    for name, line in sorted(curves.items()):
        kind, _, metric = name.partition("/")
        if kind == "validation" and "/" in metric:
            teacher = curves.get(f"teacher/{metric}")
            reference = teacher[-1][1] if teacher else None
            language = metric.rpartition("/")[2]
            rows.append({"language": language, "line": line, "reference": reference})
    return rows


def _curve_order(name: str) -> tuple[bool, bool, bool]:
    """Validation before training, the learning rate and the speed last."""
    late = name.endswith(("learning_rate", "per_second"))
    return (late, not name.startswith("validation/"), name != "train/loss")


def _span(rows: Sequence[Mapping[str, Any]]) -> tuple[float, float] | None:
    values = [y for row in rows for _, y in row["line"] if math.isfinite(y)]
    values += [row["reference"] for row in rows if row["reference"] is not None]
    return (min(values), max(values)) if values else None


def _tier_points(quantisation: Mapping[str, Any] | None) -> list[scatter.Point]:
    points = []
    for tier, row in (quantisation or {"tiers": {}})["tiers"].items():
        quality = headline(row["metrics"])
        if quality is not None:
            figures = (row["median_ms"], quality, row["bytes"], row["kept"])
            points.append(scatter.Point(tier, *figures))
    return points


def _maps(points: Sequence[Mapping[str, Any]] | None) -> dict[str, list]:
    maps: dict[str, list] = {}
    for point in points or ():
        maps.setdefault(point.get("model", "student"), []).append(point)
    return maps
