"""Gathers what a finished translator's run left, for its report and model card."""

from typing import Any

from babelet.core.run_files import read_json
from babelet.evaluation.comparison import curve_points
from babelet.evaluation.translation_report import (
    TranslationReport,
    write_model_card,
    write_report,
)
from babelet.evaluation.wording import repeat
from babelet.training import measured
from babelet.training.workdir import Workdir


def report(workdir: Workdir, counts: dict[str, dict[str, int]]) -> dict:
    """Writes report.html and MODEL_CARD.md; returns facts for the manifest.

    Args:
        workdir: A run whose export is done.
        counts: Pairs by language and split.
    """
    with measured.reporting(workdir.path):
        return _report(workdir, counts)


def _report(workdir: Workdir, counts: dict[str, dict[str, int]]) -> dict:
    path, steps = workdir.path, workdir.manifest["steps"]

    def read(name: str) -> Any:
        return read_json(path / name, kind=object)

    parity = measured.parity(path)
    models = {"teacher": steps.get("teacher"), "student": steps["training"]}
    facts = {name: step["facts"] for name, step in models.items() if step}
    content = TranslationReport(
        config=read("config.json"),
        manifest=workdir.manifest,
        counts=counts,
        rejected=steps["corpus"]["facts"]["rejected"],
        metrics=read("metrics.json"),
        translations=read("translations.json"),
        curves=[
            point | {"name": f"{model}: {point['name']}"}
            for model, found in facts.items()
            for point in curve_points(found["curve"])
        ],
        parity={
            name: row | parity["files"][name]
            for name, row in parity["artefacts"].items()
        },
        parameters={name: found["parameters"] for name, found in facts.items()},
        command=repeat(path),
    )
    write_report(path / "report.html", content)
    write_model_card(path / "MODEL_CARD.md", content)
    return {"parameters": dict(content.parameters)}
