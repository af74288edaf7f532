"""Searches temperature, alpha, learning rate and steps with KerasTuner.

  python -m training.tuning --config=configs/intents.py --workdir=runs/intents_tuning

Each trial is a training of its own in <workdir>/<trial>, judged by the recipe's
validation metric; the first one prepares the text and the teacher for all. The settings
are drawn at random from ranges around the recipe's. The same command continues where it
stopped, a trial in the middle as well; with more --trials it goes on. best.json holds
the --set values of the best trial.

TensorBoard shows the trials side by side: tensorboard --logdir runs/intents_tuning
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from absl import app, flags

from configs import overrides
from configs.atomic import atomic_path
from configs.errors import BabeletError
from configs.schema import Config
from configs.startup import import_quietly

TRAIN = (sys.executable, "-m", "training.distill")
METRIC = "validation"


def search(
    recipe: str,
    given: Sequence[str],
    workdir: Path,
    trials: int,
    train: Sequence[str] = TRAIN,
) -> dict[str, Any]:
    """Runs the trials that are not done yet; returns what best.json holds.

    Args:
        recipe: Path of the config.
        given: "key=value" for every trial.
        workdir: Where trials and their results go.
        trials: Number of them in all.
        train: The command of a training.

    Raises:
        BabeletError: A training failed.
    """
    keras_tuner = import_quietly("keras_tuner")
    config = overrides.load(recipe, given)

    class Search(keras_tuner.RandomSearch):
        """Judges a trial by a run of the training's own entry."""

        def run_trial(self, trial: Any, *args: object, **kwargs: object) -> dict:
            del args, kwargs
            values = trial.hyperparameters.values
            settings = [*given, *(f"{key}={value}" for key, value in values.items())]
            try:
                score = run(recipe, settings, workdir, trial.trial_id, train)
            except BabeletError as error:
                # Others are noted by KerasTuner as trials without a score.
                raise keras_tuner.errors.FatalError(str(error)) from error
            return {METRIC: score}

    tuner = Search(
        objective=keras_tuner.Objective(METRIC, "max"),
        hyperparameters=space(config, keras_tuner.HyperParameters()),
        tune_new_entries=False,
        max_trials=trials,
        max_retries_per_trial=0,
        max_consecutive_failed_trials=1,
        seed=config.seed,
        directory=str(workdir),
        project_name="keras_tuner",
    )
    try:
        tuner.search(verbose=0)
    except keras_tuner.errors.FatalError as error:
        raise error.__cause__ or error from None
    (best,) = tuner.oracle.get_best_trials(1)
    found = {
        "trial": best.trial_id,
        METRIC: best.score,
        "settings": best.hyperparameters.values,
    }
    with atomic_path(workdir / "best.json") as path:
        path.write_text(json.dumps(found, indent=2) + "\n", "utf-8")
    return found


def space(config: Config, hyperparameters: Any) -> Any:
    """Adds the settings and their ranges to KerasTuner's `HyperParameters`."""
    rate, steps = config.training.learning_rate, config.training.steps
    hyperparameters.Float(
        "training.learning_rate", rate / 4, rate * 4, sampling="log", default=rate
    )
    hyperparameters.Choice("objective.alpha", [0.0, 0.25, 0.5, 0.75])
    hyperparameters.Choice("objective.temperature", [1.0, 2.0, 4.0])
    hyperparameters.Choice("training.steps", sorted({steps // 2, steps}))
    return hyperparameters


def run(
    recipe: str,
    settings: Sequence[str],
    workdir: Path,
    trial: str,
    train: Sequence[str],
) -> float:
    """Trains one trial, or continues it; returns its best validation score.

    Raises:
        BabeletError: The training failed.
    """
    folder = workdir / trial
    folder.mkdir(parents=True, exist_ok=True)
    # Of the first trial that was begun: all have its text and teacher.
    source = workdir / "prepared.txt"
    if not source.is_file():
        source.write_text(trial)
    command = [*train, f"--config={recipe}", f"--workdir={folder}", "--until=training"]
    if source.read_text() != trial:
        command.append(f"--prepared={workdir / source.read_text()}")
    command += [f"--set={setting}" for setting in settings]
    log = workdir / f"{trial}.log"
    print(f"trial {trial}: {' '.join(settings)}; output in {log}", flush=True)
    with log.open("ab") as output:
        code = subprocess.run(command, stdout=output, stderr=output).returncode
    if code:
        raise BabeletError(
            f"The trial {trial} failed with status {code}",
            consequence="Finished trials are kept",
            remedy=f"see the end of {log}, then give the same command again",
        )
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    score = manifest["steps"]["training"]["facts"]["best"]
    print(f"trial {trial}: validation {score:.4f}", flush=True)
    return float(score)


def main(argv: Sequence[str]) -> None:
    """Runs the search; a user's error is one line and exit status 2."""
    if len(argv) > 1:
        sys.exit(f"Unknown argument {argv[1]}: settings are given as --set a.b=value.")
    workdir = Path(flags.FLAGS.workdir)
    try:
        found = search(flags.FLAGS.config, flags.FLAGS.set, workdir, flags.FLAGS.trials)
    except BabeletError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    settings = " ".join(f"--set {key}={v}" for key, v in found["settings"].items())
    print(f"Best: trial {found['trial']}, {found[METRIC]:.4f} with {settings}")


if __name__ == "__main__":
    flags.DEFINE_string("config", "configs/intents.py", "The recipe.")
    flags.DEFINE_string("workdir", None, "Where the trials go.", required=True)
    flags.DEFINE_integer("trials", 10, "Trials in all.", lower_bound=1)
    flags.DEFINE_multi_string("set", [], "A setting of every trial: key=value.")
    app.run(main)
