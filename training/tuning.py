"""Searches temperature, alpha, learning rate and steps with KerasTuner.

  babelet tune --config=configs/intents.py --workdir=runs/intents_tuning

Each trial is a training of its own in <workdir>/<trial>, judged by the recipe's
validation metric; the first one prepares the text and the teacher for all. The settings
are drawn at random from ranges around the recipe's. The same command continues where it
stopped, a trial in the middle as well; with more --trials it goes on. best.json holds
the --set values of the best trial.

With --folds=5 all text but the test is dealt to five parts, templates and groups of
translations whole, and a trial is five trainings in <workdir>/<trial>/fold<n>: each
part validates once, and the mean decides. The first trial prepares text, vocabulary and
teacher of each fold by themselves, so that no fold has seen what it is measured on.

TensorBoard's HParams shows the trials side by side, with mean and spread of the folds:
tensorboard --logdir runs/intents_tuning/hparams
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from absl import flags
from tqdm import tqdm

from babelet.configs import overrides, parsing, record
from babelet.configs.schema import Config
from babelet.core import command
from babelet.core.boundary import run_folder
from babelet.core.child import run_child
from babelet.core.errors import BabeletError
from babelet.core.run_files import read_json, write_json
from babelet.core.startup import import_quietly

TRAIN = (sys.executable, "-m", "babelet.training.distill")
METRIC = "validation"
HPARAMS = "hparams"
# What a search must not change from one start to the next.
SEARCH = "search.json"
# Drawn beside learning rate and steps, where the task has them.
_CHOICES = {
    "objective.alpha": (0.0, 0.25, 0.5, 0.75),
    "objective.temperature": (1.0, 2.0, 4.0),
}


class Search(NamedTuple):
    """What every trial has in common.

    Attributes:
        recipe: Path of the config.
        given: "key=value" for every trial.
        workdir: Where trials and their results go.
        folds: Parts of the cross-validation; 0: the recipe's own validation.
        train: The command of a training.
    """

    recipe: str
    given: Sequence[str]
    workdir: Path
    folds: int = 0
    train: Sequence[str] = TRAIN


def search(setting: Search, trials: int) -> dict[str, Any]:
    """Runs the trials that are not done yet; returns what best.json holds.

    Args:
        setting: What they have in common.
        trials: Number of them in all.

    Raises:
        BabeletError: A training failed, or the search was begun with other settings.
    """
    config = overrides.load(setting.recipe, setting.given)
    if setting.folds:
        # Not every task has them.
        parsing.replace(config, {"folds.count": setting.folds})
    _require_same(config, setting)
    tuner = _tuner(config, setting, trials)
    errors = import_quietly("keras_tuner").errors
    try:
        tuner.search(verbose=0)
    except errors.FatalError as error:
        raise error.__cause__ or error from None
    (best,) = tuner.oracle.get_best_trials(1)
    found = {
        "trial": best.trial_id,
        METRIC: best.score,
        "settings": best.hyperparameters.values,
    }
    if setting.folds:
        scores = [_score(folder) for folder, _ in _runs(setting, best.trial_id)]
        found["folds"] = scores
        found["spread"] = import_quietly("babelet.training.tuning_logs").spread(scores)
    write_json(setting.workdir / "best.json", found, indent=2, ensure_ascii=True)
    return found


def _tuner(config: Config, setting: Search, trials: int) -> Any:
    """Returns KerasTuner's random search, with the trials done before.

    Raises:
        BabeletError: Its record of them is damaged.
    """
    keras_tuner = import_quietly("keras_tuner")
    logs = import_quietly("babelet.training.tuning_logs")

    class Trainings(keras_tuner.RandomSearch):
        """Judges a trial by runs of the training's own entry."""

        def run_trial(self, trial: Any, *args: object, **kwargs: object) -> dict:
            del args, kwargs
            values = trial.hyperparameters.values
            try:
                scores = run_trial(setting, trial.trial_id, values)
            except BabeletError as error:
                # Others are noted by KerasTuner as trials without a score.
                raise keras_tuner.errors.FatalError(str(error)) from error
            folder = setting.workdir / HPARAMS / trial.trial_id
            logs.log_trial(folder, values, scores)
            return {METRIC: sum(scores) / len(scores)}

    try:
        return Trainings(
            objective=keras_tuner.Objective(METRIC, "max"),
            hyperparameters=space(config, keras_tuner.HyperParameters()),
            tune_new_entries=False,
            max_trials=trials,
            max_retries_per_trial=0,
            max_consecutive_failed_trials=1,
            # To KerasTuner 0 is no seed, but a random one.
            seed=config.seed + 1,
            directory=str(setting.workdir),
            project_name="keras_tuner",
        )
    except (ValueError, KeyError, RuntimeError) as error:
        record = setting.workdir / "keras_tuner"
        raise BabeletError(
            f"Cannot read the record of the trials in {record}",
            received=" ".join(str(error).split())[:300],
            consequence="The trainings themselves are kept",
            remedy=f"delete {record}: the same settings are drawn again, and what was "
            "trained is not trained again",
        ) from error


def space(config: Config, hyperparameters: Any) -> Any:
    """Adds the settings and their ranges to KerasTuner's `HyperParameters`.

    Values that the recipe's other settings refuse are left out.
    """
    rate, steps = config.training.learning_rate, config.training.steps
    hyperparameters.Float(
        "training.learning_rate", rate / 4, rate * 4, sampling="log", default=rate
    )
    for key, values in _CHOICES.items():
        if allowed := [value for value in values if _allows(config, key, value)]:
            hyperparameters.Choice(key, allowed)
    hyperparameters.Choice("training.steps", sorted({steps // 2, steps}))
    return hyperparameters


def _allows(config: Config, key: str, value: float) -> bool:
    """Returns whether a task has a setting, and may have this value of it."""
    try:
        parsing.replace(config, {key: value})
    except BabeletError:
        return False
    return True


def run_trial(setting: Search, trial: str, values: dict[str, Any]) -> list[float]:
    """Trains one trial, or continues it; returns the best score of each fold.

    Raises:
        BabeletError: A training failed.
    """
    changes = [f"{key}={value}" for key, value in values.items()]
    print(f"trial {trial}: {' '.join(changes)}", flush=True)
    runs = _runs(setting, trial)
    bar = tqdm(runs, desc=f"Trial {trial}", unit=" folds", disable=len(runs) == 1)
    scores = [
        _train(setting, folder, [*setting.given, *changes, *fold])
        for folder, fold in bar
    ]
    mean = sum(scores) / len(scores)
    shown = " ".join(f"{score:.4f}" for score in scores)
    print(
        f"trial {trial}: validation {mean:.4f}" + f" of {shown}" * (len(scores) > 1),
        flush=True,
    )
    return scores


def _runs(setting: Search, trial: str) -> list[tuple[Path, list[str]]]:
    """Returns the folder of each training of a trial, and the settings of its own."""
    folder = setting.workdir / trial
    if not setting.folds:
        return [(folder, [])]
    shared = [f"folds.count={setting.folds}"]
    if not any(each.startswith("teacher.cache_dir=") for each in setting.given):
        # The teacher's vectors of a text are the same in every fold.
        shared.append(f"teacher.cache_dir={setting.workdir / 'teacher_cache'}")
    return [
        (folder / f"fold{number}", [*shared, f"folds.number={number}"])
        for number in range(setting.folds)
    ]


def _train(setting: Search, folder: Path, settings: Sequence[str]) -> float:
    """Runs one training to its end; returns its best validation score."""
    folder.mkdir(parents=True, exist_ok=True)
    workdir = setting.workdir
    # Of the trial that was begun first: all have its text and teacher.
    name = folder.name if setting.folds else ""
    note = workdir / f"prepared{name}.txt"
    if not note.is_file():
        note.write_text(str(folder.relative_to(workdir)))
    source = workdir / note.read_text()
    command = [*setting.train, f"--config={setting.recipe}", f"--workdir={folder}"]
    command.append("--until=training")
    if source != folder:
        command.append(f"--prepared={source}")
    command += [f"--set={each}" for each in settings]
    log = folder.with_suffix(".log")
    with log.open("ab") as output:
        done = run_child(command, grace=20, stdout=output, stderr=output)
        code = done.returncode
    if code:
        raise BabeletError(
            f"The training in {folder} failed with status {code}",
            consequence="Finished trials are kept",
            remedy=f"see the end of {log}, then give the same command again",
        )
    return _score(folder)


def _score(folder: Path) -> float:
    manifest = record.read_manifest(folder)
    with run_folder(folder / record.MANIFEST):
        return float(manifest["steps"]["training"]["facts"]["best"])


def _require_same(config: Config, setting: Search) -> None:
    """Notes what the search is of; raises if it was begun as another one."""
    file = setting.workdir / SEARCH
    now = {"folds": setting.folds, "config": json.loads(parsing.to_json(config))}
    if not file.is_file():
        setting.workdir.mkdir(parents=True, exist_ok=True)
        write_json(file, now, ensure_ascii=True)
        return
    before = read_json(file, ("folds", "config"))
    if before != now:
        same_folds = before["folds"] == now["folds"]
        what = "another config or --set" if same_folds else "other --folds"
        raise BabeletError(
            f"The search in {setting.workdir} was begun with {what}",
            expected=f"--folds={before['folds']} and the settings in {file}",
            received=f"--folds={now['folds']}",
            consequence="Its trials could not be compared",
            remedy="give the command as before, or another --workdir",
        )


def main(argv: Sequence[str]) -> None:
    """Runs the search."""
    command.require_none_left(argv, "settings are given as --set a.b=value")
    given = flags.FLAGS
    if given.folds == 1:
        raise BabeletError(
            "One fold validates on all and trains on none",
            expected="--folds=0, or 2 or more",
            received="1",
            remedy="write --folds=5",
        )
    setting = Search(given.config, given.set, Path(given.workdir), given.folds)
    found = search(setting, given.trials)
    settings = " ".join(f"--set {key}={v}" for key, v in found["settings"].items())
    spread = f" ± {found['spread']:.4f}" if "spread" in found else ""
    print(f"Best: trial {found['trial']}, {found[METRIC]:.4f}{spread} with {settings}")


if __name__ == "__main__":
    command.path_flag("config", "intents", "The recipe.")
    command.path_flag("workdir", None, "Where the trials go.", required=True)
    flags.DEFINE_integer("trials", 10, "Trials in all.", lower_bound=1)
    flags.DEFINE_integer(
        "folds", 0, "Parts of a cross-validation; 0: the recipe's validation."
    )
    flags.DEFINE_multi_string("set", [], "A setting of every trial: key=value.")
    command.run(main, meant=overrides.meant)
