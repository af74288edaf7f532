"""What a run left in its folder, and what its task says of it."""

import dataclasses
import fnmatch
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from babelet.configs import record
from babelet.configs.registry import module_of
from babelet.core.run_files import read_json, write_json
from babelet.evaluation import sections
from babelet.evaluation.formatting import percent

METRICS = "metrics.json"
# What the evaluation leaves for looking at; see `evaluation.samples`.
SAMPLES = "samples.json"
LATENCY, QUANTISATION = "latency.json", "export/quantisation.json"
PARITY = "export/parity.json"
# What benchmarks leave in the folder.
TRANSFER, BASELINE = "transfer/tables.json", "baseline/table.json"


@dataclasses.dataclass(frozen=True)
class Metric:
    """A figure of the test, by name.

    Attributes:
        name: Its column. `*` in it is what `*` in the path stands for.
        path: Keys in metrics.json; `{model}` is "teacher" or "student", and a `*` in
            one key stands for any text.
        write: From its value to text, or to a cell of a report's table.
        primary: Whether runs of the task are ranked by it.
        maximum: The best possible value.
    """

    name: str
    path: tuple[str, ...]
    write: Callable[[Any], Any] = percent
    primary: bool = False
    maximum: float = 1.0

    def values(self, metrics: Mapping[str, Any], model: str = "") -> dict[str, Any]:
        """Returns the values by name, none or several where the path has a `*`."""
        found: list[tuple[str, Any]] = [(self.name, metrics)]
        for part in self.path:
            wanted = part.replace("{model}", model)
            before, star, after = wanted.partition("*")
            found = [
                (name.replace("*", key[len(before) : len(key) - len(after)]), value)
                if star
                else (name, value)
                for name, tree in found
                if isinstance(tree, Mapping)
                for key, value in tree.items()
                if key == wanted or star and fnmatch.fnmatchcase(key, wanted)
            ]
        return {name: value for name, value in found if value is not None}

    def value(self, metrics: Mapping[str, Any], model: str = "") -> Any:
        """Returns the first value, None where there is none."""
        return next(iter(self.values(metrics, model).values()), None)


@dataclasses.dataclass(frozen=True)
class FinishedRun:
    """The files of a run whose evaluation is done, read where they are asked for."""

    path: Path
    name: str
    config: Mapping[str, Any]
    manifest: Mapping[str, Any]
    metrics: Mapping[str, Any]

    @property
    def task(self) -> str:
        """The task's name; the first version had one alone."""
        return self.config.get("task", "embedding")

    @property
    def steps(self) -> Mapping[str, Any]:
        """The steps of manifest.json by name."""
        return self.manifest["steps"]

    def facts(self, step: str) -> Mapping[str, Any]:
        """Returns what a step noted, {} where it was not done."""
        return self.steps.get(step, {}).get("facts", {})

    def read(self, name: str, kind: type = dict) -> Any:
        """Returns what a JSON file of the folder holds, an empty one if it is absent.

        Raises:
            BabeletError: It is damaged.
        """
        file = self.path / name
        return read_json(file, kind=kind) if file.is_file() else kind()


def read_run(folder: Path, name: str = "") -> FinishedRun:
    """Returns the run in `folder`.

    Args:
        folder: The workdir.
        name: To call it by; "" for the name in its settings.

    Raises:
        BabeletError: A file is missing or damaged.
    """
    config, metrics = read_json(folder / record.CONFIG), read_json(folder / METRICS)
    manifest = record.read_manifest(folder)
    called = name or config.get("name", folder.name)
    return FinishedRun(folder, called, config, manifest, metrics)


class TaskReport(Protocol):
    """What a module that tells of a task's runs has.

    Attributes:
        METRICS: The figures of the test, the most important first, one primary.
    """

    METRICS: tuple[Metric, ...]

    def page(self, run: FinishedRun) -> sections.Page:
        """Returns what report and model card show, from the run's folder alone."""
        ...


def task_report(task: str) -> TaskReport:
    """Returns the module that tells of a task's runs, imported when it is asked for.

    Raises:
        BabeletError: There is no such task.
    """
    return module_of(task, "report")


def measurements(path: Path) -> dict[str, str]:
    """Returns the text of what was measured of a run after its steps, where it was."""
    names = (LATENCY, QUANTISATION, TRANSFER, BASELINE)
    files = {name: path / name for name in names}
    return {name: file.read_text() for name, file in files.items() if file.is_file()}


def write_samples(path: Path, **found: Any) -> None:
    """Writes samples.json into a run's folder, as JSON values by name."""
    write_json(path / SAMPLES, found)
