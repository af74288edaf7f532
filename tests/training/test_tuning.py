"""The search for settings, with a stand-in for the training it calls."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import keras_tuner
import pytest

from babelet.configs import overrides
from babelet.core.errors import BabeletError
from babelet.training.tuning import Search, search, space
from tests.training.test_hparams import sessions

ROOT = Path(__file__).resolve().parents[2]
# Records how it was called; best at a learning rate of 3e-4, each fold 0.1 above the
# one before. While there is a file "slow", it takes for ever.
TRAIN = """
import json, math, pathlib, sys, time
flags = [argument[2:].split("=", 1) for argument in sys.argv[1:]]
settings = dict(value.split("=", 1) for name, value in flags if name == "set")
flags = dict(flags) | {"set": settings}
here = pathlib.Path(__file__).parent
with (here / "calls").open("a") as calls:
    calls.write(json.dumps(flags) + "\\n")
if (here / "broken").exists():
    sys.exit("the lamp went out")
while (here / "slow").exists() and settings.get("folds.number", "1") == "1":
    time.sleep(0.1)
score = int(settings.get("folds.number", 0)) / 10
score += 1 - abs(math.log(float(settings["training.learning_rate"]) / 3e-4))
(pathlib.Path(flags["workdir"]) / "manifest.json").write_text(
    json.dumps({"steps": {"training": {"facts": {"best": score}}}})
)
"""
RECIPE = "configs/intents.py"


@pytest.fixture
def searching(tmp_path):
    """Returns a search of so many trials and folds, always in one folder."""
    (tmp_path / "train.py").write_text(TRAIN)
    train = (sys.executable, str(tmp_path / "train.py"))

    def run(trials, folds=0, given=("training.steps=100",)):
        setting = Search(RECIPE, given, tmp_path / "runs", folds, train)
        return search(setting, trials)

    return run


def calls(folder):
    file = folder / "calls"
    lines = file.read_text().splitlines() if file.is_file() else []
    return [json.loads(line) for line in lines]


def test_the_best_trial_is_the_best_and_trials_share_the_preparation(
    searching, tmp_path
):
    """A search that minimises accuracy finds the worst settings, and looks fine."""
    found = searching(5)
    first, *others = calls(tmp_path)
    assert len(others) == 4 and "prepared" not in first
    assert {call["prepared"] for call in others} == {first["workdir"]}
    rates = [float(call["set"]["training.learning_rate"]) for call in (first, *others)]
    nearest = min(rates, key=lambda rate: abs(rate - 3e-4) / rate)
    scores = {path.parent.name: path for path in tmp_path.glob("runs/*/manifest.json")}
    facts = {k: json.loads(p.read_text())["steps"] for k, p in scores.items()}
    best = max(facts, key=lambda k: facts[k]["training"]["facts"]["best"])
    assert found["trial"] == best
    assert 1.25e-4 <= nearest <= 2e-3
    assert json.loads((tmp_path / "runs" / "best.json").read_text()) == found


def test_all_four_settings_are_searched_and_drawn_by_the_seed(searching, tmp_path):
    """Of a setting that is the same in every trial, nothing is learned."""
    searching(6)
    first = [call["set"] for call in calls(tmp_path)]
    names = {"learning_rate", "steps"}, {"alpha", "temperature"}
    names = {f"training.{n}" for n in names[0]} | {f"objective.{n}" for n in names[1]}
    for name in names:
        assert len({settings[name] for settings in first}) > 1, name
    (tmp_path / "calls").unlink()
    (tmp_path / "runs").rename(tmp_path / "before")
    searching(6)
    assert [call["set"] for call in calls(tmp_path)] == first


def drawn(recipe, *settings):
    """Returns name -> what may be drawn of it, for all but the learning rate."""
    found = space(overrides.load(recipe, settings), keras_tuner.HyperParameters())
    return {x.name: list(x.values) for x in found.space if "rate" not in x.name}


def test_only_what_the_recipe_allows_is_drawn():
    """A translator's search ended in an error as soon as T = 2 was drawn."""
    assert drawn("intents")["objective.temperature"] == [1.0, 2.0, 4.0]
    translator = drawn("translate_smart_home")
    assert translator.keys() == {"objective.alpha", "training.steps"}
    assert len(translator["objective.alpha"]) == 4
    # Of such a teacher only the translations are known.
    given = ("translation.teacher.path=t.tsv", "translation.targets=teacher")
    given += ("objective.alpha=1", "student.init_from_teacher=false")
    given += ("translation.teacher.reads_encoder=false",)
    assert drawn("translate_smart_home", *given).keys() == {"training.steps"}


def test_a_task_without_folds_says_so_before_it_trains(tmp_path):
    """Each fold would train on all, and their spread be that of one number."""
    setting = Search("translate_smart_home", (), tmp_path / "runs", folds=3)
    with pytest.raises(BabeletError, match=r"folds\.count is a setting of embedding"):
        search(setting, 1)
    assert not (tmp_path / "runs").exists()


def test_a_finished_search_runs_nothing_and_a_longer_one_goes_on(searching, tmp_path):
    """Started again after a kill, it would repeat hours of trials."""
    first = searching(2)
    assert searching(2) == first and len(calls(tmp_path)) == 2
    searching(3)
    assert len(calls(tmp_path)) == 3


def test_a_trial_that_fails_ends_the_search(searching, tmp_path):
    """A search over nothing but failures reports a best trial all the same."""
    (tmp_path / "broken").touch()
    with pytest.raises(BabeletError, match="failed with status 1.*Remedy"):
        searching(2)


def test_a_trial_is_judged_by_the_mean_of_its_folds(searching, tmp_path):
    """A search that takes the last fold's score for the mean finds easy folds."""
    found = searching(3, folds=3)
    by_trial = {}
    for call in calls(tmp_path):
        folder = Path(call["workdir"])
        assert folder.name == f"fold{call['set']['folds.number']}"
        assert call["set"]["folds.count"] == "3"
        by_trial.setdefault(folder.parent.name, []).append(call)
    assert [len(folds) for folds in by_trial.values()] == [3, 3, 3]
    for folds in by_trial.values():
        rates = {call["set"]["training.learning_rate"] for call in folds}
        assert len(rates) == 1
    assert found["folds"] == pytest.approx(
        [found["validation"] + step for step in (-0.1, 0, 0.1)]
    )
    assert found["spread"] == pytest.approx(0.1)


def test_each_fold_has_its_preparation_which_all_trials_share(searching, tmp_path):
    """A teacher tuned on one fold has seen the labels the others are judged by."""
    searching(2, folds=2)
    first, second = calls(tmp_path)[:2], calls(tmp_path)[2:]
    assert not any("prepared" in call for call in first)
    assert [call["prepared"] for call in second] == [c["workdir"] for c in first]
    caches = {call["set"]["teacher.cache_dir"] for call in (*first, *second)}
    assert caches == {str(tmp_path / "runs" / "teacher_cache")}


def test_hparams_shows_mean_and_spread_of_every_trial(searching, tmp_path):
    """Without the spread, a lucky draw of folds reads as a better setting."""
    found = searching(2, folds=3)
    shown = sessions({None: tmp_path / "runs" / "hparams"})
    assert set(shown) == {"0", "1"}
    settings, metrics = shown[found["trial"]]
    assert settings == pytest.approx(found["settings"])
    assert metrics["validation/mean"] == pytest.approx(found["validation"])
    assert metrics["validation/spread"] == pytest.approx(0.1)
    assert metrics["validation/fold2"] == pytest.approx(found["folds"][2])


def test_a_killed_search_continues_in_the_middle_of_a_trial(searching, tmp_path):
    """Drawn anew, the trial's settings would not be those of its finished fold."""
    (tmp_path / "slow").touch()
    program = (
        "import pathlib, sys; from babelet.training.tuning import Search, search;"
        f"train = ({sys.executable!r}, {str(tmp_path / 'train.py')!r});"
        f"runs = pathlib.Path({str(tmp_path / 'runs')!r});"
        f"search(Search({RECIPE!r}, ('training.steps=100',), runs, 2, train), 2)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program], cwd=ROOT, start_new_session=True
    )
    deadline = time.monotonic() + 120
    while len(calls(tmp_path)) < 2 and time.monotonic() < deadline:
        time.sleep(0.2)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    (tmp_path / "slow").unlink()
    found = searching(2, folds=2)
    done = [(call["workdir"][-7:], call["set"]) for call in calls(tmp_path)]
    # The first fold's training is asked again, and finds itself done.
    assert [name for name, _ in done[:4]] == ["0/fold0", "0/fold1"] * 2
    assert done[0] == done[2] and done[1] == done[3]
    assert len(done) == 6 and len(found["folds"]) == 2


def test_a_search_begun_otherwise_is_refused(searching):
    """Means over three folds and over five, side by side, compare nothing."""
    searching(1, folds=2)
    with pytest.raises(BabeletError, match=r"other --folds.*--folds=2.*--folds=3"):
        searching(2, folds=3)
    with pytest.raises(BabeletError, match="another config or --set"):
        searching(2, folds=2, given=("training.steps=200",))


def test_a_damaged_record_loses_no_training(searching, tmp_path):
    """A kill while the record is written would cost all trials."""
    found = searching(2)
    record = tmp_path / "runs" / "keras_tuner"
    (record / "oracle.json").write_text("{")
    with pytest.raises(BabeletError, match=r"record of the trials.*delete .*drawn"):
        searching(2)
    for file in record.rglob("*.json"):
        file.unlink()
    assert searching(2) == found
