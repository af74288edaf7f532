"""Gathers what a finished run of classification left, for its report."""

import json
from pathlib import Path
from typing import Any

from data.label_visibility import visibility_warnings
from data.labelled_corpus import class_warnings
from evaluation.classification_report import (
    ClassificationReport,
    write_classification_report,
)
from tasks.students import read_calibration
from training.labelled_preparation import LabelledPreparation
from training.workdir import Workdir

# What `benchmarks.transfer` leaves in the run's folder.
TRANSFER = "transfer/tables.json"


def report(workdir: Workdir, preparation: LabelledPreparation) -> dict:
    """Writes report.html and MODEL_CARD.md; returns facts for the manifest."""
    path, steps = workdir.path, workdir.manifest["steps"]
    corpus = preparation.corpus
    warnings = class_warnings(corpus.report)
    warnings += visibility_warnings(corpus, preparation.visible)
    transfer, parity = path / TRANSFER, _read(path / "export" / "parity.json")
    content = ClassificationReport(
        config=_read(path / "config.json"),
        metrics=_read(path / "metrics.json"),
        classes=corpus.classes,
        calibration=read_calibration(path),
        teacher_calibration=steps["teacher"]["facts"]["calibration_error"],
        counts=corpus.report.counts,
        rejected=corpus.report.rejected,
        parity=parity["artefacts"],
        sizes={name: row["bytes"] for name, row in parity["files"].items()},
        command=f"python -m training.distill --config={path}/config.json "
        f"--workdir={path}",
        warnings=warnings,
        tables=_read(transfer) if transfer.is_file() else (),
    )
    write_classification_report(path, content)
    return {}


def measurements(path: Path) -> dict[str, str]:
    """Returns the text of what benchmarks left in a workdir, for the report."""
    file = path / TRANSFER
    return {TRANSFER: file.read_text("utf-8")} if file.is_file() else {}


def _read(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))
