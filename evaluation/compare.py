"""One table across runs: what they were set to, and what came of it.

babelet compare RUN... [--markdown=FILE] [--html=FILE]
babelet compare runs/* --html=runs.html

Runs of any task stand in one table, best first within each task. Settings that are the
same in all runs are left out. Folders that are no finished run are named and skipped.
Nothing is computed anew: the figures are those of each run's metrics.json and
manifest.json.
"""

import math
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from absl import flags

from babelet.configs import record
from babelet.core import command
from babelet.core.atomic import atomic_path
from babelet.core.boundary import run_folder
from babelet.core.errors import BabeletError
from babelet.evaluation import charts, formatting, sections
from babelet.evaluation.finished_run import (
    METRICS,
    FinishedRun,
    Metric,
    read_run,
    task_report,
)

# Of the manifest's steps.
COSTS = (
    Metric(
        "parameters, million", ("training", "facts", "parameters"), formatting.millions
    ),
    Metric(
        "int8 file",
        ("export", "facts", "*", "student_int8.tflite", "bytes"),
        formatting.size,
    ),
    Metric("training", ("training", "seconds"), formatting.duration),
)
# Settings that name a run or a place, and change nothing.
IGNORED = {"name", "teacher.cache_dir"}
# What a run has when it is finished.
_FILES = (record.CONFIG, record.MANIFEST, METRICS)


def read_runs(folders: Sequence[Path]) -> tuple[list[FinishedRun], list[str]]:
    """Returns the finished runs, best first in each task, and why others are not any.

    Raises:
        BabeletError: None of the folders is a finished run, or a file of one is
            damaged.
    """
    runs, skipped = [], []
    for folder in (path for path in folders if path.is_dir()):
        absent = [name for name in _FILES if not (folder / name).is_file()]
        if absent:
            skipped.append(f"{folder} is no finished run: it lacks {absent[0]}")
            continue
        shared = sum(other.name == folder.name for other in folders) > 1
        runs.append(_read(folder, str(folder) if shared else folder.name))
    if not runs:
        raise BabeletError(
            "There is no finished run to compare",
            expected="folders that babelet distill has finished",
            received="; ".join(skipped) or " ".join(map(str, folders)) or "no folder",
            remedy="babelet compare runs/*",
        )
    order = sorted(runs, key=lambda run: (run.task, -(score(run) or 0.0), run.name))
    return order, skipped


def _read(folder: Path, name: str) -> FinishedRun:
    record.require_files(folder, "evaluation")
    run = read_run(folder, name)
    # Each by itself, so that the one that is damaged is named.
    with run_folder(folder / record.CONFIG):
        record.flat(run.config)
        task_report(run.task)
    with run_folder(folder / METRICS):
        for model in ("student", "teacher"):
            _figures(run, model)
        math.isfinite(score(run) or 0.0)
    with run_folder(folder / record.MANIFEST):
        _costs(run)
        math.fsum(number for point in _validations(run) for number in point)
    return run


def _figures(run: FinishedRun, model: str) -> dict[str, str]:
    """Returns the figures of a run's model as text by name."""
    return {
        name: metric.write(value)
        for metric in task_report(run.task).METRICS
        for name, value in metric.values(run.metrics, model).items()
    }


def _costs(run: FinishedRun) -> dict[str, str]:
    found = {cost.name: (cost, cost.value(run.steps)) for cost in COSTS}
    return {n: c.write(value) for n, (c, value) in found.items() if value is not None}


def score(run: FinishedRun) -> float | None:
    """Returns the share of the best possible that ranks runs of a task.

    It is the primary metric, or without it the first that is known.
    """
    metrics = sorted(
        task_report(run.task).METRICS, key=lambda metric: not metric.primary
    )
    for metric in metrics:
        value = metric.value(run.metrics, "student")
        if value is not None:
            return value / metric.maximum
    return None


def differing(runs: Sequence[FinishedRun]) -> list[str]:
    """Returns the settings that are not the same in all runs, as they are ordered.

    A run of an older version or of another task may lack a setting; that alone is no
    difference.
    """
    values: dict[str, list[Any]] = {}
    for run in runs:
        for key, value in record.flat(run.config).items():
            values.setdefault(key, []).append(value)
    return [
        key
        for key, found in values.items()
        if key not in IGNORED and any(value != found[0] for value in found)
    ]


def table(runs: Sequence[FinishedRun]) -> sections.Table:
    """Returns a row for each run, and for the teacher where a task's runs share it."""
    settings = differing(runs)
    rows: list[tuple[str, list[str], dict[str, str], dict[str, str]]] = []
    tasks = list(dict.fromkeys(run.task for run in runs))
    for task in tasks:
        own = [run for run in runs if run.task == task]
        teachers = [_figures(run, "teacher") for run in own]
        if teachers[0] and all(teacher == teachers[0] for teacher in teachers):
            name = f"teacher, {task}" if len(tasks) > 1 else "teacher"
            rows.append((name, [""] * len(settings), teachers[0], {}))
        for run in own:
            known = record.flat(run.config)
            shown = [_shown(known.get(key)) for key in settings]
            rows.append((run.name, shown, _figures(run, "student"), _costs(run)))
    figures = list(dict.fromkeys(name for _, _, found, _ in rows for name in found))
    costs = [cost.name for cost in COSTS if any(cost.name in r[3] for r in rows)]
    return sections.Table(
        ["run", *_short(settings), *figures, *costs],
        [
            [
                name,
                *shown,
                *(found.get(each, "–") for each in figures),
                *(cost.get(each, "–") for each in costs),
            ]
            for name, shown, found, cost in rows
        ],
    )


def _validations(run: FinishedRun) -> list[tuple[float, float]]:
    """Returns (step, score) of the validations of a run.

    Of several scores of one step the first decides which weights are best.
    """
    found: dict[float, float] = {}
    for point in run.facts("training").get("curve") or []:
        for name, value in point.items():
            if name.startswith("validation/") and name.count("/") == 1:
                found.setdefault(point["step"], value)
    return sorted(found.items())


def _short(keys: Sequence[str]) -> list[str]:
    """Returns the last part of each dotted key, or all where two have the same."""
    last = [key.rpartition(".")[2] for key in keys]
    return [
        part if last.count(part) == 1 else key
        for key, part in zip(keys, last, strict=True)
    ]


def _shown(value: Any) -> str:
    value = formatting.without_folders(value)
    if isinstance(value, list):
        return ",".join(map(str, value)) or "none"
    return "–" if value is None else str(value)


def text(found: sections.Table) -> str:
    """Returns the table for a terminal: a first column to the left, others right."""
    lines = [found.columns, *found.rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(
            value.rjust(width) if i else value.ljust(width)
            for i, (value, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def page(found: sections.Table, runs: Sequence[FinishedRun]) -> sections.Page:
    """Returns a page of the table, the ranks, and the validations of each task."""
    ranks, drawings = [], []
    for task in dict.fromkeys(run.task for run in runs):
        own = {i: run for i, run in enumerate(runs) if run.task == task}
        primary = next(m for m in task_report(task).METRICS if m.primary)
        for i, run in own.items():
            share = score(run) or 0.0
            bar = sections.bars({f"run{i}": share})
            ranks.append([run.name, task, bar, formatting.percent(share)])
        chart = charts.line_chart(
            {f"run{i}": _validations(run) for i, run in own.items()},
            label=f"Validation by step, {task}",
            percent=primary.maximum == 1,
        )
        drawings.append((f"{task}, %", chart))
    names = {f"run{i}": run.name for i, run in enumerate(runs)}
    return sections.Page(
        f"{len(runs)} runs",
        "Babelet",
        "Best first in each task. Settings that are the same in all of them are left "
        "out; scores are percent.",
        [
            sections.Section("Settings and scores", [found]),
            sections.Section(
                "Ranked", [sections.Table(["run", "task", "", "score"], ranks)]
            ),
            sections.Section(
                "Validation by step",
                [sections.Charts(drawings, look="wide", key=names)],
            ),
        ],
        runs=len(runs),
    )


def compare(folders: Sequence[Path], files: dict[str, str]) -> str:
    """Writes the files asked for, and returns the table for a terminal.

    Args:
        folders: Of runs.
        files: "markdown" and "html" to a path, "" for none.

    Raises:
        BabeletError: No finished run, or a file that cannot be read or written.
    """
    runs, skipped = read_runs(folders)
    for reason in skipped:
        print(f"skipped: {reason}", file=sys.stderr)
    found = table(runs)
    write: dict[str, Callable[[Path], Any]] = {
        "markdown": lambda path: _write(
            path, formatting.markdown_table(found.columns, found.rows)
        ),
        "html": lambda path: sections.write_html(path, page(found, runs)),
    }
    for kind, path in files.items():
        if path:
            write[kind](Path(path))
    return text(found)


def _write(path: Path, content: str) -> None:
    with atomic_path(path) as file:
        file.write_text(content, "utf-8")


def main(argv: list[str]) -> None:
    """Runs the command line."""
    files = {"markdown": flags.FLAGS.markdown, "html": flags.FLAGS.html}
    print(compare([Path(name) for name in argv[1:]], files))


if __name__ == "__main__":
    command.path_flag("markdown", "", "File to write the table to, in Markdown.")
    command.path_flag("html", "", "File to write table and curves to.")
    command.run(main)
