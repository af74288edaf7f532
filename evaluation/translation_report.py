"""The report of a translator's run as one self-contained page, and its model card."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from babelet.evaluation import comparison, wording
from babelet.evaluation.report import write_page

# Sentences shown with everyone's translation.
EXAMPLES = 24
# Of `evaluation.translation.score`, what the table of models shows, and its heading;
# shares are told in percent.
FIGURES = {
    "bleu": "BLEU",
    "bleu_without_near": "BLEU, no near neighbour",
    "chrf": "chrF++",
    "exact": "exact %",
    "length_ratio": "length ratio",
    "repeating": "repeating %",
    "empty": "empty %",
    "placeholders_kept": "placeholders kept %",
    "numbers_kept": "numbers kept %",
}
SHARES = ("exact", "repeating", "empty", "placeholders_kept", "numbers_kept")


@dataclasses.dataclass(frozen=True)
class TranslationReport:
    """All that is told about a translator's run."""

    # `config.json` and `manifest.json` as read.
    config: Mapping[str, Any]
    manifest: Mapping[str, Any]
    # By language and split: pairs; by reason: rejected rows.
    counts: Mapping[str, Mapping[str, int]]
    rejected: Mapping[str, int]
    # By model, what `evaluation.translation.score` returned.
    metrics: Mapping[str, Mapping[str, Any]]
    # "source", "reference" and by model the translations, of the same sentences.
    translations: Mapping[str, Sequence[str]]
    # {"step", "name", "value"}, as of `evaluation.comparison.curve_points`.
    curves: Sequence[Mapping[str, Any]]
    # By exported file: figures of its comparison with the Keras student.
    parity: Mapping[str, Mapping[str, Any]]
    # Parameters of "teacher" (where one was trained) and "student".
    parameters: Mapping[str, int]
    # The command that repeats the run.
    command: str


def write_report(path: Path, report: TranslationReport) -> None:
    """Writes one HTML file that needs no network and no JavaScript.

    Raises:
        BabeletError: The file cannot be written.
    """
    write_page(path, "translation.html.jinja", _facts(report))


def write_model_card(path: Path, report: TranslationReport) -> None:
    """Writes the model card in Markdown.

    Raises:
        BabeletError: The file cannot be written.
    """
    write_page(path, "translation_card.md.jinja", _facts(report))


def _facts(report: TranslationReport) -> dict[str, Any]:
    some = next(iter(report.metrics.values()))
    columns = list(report.translations)
    return {
        "report": report,
        "name": report.config["name"],
        "config": report.config,
        "added": report.manifest["steps"].get("sources", {}).get("facts", {}),
        "config_text": wording.settings(report.config),
        "figures": list(FIGURES.values()),
        "models": {name: figures(row) for name, row in report.metrics.items()},
        "signatures": [some["bleu_signature"], some["chrf_signature"]],
        "sentences": some["sentences"],
        "columns": columns,
        "examples": list(
            zip(
                *(report.translations[name][:EXAMPLES] for name in columns), strict=True
            )
        ),
        "curves": comparison.series(report.curves),
    }


def figures(row: Mapping[str, Any]) -> list[str]:
    """Returns the figures of one model in the order of FIGURES, "–" for none."""
    cells = []
    for name in FIGURES:
        value = row.get(name)
        if value is None:
            cells.append("–")
        elif name in SHARES:
            cells.append(f"{100 * value:.1f}")
        else:
            cells.append(f"{value:.2f}" if name == "length_ratio" else f"{value:.1f}")
    return cells
