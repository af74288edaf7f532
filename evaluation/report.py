"""A run's report.html and MODEL_CARD.md, from the files in its folder."""

from pathlib import Path

from babelet.evaluation import export_sections, run_sections
from babelet.evaluation.finished_run import read_run, task_report
from babelet.evaluation.sections import write_card, write_html


def write_report(folder: Path) -> dict:
    """Writes both pages into the run's folder; returns facts for the manifest.

    Raises:
        BabeletError: A file of the run is missing or damaged, or a page cannot be
            written.
    """
    with run_sections.reading(folder):
        run = read_run(folder)
        page = task_report(run.task).page(run)
        rows = export_sections.models(run)
    write_html(folder / "report.html", page)
    write_card(folder / "MODEL_CARD.md", page)
    times = {row["file"]: row["milliseconds"] for row in rows if row["milliseconds"]}
    return {"latency_ms": times}
