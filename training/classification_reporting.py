"""Gathers what a finished run of classification left, for its report."""

from pathlib import Path
from typing import Any

from babelet.configs.classification import ClassificationConfig
from babelet.core.run_files import read_json
from babelet.data.label_visibility import visibility_warnings
from babelet.data.labelled_corpus import class_warnings
from babelet.evaluation.classification_report import (
    ClassificationReport,
    write_classification_report,
)
from babelet.evaluation.wording import repeat
from babelet.tasks.exported import read_calibration
from babelet.training import measured
from babelet.training.workdir import Workdir

# What `benchmarks.transfer` leaves in the run's folder.
TRANSFER = "transfer/tables.json"


def report(workdir: Workdir, task: Any) -> dict:
    """Writes report.html and MODEL_CARD.md; returns facts for the manifest."""
    with measured.reporting(workdir.path):
        return _report(workdir, task)


def _report(workdir: Workdir, task: Any) -> dict:
    path, steps = workdir.path, workdir.manifest["steps"]
    corpus = task.text.corpus
    warnings = class_warnings(corpus.report)
    warnings += visibility_warnings(corpus, task.text.visible)
    transfer, parity = path / TRANSFER, measured.parity(path)
    latency, note = measured.latency(path)
    tables = read_json(transfer, kind=list) if transfer.is_file() else []
    content = ClassificationReport(
        config=read_json(path / "config.json"),
        metrics=read_json(path / "metrics.json"),
        teacher=_teacher(workdir.config),
        classes=corpus.classes,
        calibration=read_calibration(path),
        teacher_calibration=steps["teacher"]["facts"]["calibration_error"],
        counts=corpus.report.counts,
        rejected=corpus.report.rejected,
        parity=parity["artefacts"],
        sizes={name: row["bytes"] for name, row in parity["files"].items()},
        models=measured.sizes(
            path,
            task.encoder.model.parameters,
            steps["training"]["facts"]["parameters"],
        ),
        latency=latency,
        latency_note=note,
        quantisation=measured.quantisation(path),
        command=repeat(path),
        warnings=warnings,
        tables=tables + measured.onnx_runtime(path),
    )
    write_classification_report(path, content)
    return {"latency_ms": {row["file"]: row["milliseconds"] for row in latency}}


def measurements(path: Path) -> dict[str, str]:
    """Returns the text of what benchmarks left in a workdir, for the report."""
    return measured.measurements(path, TRANSFER)


def _teacher(config: ClassificationConfig) -> str:
    """Returns in words which model the teacher is, and what was tuned of it."""
    layers = config.tuning.num_layers
    tuned = {
        "none": "as it was given",
        "head": "with a linear head tuned on the labels",
        "last_layers": f"its last {layers} layers tuned on the labels",
        "all": "all of it tuned on the labels",
    }
    return f"{config.teacher.kind}, {tuned[config.tuning.scope]}"
