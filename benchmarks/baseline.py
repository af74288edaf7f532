"""What the teacher is worth: the recipe against training without a teacher.

python -m benchmarks.baseline --workdir=runs/baseline

Trains each variant with several seeds on one corpus, one vocabulary and one cache of
teacher vectors, one run after the other, and writes `table.md` and `table.json`.
Variants without the recipe's settings first choose their own learning rate, by
validation, in runs of a third of the steps: halved or doubled until the best has a
worse one on either side. The same command continues where it stopped: finished runs
are not repeated. The tables are written anew whenever a variant is finished.
"""

import json
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import NamedTuple

from absl import flags

from babelet.configs import overrides, record
from babelet.configs.schema import Config
from babelet.core import command
from babelet.core.atomic import atomic_path
from babelet.core.boundary import boundary
from babelet.core.child import run_child
from babelet.core.errors import BabeletError
from babelet.core.run_files import read_json
from benchmarks.comparison import markdown, scores, summary

TRAIN = (sys.executable, "-m", "babelet.training.distill")
TUNING_SHARE = 3
# Short runs that a search usually takes; the estimate of the time left counts them.
USUAL_TRIALS = 4


class Variant(NamedTuple):
    """A row of the table: what it changes in the recipe."""

    name: str
    settings: tuple[str, ...]
    # Whose learning rate it takes, found by tuning; "": the recipe's.
    tuned_as: str = ""
    # Runs at most; the larger effects need fewer to be seen.
    seeds: int = 3


ALONE = (
    "objective.alpha=1",
    "objective.embedding_match=0",
    "objective.candidates=student",
    "objective.bank_size=0",
)
RANDOM = "student.init_layers=()"
# Left out of training in some runs: what the student knows of them is the teacher's.
UNSEEN = ("fi", "hu")
LEAVE_OUT = f"training.leave_out={','.join(UNSEEN)}"
VARIANTS = (
    Variant("alpha-0.5", ("objective.alpha=0.5",)),
    Variant("alpha-0", ("objective.alpha=0",)),
    Variant("alpha-1", ALONE, "alpha-1"),
    Variant("unseen-alpha-0.5", ("objective.alpha=0.5", LEAVE_OUT), seeds=1),
    Variant("unseen-alpha-1", (*ALONE, LEAVE_OUT), "alpha-1", seeds=1),
    Variant(
        "random-alpha-0.5",
        ("objective.alpha=0.5", RANDOM),
        "random-alpha-0.5",
        seeds=1,
    ),
    Variant("random-alpha-1", (*ALONE, RANDOM), "random-alpha-1", seeds=1),
)


class Run(NamedTuple):
    """One call of the training entry; `cost` counts its steps."""

    name: str
    settings: tuple[str, ...]
    cost: int
    # The last step it needs.
    until: str = "evaluation"


class Runner:
    """Runs what has not been run yet, and says how long the rest will take."""

    def __init__(
        self, recipe: str, workdir: Path, prepared: str, train: Sequence[str] = TRAIN
    ) -> None:
        self.recipe = recipe
        self.workdir = workdir
        self.prepared = prepared
        self.train = train
        self.remaining = 0
        self._seconds = self._spent = 0.0

    def finished(self, run: Run) -> Path:
        """Returns the folder of `run`, trained now unless it was before.

        Raises:
            BabeletError: The training entry failed.
        """
        folder = self.workdir / run.name
        self.remaining -= run.cost
        if run.until not in _steps_done(folder):
            self._train(run, folder)
        self.prepared = self.prepared or str(folder)
        return folder

    def _train(self, run: Run, folder: Path) -> None:
        command = [*self.train, f"--config={self.recipe}", f"--workdir={folder}"]
        command.append(f"--until={run.until}")
        if self.prepared:
            command.append(f"--prepared={self.prepared}")
        command += [f"--set={setting}" for setting in run.settings]
        log = folder.with_name(f"{folder.name}.log")
        log.parent.mkdir(parents=True, exist_ok=True)
        print(f"{run.name}: running, output in {log}", flush=True)
        start = time.monotonic()
        with log.open("ab") as output:
            done = run_child(command, grace=20, stdout=output, stderr=output)
            code = done.returncode
        if code:
            raise BabeletError(
                f"The run {run.name} failed with status {code}",
                consequence="Finished runs are kept",
                remedy=f"see the end of {log}, then give the same command again",
            )
        self._seconds += time.monotonic() - start
        self._spent += run.cost
        left = self._seconds / self._spent * self.remaining / 60
        print(f"{run.name}: done; about {left:.0f} minutes left", flush=True)


Rows = dict[str, dict]
# A runner, the recipe, "key=value" for every run, seeds, and what to do with the rows
# there are: the rows of a table.
Compare = Callable[
    [Runner, Config, Sequence[str], int, Callable[[Rows], None]], dict[str, dict]
]


def compare(
    runner: Runner,
    config: Config,
    settings: Sequence[str],
    seeds: int,
    show: Callable[[Rows], None] = lambda rows: None,
) -> Rows:
    """Returns a summary for each row of the table, the teacher's first.

    Args:
        runner: Trains, or finds what was trained.
        config: The recipe with `settings` applied.
        settings: "key=value" for every run.
        seeds: Runs of each variant.
        show: Gets the rows so far whenever a variant is finished.
    """
    steps, tuning_steps = config.training.steps, config.training.steps // TUNING_SHARE
    searches = {variant.tuned_as for variant in VARIANTS} - {""}
    full = sum(min(seeds, variant.seeds) for variant in VARIANTS)
    runner.remaining = full * steps + len(searches) * USUAL_TRIALS * tuning_steps
    rows: dict[str, dict] = {}
    rates = {"": config.training.learning_rate}
    for variant in VARIANTS:
        given = (*settings, *variant.settings)
        name = variant.tuned_as
        if name not in rates:
            rates[name] = tune(runner, config, name, given)
        rate = f"{rates[name]:g}"
        given = (*given, f"training.learning_rate={rate}")
        runs = [
            Run(f"{variant.name}-rate{rate}-seed{k}", (*given, f"seed={k}"), steps)
            for k in range(min(seeds, variant.seeds))
        ]
        found = [read(runner.finished(run) / "metrics.json") for run in runs]
        rows.setdefault("teacher", summary([scores(found[0]["teacher"], UNSEEN)]))
        students = [scores(metrics["student"], UNSEEN) for metrics in found]
        rows[f"{variant.name}, learning rate {rate}"] = summary(students)
        show(rows)
    return rows


def tune(runner: Runner, config: Config, name: str, settings: tuple[str, ...]) -> float:
    """Returns the learning rate whose short run is best on validation."""
    training = config.training
    steps = max(1, training.steps // TUNING_SHARE)
    short = (
        f"training.steps={steps}",
        f"training.warmup_steps={training.warmup_steps // TUNING_SHARE}",
        "seed=0",
    )

    def score(rate: float) -> float:
        given = (*settings, *short, f"training.learning_rate={rate:g}")
        run = Run(f"tuning/{name}-{rate:g}", given, steps, "training")
        manifest = record.read_manifest(runner.finished(run))
        return manifest["steps"]["training"]["facts"]["best"]

    found = bracket(score, training.learning_rate / 2)
    best = max(found, key=found.__getitem__)
    values = ", ".join(f"{rate:g}: {found[rate]:.4f}" for rate in sorted(found))
    print(f"{name}: learning rate {best:g}; validation {values}", flush=True)
    return best


def bracket(score: Callable[[float], float], start: float) -> dict[float, float]:
    """Returns scores by value, the best with a lower one at half and at double it.

    >>> bracket(lambda rate: -abs(rate - 3), 8)
    {8: -5, 16: -13, 4.0: -1.0, 2.0: -1.0}

    Args:
        score: Of a value; higher is better. Of equals the first one counts.
        start: The value tried first.
    """
    found = {start: score(start)}
    while True:
        best = max(found, key=found.__getitem__)
        untried = [x for x in (best * 2, best / 2) if x not in found]
        if not untried:
            return found
        found[untried[0]] = score(untried[0])


def write(rows: dict[str, dict], workdir: Path) -> None:
    """Prints the table and writes it as table.md and table.json."""
    text = markdown(rows)
    print(text)
    with atomic_path(workdir / "table.md") as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")
    with atomic_path(workdir / "table.json") as temporary:
        temporary.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


def _steps_done(folder: Path) -> dict:
    return record.read_manifest(folder)["steps"]


def read(file: Path) -> dict:
    """Returns a JSON file."""
    return read_json(file)


def define_flags(recipe: str, workdir: str) -> None:
    """Defines the flags of a comparison.

    Args:
        recipe: The config where none is given.
        workdir: Where the runs go where that is not given.
    """
    command.path_flag("config", recipe, "The recipe.")
    command.path_flag("workdir", workdir, "Where the runs go.")
    command.path_flag(
        "prepared",
        "",
        "A finished run of the recipe, whose corpus, vocabulary and teacher are used; "
        "by default the first run of the comparison prepares them.",
    )
    flags.DEFINE_integer("seeds", 3, "Runs of each variant.", lower_bound=1)
    flags.DEFINE_multi_string("set", [], "A setting of every run: key=value.")


def comparing(workdir: Path) -> AbstractContextManager[None]:
    """Returns the boundary of all the runs that are compared."""
    return boundary(
        f"Cannot compare the runs in {workdir}",
        expected="metrics.json and manifest.json as the runs wrote them",
        consequence="One of them is damaged; the others are kept",
        remedy="delete the folder of that run and give the same command again",
    )


def comparison(compare: Compare) -> Callable[[Sequence[str]], None]:
    """Returns the main function of a comparison, which takes those flags.

    A user's error is one line and exit status 2.
    """

    def main(argv: Sequence[str]) -> None:
        command.require_none_left(argv, "settings are given as --set a.b=1")
        given = flags.FLAGS
        config = overrides.load(given.config, given.set)
        runner = Runner(given.config, Path(given.workdir), given.prepared or "")
        show = partial(write, workdir=Path(given.workdir))
        with comparing(Path(given.workdir)):
            compare(runner, config, given.set, given.seeds, show)

    return main


if __name__ == "__main__":
    define_flags("configs/smart_home.py", "runs/baseline")
    command.run(comparison(compare))
