"""Finished runs as rows of one table: the settings that differ, and the scores."""

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from babelet.configs import record
from babelet.core.boundary import run_folder
from babelet.core.errors import BabeletError
from babelet.core.run_files import read_json
from babelet.evaluation.wording import decimal, duration, percent, size, without_folders

# Column -> where the figure is in the metrics of a model, and how it is written.
FIGURES = {
    "test retrieval": (("retrieval", "mean", "mean"), percent),
    "no near neighbour": (("retrieval", "mean", "without_near", "mean"), percent),
    "STS": (("sts", "mean"), percent),
    "agreement": (("agreement", "cross_lingual"), percent),
    "agreement alone": (("agreement_alone", "mean"), percent),
}
# The same in the manifest's steps.
COSTS = {
    "parameters, million": (
        ("training", "facts", "parameters"),
        lambda value: decimal(None if value is None else value / 1e6, 1),
    ),
    "int8 file": (
        ("export", "facts", "files", "student_int8.tflite", "bytes"),
        size,
    ),
    "training": (("training", "seconds"), duration),
}
# Settings that name a run or a place, and change nothing.
IGNORED = {"name", "teacher.cache_dir"}


class Run(NamedTuple):
    """What a run left that others can be compared with."""

    name: str
    # By dotted key.
    settings: dict[str, Any]
    # By model: "teacher", "student".
    metrics: dict[str, Any]
    # Of manifest.json, by name.
    steps: dict[str, Any]


class Table(NamedTuple):
    """A row for each run, and for the teacher where all have the same."""

    columns: list[str]
    rows: list[list[str]]


def read_runs(folders: Sequence[Path]) -> tuple[list[Run], list[str]]:
    """Returns the finished runs, best first, and why other folders are not any.

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
    return sorted(runs, key=lambda run: (-(score(run) or 0.0), run.name)), skipped


# What a run has when it is finished.
_FILES = (record.CONFIG, record.MANIFEST, "metrics.json")


def _read(folder: Path, name: str) -> Run:
    config, metrics = (read_json(folder / file) for file in (_FILES[0], _FILES[2]))
    record.require_files(folder, "evaluation")
    manifest = record.read_manifest(folder)
    with run_folder(folder / "config.json"):
        settings = dict(_flat(config))
    run = Run(name, settings, metrics, manifest["steps"])
    # Each by itself, so that the one that is damaged is named.
    with run_folder(folder / "metrics.json"):
        _written(metrics.get("student", {}), FIGURES | _tatoeba([run]))
        _written(metrics.get("teacher", {}), FIGURES)
        math.isfinite(score(run) or 0.0)
    with run_folder(folder / "manifest.json"):
        _written(run.steps, COSTS)
        points = [point for curve in curves([run]).values() for point in curve]
        math.fsum(number for point in points for number in point)
    return run


def _flat(tree: Mapping[str, Any], where: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{where}{key}.")
        else:
            yield f"{where}{key}", value


def score(run: Run) -> float | None:
    """Returns the figure that ranks runs: the first of FIGURES that is known."""
    student = run.metrics.get("student", {})
    found = (_at(student, path) for path, _ in FIGURES.values())
    return next((value for value in found if value is not None), None)


def differing(runs: Sequence[Run]) -> list[str]:
    """Returns the settings that are not the same in all runs, as they are ordered.

    A run of an older version may lack a setting; that alone is no difference.
    """
    values: dict[str, list[Any]] = {}
    for run in runs:
        for key, value in run.settings.items():
            values.setdefault(key, []).append(value)
    return [
        key
        for key, found in values.items()
        if key not in IGNORED and any(value != found[0] for value in found)
    ]


def table(runs: Sequence[Run]) -> Table:
    """Returns the runs as rows; figures that none of them has are left out."""
    settings = differing(runs)
    figures = FIGURES | _tatoeba(runs)
    rows = [
        [
            run.name,
            *(_shown(run.settings.get(key)) for key in settings),
            *_written(run.metrics.get("student", {}), figures),
            *_written(run.steps, COSTS),
        ]
        for run in runs
    ]
    teachers = [_written(run.metrics.get("teacher", {}), figures) for run in runs]
    if all(teacher == teachers[0] for teacher in teachers):
        unknown = ["–"] * len(COSTS)
        rows.insert(0, ["teacher", *("" for _ in settings), *teachers[0], *unknown])
    columns = ["run", *_short(settings), *figures, *COSTS]
    first = 1 + len(settings)
    used = [
        i
        for i in range(len(columns))
        if i < first or any(row[i] != "–" for row in rows)
    ]
    return Table([columns[i] for i in used], [[row[i] for i in used] for row in rows])


def curves(runs: Sequence[Run]) -> dict[str, list[tuple[float, float]]]:
    """Returns (step, score) of the validations of each run, by its name."""
    found = {}
    for run in runs:
        points = _at(run.steps, ("training", "facts", "curve")) or []
        scores = [
            (point["step"], value)
            for point in points
            for name, value in list(point.items())
            if name.startswith("validation/") and name.count("/") == 1
        ]
        # Of several scores of one step the first decides which weights are best.
        first = dict(reversed(scores))
        found[run.name] = sorted(first.items())
    return found


def _short(keys: Sequence[str]) -> list[str]:
    """Returns the last part of each dotted key, or all where two have the same."""
    last = [key.rpartition(".")[2] for key in keys]
    return [
        part if last.count(part) == 1 else key
        for key, part in zip(keys, last, strict=True)
    ]


def _tatoeba(runs: Sequence[Run]) -> dict[str, Any]:
    names = {n: None for run in runs for n in _sets(run.metrics.get("student", {}))}
    return {name: (("tatoeba", name, "mean", "mean"), percent) for name in names}


def _sets(metrics: Mapping[str, Any]) -> Mapping[str, Any]:
    return metrics.get("tatoeba") or {}


def _written(tree: Mapping[str, Any], figures: Mapping[str, Any]) -> list[str]:
    return [write(_at(tree, path)) for path, write in figures.values()]


def _at(tree: Any, path: Sequence[str]) -> Any:
    for key in path:
        tree = tree.get(key) if isinstance(tree, Mapping) else None
    return tree


def _shown(value: Any) -> str:
    value = without_folders(value)
    if isinstance(value, list):
        return ",".join(map(str, value)) or "none"
    return "–" if value is None else str(value)
