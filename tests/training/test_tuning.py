"""The search for settings, with a stand-in for the training it calls."""

import json
import sys

import pytest

from configs.errors import BabeletError
from training.tuning import search

# Records how it was called; best at a learning rate of 3e-4.
TRAIN = """
import json, math, pathlib, sys
flags = [argument[2:].split("=", 1) for argument in sys.argv[1:]]
settings = dict(value.split("=", 1) for name, value in flags if name == "set")
flags = dict(flags) | {"set": settings}
here = pathlib.Path(__file__).parent
with (here / "calls").open("a") as calls:
    calls.write(json.dumps(flags) + "\\n")
if (here / "broken").exists():
    sys.exit("the lamp went out")
score = 1 - abs(math.log(float(settings["training.learning_rate"]) / 3e-4))
(pathlib.Path(flags["workdir"]) / "manifest.json").write_text(
    json.dumps({"steps": {"training": {"facts": {"best": score}}}})
)
"""
RECIPE = "configs/intents.py"


@pytest.fixture
def searching(tmp_path):
    """Returns a search of so many trials, always in one folder."""
    (tmp_path / "train.py").write_text(TRAIN)
    train = (sys.executable, str(tmp_path / "train.py"))
    given = ["training.steps=100"]
    return lambda trials: search(RECIPE, given, tmp_path / "runs", trials, train)


def calls(folder):
    return [json.loads(line) for line in (folder / "calls").read_text().splitlines()]


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
