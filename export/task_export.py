"""What a task tells the export: its student, its files, and the gate they pass.

The export itself knows no task: how files are written, judged by precision, proven and
published is the same for all. A task implements `TaskExport` and `Gate`.
"""

import abc
import difflib
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import keras

from babelet.configs.registry import module_of
from babelet.core.atomic import atomic_path
from babelet.core.boundary import boundary
from babelet.core.errors import BabeletError
from babelet.data.tokenizer import Tokenizer

Tier = Literal["fp32", "fp16", "int8"]
# Language -> (pivot text, translation) pairs, ("", text) where there is no translation.
Texts = Mapping[str, Sequence[tuple[str, str]]]
TEXTS = "parity_texts.json"


class Rebuilt(NamedTuple):
    """A student ready for inference, and what it was built from."""

    student: Any
    tokenizer: Tokenizer
    # The settings of its task.
    config: Any


# (student and tokenizer, path, metadata)
Write = Callable[[Rebuilt, Path, dict[str, Any]], None]
# (path, tokenizer, batch size, lengths are multiples of) -> texts to results
Open = Callable[[Path, Tokenizer, int, int], Callable[[Sequence[str]], Any]]


class Format(NamedTuple):
    """One exported file or folder.

    Attributes:
        path: Within the export folder.
        tier: The precision of its weights.
        write: Writes it.
        ways: Ways into it, by name; "" where there is but one.
    """

    path: str
    tier: Tier
    write: Write
    ways: Mapping[str, Open]


class Artefact(NamedTuple):
    """One way into one exported file, as the parity gate takes them."""

    name: str
    # Within the export folder.
    path: str
    tier: Tier
    open: Open


class Gate(abc.ABC):
    """Compares exported files with their student, on the texts of one run."""

    # Of the student, in quantisation.json; {} where the tiers' rows have no metrics.
    metrics: Mapping[str, Any] = {}
    # How many texts `judge` takes.
    judged_texts = 0

    @abc.abstractmethod
    def facts(self) -> dict[str, Any]:
        """Returns what parity.json says of the texts, `texts` their number at least."""

    @abc.abstractmethod
    def judge(self, artefact: Artefact, path: Path) -> tuple[dict[str, Any], list[str]]:
        """Measures a precision of the student.

        Args:
            artefact: The tier's file from token ids.
            path: Where it is.

        Returns:
            Figures for quantisation.json; and in words why the tier is below the gate,
            [] if it is not. Of fp32 the list is not read: `compare` judges it.
        """

    @abc.abstractmethod
    def compare(self, artefact: Artefact, path: Path, forced: bool) -> dict[str, Any]:
        """Compares a file with the student.

        Args:
            artefact: The way into it.
            path: Where it is.
            forced: The file may be below the gate.

        Returns:
            Figures for parity.json.

        Raises:
            BabeletError: The file does not give what the student gives.
        """

    @abc.abstractmethod
    def golden(self) -> list[dict[str, Any]]:
        """Returns the lines of golden.jsonl: what any port should give for a text."""

    @abc.abstractmethod
    def shown(self, row: Mapping[str, Any]) -> str:
        """Returns figures of `judge` or `compare` in a few words."""

    def latency(
        self, rows: Mapping[str, dict[str, Any]], files: Mapping[str, Path]
    ) -> dict[str, Any]:
        """Adds latency to the figures of `judge`, where it is measured by itself.

        Args:
            rows: By tier; changed in place.
            files: By tier.

        Returns:
            How it was measured, for quantisation.json.
        """
        del rows, files
        return {}


class TaskExport(abc.ABC):
    """What the export must know of a task."""

    # Files by name. A file from token ids that is named by its tier stands for all
    # files of this precision: they hold the same weights.
    formats: Mapping[str, Format]
    # Files of the run that go with the exported ones.
    companions: tuple[str, ...] = ()

    @abc.abstractmethod
    def student(self, config: Any, vocabulary_size: int, workdir: Path) -> keras.Model:
        """Returns the student in float32, at random weights.

        Args:
            config: Of the run.
            vocabulary_size: Pieces of its tokenizer.
            workdir: The run's folder.
        """

    def served(self, student: keras.Model, config: Any, workdir: Path) -> keras.Model:
        """Returns what files are exported from; here the student, in itself.

        Args:
            student: With the trained weights.
            config: Of the run.
            workdir: The run's folder.
        """
        del config, workdir
        return student

    def described(self, config: Any, workdir: Path) -> dict[str, Any]:
        """Returns what a reader of an exported file must know of its task."""
        del config, workdir
        return {}

    @abc.abstractmethod
    def gate(self, built: Rebuilt, workdir: Path, texts: Texts) -> Gate:
        """Returns the gate of a run.

        Args:
            built: What is served of its student.
            workdir: The run's folder.
            texts: Real text of every language.
        """

    def artefacts(self, formats: Sequence[str]) -> list[Artefact]:
        """Returns every way into the files of these formats."""
        return [
            Artefact(f"{each.path} ({way})" if way else each.path, *each[:2], opened)
            for each in (self.formats[name] for name in formats)
            for way, opened in each.ways.items()
        ]

    def judged(self, formats: Sequence[str]) -> list[str]:
        """Returns the tiers that are measured where these formats are wanted.

        float32 is measured only beside others, if its file is wanted: to show them.
        """
        wanted = {self.formats[name].tier for name in formats}
        return [
            name
            for name, each in self.formats.items()
            if name == each.tier
            and name in wanted
            and (name != "fp32" or name in formats)
        ]


def of_task(name: str) -> TaskExport:
    """Returns the export of a task by the task's name."""
    return module_of(name).EXPORT


def require_known(task: TaskExport, formats: Sequence[str]) -> None:
    """Raises the user's error if a format is none of the task's, or there is none.

    Raises:
        BabeletError: With the nearest name.
    """
    for name in formats or [""]:
        if name not in task.formats:
            near = difflib.get_close_matches(name, task.formats, n=1)
            raise BabeletError(
                f"There is no export format {name!r}",
                expected=", ".join(task.formats),
                remedy=f"write {near[0]}" if near else "choose among these",
            )


def write_texts(workdir: Path, texts: Texts) -> None:
    """Writes the texts of the gate, by language, for `read_texts`."""
    with atomic_path(workdir / TEXTS) as path:
        text = json.dumps(texts, ensure_ascii=False, indent=1)
        path.write_text(text, encoding="utf-8")


def read_texts(workdir: Path) -> Texts:
    """Returns the texts that the run's own export was checked with.

    Raises:
        BabeletError: There are none: the run has not come to its export.
    """
    with boundary(
        f"Cannot read the texts to check with, {workdir / TEXTS}",
        expected="pairs of texts by language, as the run's export wrote them",
        remedy="run babelet distill with this workdir again, without its export "
        "folder: the export writes them",
    ):
        values = json.loads((workdir / TEXTS).read_text(encoding="utf-8"))
        found = {str(name): [(a, b) for a, b in v] for name, v in values.items()}
        texts = [text for pairs in found.values() for pair in pairs for text in pair]
        if not texts or not all(isinstance(text, str) for text in texts):
            raise ValueError("it holds no texts, or something else")
        return found


def failure(problem: str, expected: str, received: str) -> BabeletError:
    """Returns the error of a file that is not its student's."""
    return BabeletError(
        problem,
        expected=expected,
        received=received,
        consequence="Its results would be wrong",
        remedy="install the versions in constraints.txt and export again; if it fails "
        "again, report this line",
    )
