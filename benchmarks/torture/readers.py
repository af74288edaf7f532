"""Which commands read which stored file, and what they leave of it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.torture.bench import Bench, lay
from benchmarks.torture.snapshot import Snapshot, differences, snapshot

Outputs = Callable[[Path], Any]


class Reader(NamedTuple):
    """A command that reads a file of a folder."""

    name: str
    arguments: list[str]
    outputs: Outputs  # What it leaves in the folder, to be compared.
    printed: bool = False  # Whether what it prints is compared too.
    mends: bool = False  # Whether it may do steps again.


class Case(NamedTuple):
    """A state of a folder whose files are flipped."""

    name: str
    state: Path
    folder: Path  # Where the readers find the state.
    stored: Callable[[str], bool]  # Whether a file is flipped in this state.
    readers: Callable[[str], list[Reader]]
    remembered: dict[str, Any]

    def expected(self, bench: Bench, reader: Reader) -> tuple[Any, str | None]:
        """Returns what a reader leaves, and prints, without a flip."""
        key = " ".join(reader.arguments)
        if key not in self.remembered:
            lay(self.state, self.folder)
            done = bench.servers[-1].run(reader.arguments)
            if done.status:
                raise RuntimeError(f"{reader.name} failed without a flip: {done}")
            printed = done.stdout if reader.printed else None
            self.remembered[key] = reader.outputs(self.folder), printed
        return self.remembered[key]

    def handed_over(self, name: str) -> bool:
        """Says whether a file is a result, which other programs read as it is."""
        return name.startswith("export/") or name in (
            "report.html",
            "MODEL_CARD.md",
            "student.keras",
            "labels.txt",
        )

    def proved(self, name: str) -> bool:
        """Says whether a reader here reads all of what the file means."""
        exact = ("_fp32.tflite", "_fp16.tflite", "_int8.tflite")
        inside = any(word in name for word in ("text_", "mediapipe_"))
        return name.endswith(exact) and not inside


def of_task(bench: Bench, task: str) -> list[Case]:
    """Returns the states of a task's run, with what continues or uses each."""
    prepared, middle, evaluated, finished = (
        bench.state(task, name)
        for name in ("preparation", "middle", "evaluation", "report")
    )

    def training(until: str) -> Callable[[str], list[Reader]]:
        command = bench.distill(task, f"--until={until}")
        weights = Reader("distill", command.arguments, _files("student."), mends=True)
        return lambda name: [weights]

    everything = bench.distill(task)
    outputs = _files("export/*.tflite", "MODEL_CARD.md", "metrics.json")
    whole = Reader("distill", everything.arguments, outputs, mends=True)
    folder = everything.folder
    early = _names(prepared) | _names(middle)
    late = ("manifest.json", "config.json", "tokenizer.model", "labels.txt")

    def later(name: str) -> bool:
        # Curves and the projector's points are looked at, and read by nothing here.
        return name in late or not (name in early or name.startswith("logs/"))

    cases = [
        (f"{task} prepared", prepared, lambda name: True, training("training")),
        (
            f"{task} in training",
            middle,
            lambda name: name.startswith("checkpoints/"),
            training("training"),
        ),
        (
            f"{task} evaluated",
            evaluated,
            later,
            lambda name: [whole],
        ),
        (
            f"{task} finished",
            finished,
            later,
            lambda name: _of_finished(bench, folder, task, name, whole),
        ),
    ]
    return [
        Case(name, state, folder, stored, used, {})
        for name, state, stored, used in cases
    ]


def of_index(bench: Bench) -> Case:
    """Returns a finished index, with what reads it."""
    update = bench.update()
    index = f"--index={update.folder / 'my.db'}"
    query = ["babelet.search.query", index, "--json", "--top=20"]
    read = [
        Reader("inspect", ["babelet.search.inspect", index], _nothing, printed=True),
        Reader("query", [*query, "lamp in the kitchen"], _nothing, printed=True),
        Reader("words", [*query, "--mode=words", "Küche"], _nothing, printed=True),
        Reader(
            "exact",
            [*query, "--mode=vectors", "--exact", "Sammle alles"],
            _nothing,
            printed=True,
        ),
    ]
    state = update.state or update.folder
    return Case("index", state, update.folder, _kept_in_index, lambda name: read, {})


def _kept_in_index(name: str) -> bool:
    """Leaves out what SQLite shares between processes, and makes anew."""
    return not name.endswith("-shm")


def described(expected: tuple, found: tuple) -> str:
    """Returns in what outputs differ."""
    if isinstance(expected[0], Snapshot) and expected[0] != found[0]:
        return "; ".join(differences(expected[0], found[0]))[:400]
    return "another output"


def _of_finished(
    bench: Bench, folder: Path, task: str, name: str, whole: Reader
) -> list[Reader]:
    """Returns the readers of a finished run's file, the quick ones first."""
    texts = str(bench.inputs.texts)

    def infer(model: str) -> Reader:
        output = folder / "answers"
        flags = [f"--model={folder / model}", f"--output={output}", texts]
        return Reader(
            f"infer {model}", ["babelet.export.infer", *flags], _files("answers")
        )

    found = []
    if name.startswith("export/saved_model"):
        found.append(infer("export/saved_model"))
    elif name.endswith(".tflite") and "text_" not in name and "mediapipe" not in name:
        found.append(infer(name))
    elif name.startswith("export/") and not name.endswith(".tflite"):
        found.append(infer("export/student_int8.tflite"))
    if name in ("metrics.json", "manifest.json", "config.json"):
        other = str(bench.state(task, "evaluation"))
        compare = ["babelet.evaluation.compare", str(folder), other]
        found.append(Reader("compare", compare, _nothing, printed=True))
    if name in ("config.json", "student.weights.h5", "tokenizer.model", "labels.txt"):
        again = ["babelet.export", f"--workdir={folder}"]
        again += [] if task == "translation" else ["--formats=fp32"]
        found.append(Reader("export", again, _files("export/*.tflite")))
    # The report alone would be made again: nothing that is compared hangs on it.
    return [*found, whole]


def _nothing(folder: Path) -> None:
    return None


def _files(*patterns: str) -> Outputs:
    """Returns a function of a folder to what its files of these patterns hold."""

    def outputs(folder: Path) -> Snapshot:
        content = snapshot(folder)
        kept = {
            name: digest
            for name, digest in content.files.items()
            if any(Path(name).match(f"{pattern}*") for pattern in patterns)
        }
        return Snapshot(kept, {name: content.arrays.get(name, {}) for name in kept})

    return outputs


def _names(folder: Path) -> set[str]:
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
