"""The folder of a measurement: inputs, and what undisturbed commands leave."""

import json
import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from benchmarks.torture.commands import Done, Server, Started
from benchmarks.torture.inputs import Inputs, write_inputs
from benchmarks.torture.snapshot import Snapshot, snapshot

_LOOK = 0.005  # Seconds between two looks at a process.
Step = tuple[str, float]  # Name, seconds.


class Command(NamedTuple):
    """Something that is run, disturbed and compared."""

    name: str
    arguments: list[str]
    folder: Path  # Holds what it leaves; made anew from `state` each time.
    state: Path | None  # What it starts from.


class Reference(NamedTuple):
    """What a command leaves that nothing disturbs, and how long its steps take."""

    content: Snapshot
    steps: list[Step]
    bytes: int


class Bench:
    """Makes what the measurements start from, once for all of them."""

    def __init__(self, workdir: Path, servers: list[Server]) -> None:
        """Takes a folder for everything, and warm servers."""
        self.workdir = workdir.resolve()
        self.servers = servers
        self.inputs: Inputs = write_inputs(self.workdir / "inputs")
        self._references: dict[str, Reference] = {}
        # What commands leave by themselves, for `together`.
        self.alone: dict[str, dict[str, bytes]] = {}

    def distill(self, task: str, *flags: str) -> Command:
        """Returns the training of a task from nothing."""
        folder = self.workdir / "run" / task
        recipe = f"--config={self.inputs.recipes[task]}"
        arguments = ["babelet.training.distill", recipe, f"--workdir={folder}", *flags]
        return Command(f"distill {task}", arguments, folder, None)

    def export(self, task: str) -> Command:
        """Returns the export alone, of a finished run."""
        folder = self.workdir / "run" / task
        arguments = ["babelet.export", f"--workdir={folder}"]
        return Command(f"export {task}", arguments, folder, self.state(task, "report"))

    def build(self) -> Command:
        """Returns the building of an index."""
        return self._index("index build", self.inputs.documents, None)

    def update(self) -> Command:
        """Returns the update of an index, many of its documents being others."""
        built = self.workdir / "states" / "index"
        if not built.exists():
            self._make(self.build(), built)
        return self._index("index update", self.inputs.more_documents, built)

    def state(self, task: str, until: str) -> Path:
        """Returns the folder of a run that ended with a step of `--until`.

        "middle" is one that was killed in its training, after a validation.
        """
        if until == "report":
            self.reference(self.distill(task))
            return self._kept(self.distill(task))
        path = self.workdir / "states" / f"{task}-{until}"
        if not path.exists():
            start = None if until == "preparation" else self.state(task, "preparation")
            flags = () if until == "middle" else (f"--until={until}",)
            command = self.distill(task, *flags)._replace(state=start)
            self._make(command, path, _validated if until == "middle" else None)
        return path

    def reference(self, command: Command) -> Reference:
        """Returns what `command` leaves undisturbed; it is run the first time."""
        if command.name not in self._references:
            kept = self._kept(command)
            noted = kept.with_suffix(".json")
            if not noted.exists():
                steps = self._make(command, kept)
                noted.write_text(json.dumps(steps), "utf-8")
            size = sum(p.stat().st_size for p in kept.rglob("*") if p.is_file())
            steps = [(name, seconds) for name, seconds in json.loads(noted.read_text())]
            self._references[command.name] = Reference(snapshot(kept), steps, size)
        return self._references[command.name]

    def prepare(self, command: Command) -> None:
        """Lays the folder that the command starts from."""
        lay(command.state, command.folder)

    def _kept(self, command: Command) -> Path:
        return self.workdir / "references" / command.name.replace(" ", "-")

    def _index(self, name: str, documents: Path, state: Path | None) -> Command:
        folder = self.workdir / "run" / "index"
        model = self.state("embedding", "report") / "export" / "student_int8.tflite"
        flags = [f"--model={model}", f"--input={documents}", "--source=home"]
        index = f"--index={folder / 'my.db'}"
        return Command(name, ["babelet.search.build", *flags, index], folder, state)

    def _make(
        self,
        command: Command,
        kept: Path,
        kill: Callable[[Path], bool] | None = None,
    ) -> list[Step]:
        """Runs a command undisturbed, moves what it leaves, returns its steps."""
        self.prepare(command)
        started = self.servers[0].start(command.arguments)
        begun = time.monotonic()
        seen: dict[str, list[float]] = {}
        while not started.ended(_LOOK):
            for name, what in re.findall(
                r"^(\w+): (started|finished)", started.output, re.M
            ):
                times = seen.setdefault(name, [])
                if len(times) < (1 if what == "started" else 2):
                    times.append(time.monotonic())
            if kill and kill(command.folder):
                started.kill(whole=True)
        done = started.wait()
        if done.status and not kill:
            raise RuntimeError(f"{command.name} failed undisturbed: {done}")
        kept.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(command.folder, kept)
        steps = [(name, times[-1] - times[0]) for name, times in seen.items()]
        return steps or [("all", time.monotonic() - begun)]


def lay(state: Path | None, folder: Path) -> None:
    """Makes `folder` a copy of `state`, or empty."""
    shutil.rmtree(folder, ignore_errors=True)
    if state is None:
        folder.mkdir(parents=True)
    else:
        shutil.copytree(state, folder)


def wait_for_step(started: Started, step: str) -> bool:
    """Waits until a command has come to `step`; False if it ends first."""
    while step != "all" and not re.search(
        rf"^{step}: (started|done before)", started.output, re.M
    ):
        if started.ended(_LOOK):
            return False
    return not started.ended()


def step_of(started: Started) -> str:
    """Returns the step that a command has started last, "all" if it has none."""
    return (re.findall(r"^(\w+): started", started.output, re.M) or ["all"])[-1]


def one_line(done: Done) -> bool:
    """Says whether a command ended with status 2 and one line for its user."""
    lines = [x for x in done.stderr.splitlines() if x.startswith("error: ")]
    return done.status == 2 and len(lines) == 1 and "Traceback" not in done.stderr


def last_words(done: Done) -> str:
    """Returns status and last line of a command that failed."""
    lines = [x for x in done.stderr.splitlines() if x.strip()] or ["(silent)"]
    errors = [x for x in lines if x.startswith("error: ")]
    return f"status {done.status}: {(errors or lines)[-1][:300]}"


def _validated(folder: Path) -> bool:
    checkpoints = folder / "checkpoints"
    return all(
        (checkpoints / name).exists() for name in ("best.weights.h5", "state.npz")
    )
