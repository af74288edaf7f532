"""Gathers what a finished run left, for its report and model card."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from babelet.core.run_files import read_json
from babelet.data.splits import SPLITS, TEST
from babelet.evaluation.comparison import curve_points
from babelet.evaluation.projection import pca_map
from babelet.evaluation.report import Report, write_model_card, write_report
from babelet.evaluation.retrieval import RetrievalSet, mean_over_languages
from babelet.evaluation.wording import decimal, repeat
from babelet.export.predict import keras_predict
from babelet.export.rebuild import shared_student
from babelet.training import measured
from babelet.training.workdir import Workdir

# Sentences shown in the map with all their translations.
MAP_SENTENCES = 10


def log_teacher(logs: Path, result: dict[str, Any], steps: int) -> None:
    """Draws the teacher's validation scores as lines beside the student's.

    Args:
        logs: TensorBoard folder of the run.
        result: What `evaluation.retrieval.retrieval` returned for the teacher.
        steps: Length of the lines.
    """
    scores = {f"retrieval/{name}": row["mean"] for name, row in result.items()}
    if result:
        scores["retrieval"] = mean_over_languages(result)["mean"]
    writer = tf.summary.create_file_writer(str(logs / "teacher"))
    with writer.as_default():
        for name, value in scores.items():
            for step in (0, steps):
                tf.summary.scalar(f"validation/{name}", value, step=step)
    writer.close()
    with (logs / "teacher.json").open("w") as file:
        json.dump(scores, file)


def report(workdir: Workdir, task: Any) -> dict:
    """Writes report.html and MODEL_CARD.md; returns facts for the manifest."""
    with measured.reporting(workdir.path):
        return _report(workdir, task)


def _report(workdir: Workdir, task: Any) -> dict:
    path, steps = workdir.path, workdir.manifest["steps"]
    latency, note = measured.latency(path)
    content = Report(
        config=read_json(path / "config.json"),
        manifest=workdir.manifest,
        counts=task.text.corpus.counts(),
        monolingual=task.text.corpus.report.monolingual,
        rejected=steps["corpus"]["facts"]["rejected"],
        vocabulary=task.coverage.rows(),
        sizes=measured.sizes(
            path,
            task.encoder.model.parameters,
            steps["training"]["facts"]["parameters"],
        ),
        latency=latency,
        latency_note=note,
        metrics=read_json(path / "metrics.json"),
        curves=_curves(workdir),
        map_points=_map(workdir, task),
        parity=measured.parity(path)["artefacts"],
        quantisation=measured.quantisation(path),
        tables=_tables(workdir),
        command=repeat(path),
    )
    write_report(path / "report.html", content)
    write_model_card(path / "MODEL_CARD.md", content)
    return {"latency_ms": {row["file"]: row["milliseconds"] for row in latency}}


def measurements(path: Path) -> dict[str, str]:
    """Returns the text of what benchmarks left in a workdir, for the report."""
    return measured.measurements(path, "baseline/table.json")


def _tables(workdir: Workdir) -> list[dict]:
    """Returns time and memory by step, and the baseline table where there is one."""
    steps = workdir.manifest["steps"]
    done = [
        [name, f"{row['seconds']:.0f}", f"{row['peak_gb']:.2f}"]
        for name, row in steps.items()
    ]
    tables = [
        {
            "title": "Time and memory",
            "note": "Peak memory is the largest of this process so far.",
            "columns": ["step", "seconds", "peak GB"],
            "rows": done,
        }
    ]
    tables += measured.onnx_runtime(workdir.path)
    alone = steps["corpus"]["facts"].get("monolingual")
    if alone:
        tables.append(
            _alone(alone, read_json(workdir.path / "metrics.json")["student"])
        )
    file = workdir.path / "baseline" / "table.json"
    if file.is_file():
        rows = read_json(file)
        columns = list(dict.fromkeys(name for row in rows.values() for name in row))
        tables.append(
            {
                "title": "What the teacher is worth",
                "note": "Same pairs, vocabulary and steps; alpha is the share of the "
                "hard label, and with alpha 1 no teacher is used. Percent, mean over "
                "seeds and their standard deviation.",
                "columns": ["variant", *columns],
                "rows": [
                    [name, *(_figure(row.get(column)) for column in columns)]
                    for name, row in rows.items()
                ],
            }
        )
    return tables


def _alone(counts: dict[str, dict[str, int]], student: dict) -> dict:
    """Returns the table of sentences without a translation."""
    agreement = (student.get("agreement_alone") or {"languages": {}})["languages"]
    return {
        "title": "Text without translations",
        "note": "Sentences by split; agreement is the rank correlation of the "
        "student's similarities with the teacher's over all pairs of test sentences, "
        "in languages without pairs.",
        "columns": ["language", *SPLITS, "agreement"],
        "rows": [
            [name, *(row[split] for split in SPLITS), decimal(agreement.get(name))]
            for name, row in counts.items()
        ],
    }


def _figure(value: dict | None) -> str:
    if value is None:
        return "–"
    spread = f" ± {value['spread']:.1f}" if value["spread"] is not None else ""
    return f"{value['mean']:.1f}{spread}"


def _curves(workdir: Workdir) -> list[dict]:
    points = curve_points(workdir.manifest["steps"]["training"]["facts"]["curve"])
    steps = (0, workdir.config.training.steps)
    teacher = read_json(workdir.path / "logs" / "teacher.json")
    named = {f"teacher/{name}": value for name, value in teacher.items()}
    return points + curve_points({"step": step} | named for step in steps)


def _map(workdir: Workdir, task: Any) -> list[dict]:
    sets = task.text.held_out(TEST, workdir.config.evaluation.pairs_per_language)
    rows = _most_translated(sets, task.text.corpus.languages[0])
    if not rows:
        return []
    rebuilt = shared_student(workdir.path)
    texts = [row["text"] for row in rows]
    models = {
        "teacher": task.encoder.cache.encode,
        "student": keras_predict(rebuilt.student, rebuilt.tokenizer),
    }
    points = []
    for model, predict in models.items():
        places = pca_map(np.asarray(predict(texts)))
        points += [
            row | {"model": model, "x": float(x), "y": float(y)}
            for row, (x, y) in zip(rows, places, strict=True)
        ]
    return points


def _most_translated(sets: list[RetrievalSet], pivot: str) -> list[dict]:
    """Returns rows of the sentences that the most languages have, pivot first."""
    found: dict[str, dict[str, str]] = {}
    for group in sets:
        for source, text in zip(group.pivot_texts, group.texts, strict=True):
            found.setdefault(source, {})[group.language] = text
    # Longer sentences first among equals: they say more on a map.
    most = sorted(found, key=lambda text: (-len(found[text]), -len(text), text))
    rows = []
    for pair, source in enumerate(most[:MAP_SENTENCES]):
        rows.append({"pair": pair, "language": pivot, "text": source})
        rows += [
            {"pair": pair, "language": language, "text": text}
            for language, text in found[source].items()
        ]
    return rows
