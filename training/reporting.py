"""Gathers what a finished run left, for its report and model card."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from data.splits import TEST
from evaluation.projection import pca_map
from evaluation.report import Report, write_model_card, write_report
from evaluation.retrieval import RetrievalSet, mean_over_languages
from export.latency import measure_latency
from export.rebuild import rebuild_student
from tasks.embedding import student_predict
from training.preparation import Preparation
from training.workdir import Workdir

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
    scores["retrieval"] = mean_over_languages(result)["mean"]
    writer = tf.summary.create_file_writer(str(logs / "teacher"))
    with writer.as_default():
        for name, value in scores.items():
            for step in (0, steps):
                tf.summary.scalar(f"validation/{name}", value, step=step)
    writer.close()
    with (logs / "teacher.json").open("w") as file:
        json.dump(scores, file)


def report(workdir: Workdir, preparation: Preparation) -> dict:
    """Writes report.html and MODEL_CARD.md; returns facts for the manifest."""
    path, steps = workdir.path, workdir.manifest["steps"]
    parity = json.loads((path / "export" / "parity.json").read_text())
    files = sorted((path / "export").glob("student_*.tflite"))
    latency = measure_latency({file.name: file for file in files})["models"]
    rows = [
        {"model": "student", "file": name, "milliseconds": row["median_ms"]}
        for name, row in latency.items()
    ]
    content = Report(
        config=json.loads((path / "config.json").read_text()),
        manifest=workdir.manifest,
        counts=preparation.corpus.counts(),
        rejected=steps["corpus"]["facts"]["rejected"],
        vocabulary=preparation.coverage(),
        sizes=_sizes(workdir, preparation),
        latency=rows,
        latency_note="LiteRT, batch 1, 16 tokens, one thread, XNNPACK on.",
        metrics=json.loads((path / "metrics.json").read_text()),
        curves=_curves(workdir),
        map_points=_map(workdir, preparation),
        parity=parity["artefacts"],
        command=f"python -m training.distill --config={path}/config.json "
        f"--workdir={path}",
    )
    write_report(path / "report.html", content)
    write_model_card(path / "MODEL_CARD.md", content)
    return {"latency_ms": {row["file"]: row["milliseconds"] for row in rows}}


def _sizes(workdir: Workdir, preparation: Preparation) -> list[dict]:
    parameters = workdir.manifest["steps"]["training"]["facts"]["parameters"]
    teacher = preparation.teacher.backbone.count_params()
    rows = [
        {
            "model": "teacher",
            "file": "weights as float32",
            "parameters": teacher,
            "bytes": 4 * teacher,
        }
    ]
    for file in sorted((workdir.path / "export").glob("student_*.tflite")):
        rows.append(
            {
                "model": "student",
                "file": file.name,
                "parameters": parameters,
                "bytes": file.stat().st_size,
            }
        )
    return rows


def _curves(workdir: Workdir) -> list[dict]:
    facts = workdir.manifest["steps"]["training"]["facts"]
    points = []
    for row in facts["curve"]:
        step = row["step"]
        points += [
            {"step": step, "name": name, "value": value}
            for name, value in row.items()
            if name != "step"
        ]
    teacher = json.loads((workdir.path / "logs" / "teacher.json").read_text())
    for name, value in teacher.items():
        for step in (0, workdir.config.training.steps):
            points.append({"step": step, "name": f"teacher/{name}", "value": value})
    return points


def _map(workdir: Workdir, preparation: Preparation) -> list[dict]:
    sets = preparation.held_out(TEST, workdir.config.evaluation.pairs_per_language)
    rows = _most_translated(sets, preparation.corpus.languages[0])
    rebuilt = rebuild_student(workdir.path)
    texts = [row["text"] for row in rows]
    models = {
        "teacher": preparation.cache.encode,
        "student": student_predict(rebuilt.student, rebuilt.tokenizer),
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
