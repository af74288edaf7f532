"""The comparison with training alone: what is run, with which settings, how often."""

import json
import math
import sys

import pytest

from babelet.configs.overrides import load
from babelet.core.errors import BabeletError
from benchmarks.baseline import (
    VARIANTS,
    Runner,
    bracket,
    compare,
    comparing,
    write,
)

# Stands in for the training entry: records how it was called, and scores best at a
# learning rate of 2e-4.
TRAIN = """
import json, pathlib, sys
flags = [argument[2:].split("=", 1) for argument in sys.argv[1:]]
settings = dict(value.split("=", 1) for name, value in flags if name == "set")
flags = dict(flags)
folder = pathlib.Path(flags["workdir"])
folder.mkdir(parents=True)
with (pathlib.Path(__file__).parent / "calls").open("a") as calls:
    flags["set"] = settings
    calls.write(json.dumps(flags) + "\\n")
if (pathlib.Path(__file__).parent / "broken").exists():
    sys.exit("the lamp went out")
rate, seed = float(settings["training.learning_rate"]), int(settings["seed"])
def model(value):
    return {"retrieval": {"mean": {"mean": value}}}
(folder / "metrics.json").write_text(json.dumps({
    "teacher": model(0.83),
    "student": model(0.9 + seed / 100),
}))
(folder / "manifest.json").write_text(json.dumps({
    "steps": {
        "training": {"facts": {"best": 1 - abs(rate - 2e-4)}},
        flags["until"]: {"facts": {"best": 1 - abs(rate - 2e-4)}},
    },
}))
"""
CONFIG = load(
    "configs/smart_home.py", ["training.steps=300", "training.learning_rate=4e-4"]
)


@pytest.fixture
def runner(tmp_path):
    (tmp_path / "train.py").write_text(TRAIN)
    train = (sys.executable, str(tmp_path / "train.py"))
    return Runner("configs/smart_home.py", tmp_path / "runs", "", train)


def calls(runner):
    file = runner.workdir.parent / "calls"
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_every_variant_is_run_with_every_seed_on_one_corpus(runner):
    """Variants on other splits or another vocabulary would not compare."""
    rows = compare(runner, CONFIG, ["training.steps=300"], seeds=2)
    assert [name.split(",")[0] for name in rows] == [
        "teacher",
        *(variant.name for variant in VARIANTS),
    ]
    assert rows["teacher"]["test retrieval"]["mean"] == pytest.approx(83)
    assert rows["alpha-0.5, learning rate 0.0004"]["test retrieval"]["mean"] == (
        pytest.approx(90.5)
    )
    first, *others = calls(runner)
    assert "prepared" not in first
    assert {call["prepared"] for call in others} == {first["workdir"]}
    full = sum(min(2, variant.seeds) for variant in VARIANTS)
    finished = [call for call in (first, *others) if call["until"] == "evaluation"]
    assert len(finished) == full
    assert {call["until"] for call in others} == {"training", "evaluation"}


def test_training_alone_has_no_teacher_and_its_own_learning_rate(runner):
    """A baseline that still sees the teacher, or is badly tuned, flatters us."""
    rows = compare(runner, CONFIG, ["training.steps=300"], seeds=1)
    assert "alpha-1, learning rate 0.0002" in rows
    alone = [call for call in calls(runner) if "alpha-1-" in call["workdir"]]
    for call in alone:
        assert call["set"]["objective.alpha"] == "1"
        assert call["set"]["objective.embedding_match"] == "0"
        assert call["set"]["objective.candidates"] == "student"
    tuning = [call for call in alone if "tuning" in call["workdir"]]
    assert {call["set"]["training.steps"] for call in tuning} == {"100"}
    final = [call for call in alone if "tuning" not in call["workdir"]]
    assert {call["set"]["training.steps"] for call in final} == {"300"}


def test_the_search_for_a_learning_rate_goes_on_until_the_best_is_inside():
    """A baseline whose best rate was the lowest tried may have a better one below."""
    for best in (1e-5, 3e-4, 0.02):
        found = bracket(lambda rate, best=best: -abs(math.log(rate / best)), 5e-4)
        chosen = max(found, key=found.get)
        assert min(found) < chosen < max(found)
        assert 0.7 < chosen / best < 1.5


def test_the_settings_of_every_variant_are_valid(runner):
    """A mistyped key would be found after hours, in the last variant."""
    compare(runner, CONFIG, ["training.steps=300"], seeds=1)
    for call in calls(runner):
        settings = [f"{key}={value}" for key, value in call["set"].items()]
        config = load("configs/smart_home.py", settings)
        assert config.objective.alpha == float(call["set"]["objective.alpha"])


def test_finished_runs_are_not_repeated(runner):
    """Hours of work lost to a closed lid."""
    first = compare(runner, CONFIG, [], seeds=1)
    before = len(calls(runner))
    (runner.workdir / "alpha-0-rate0.0004-seed0" / "metrics.json").unlink()
    (runner.workdir / "alpha-0-rate0.0004-seed0" / "manifest.json").unlink()
    (runner.workdir / "alpha-0-rate0.0004-seed0").rmdir()
    again = Runner(runner.recipe, runner.workdir, "", runner.train)
    assert str(compare(again, CONFIG, [], seeds=1)) == str(first)
    assert len(calls(runner)) == before + 1


def test_a_failed_run_stops_and_names_its_log(runner, tmp_path):
    """A row missing from the table without a word."""
    (tmp_path / "broken").touch()
    with pytest.raises(
        BabeletError, match=r"alpha-0\.5-rate.*seed0 failed.*seed0\.log"
    ):
        compare(runner, CONFIG, [], seeds=1)
    log = tmp_path / "runs" / "alpha-0.5-rate0.0004-seed0.log"
    assert "the lamp went out" in log.read_text()


def test_the_table_is_written_and_printed(tmp_path, capsys):
    """docs/results.md quotes the file, the user reads the terminal."""
    write({"teacher": {"STS": {"mean": 77.7, "spread": 0.0}}}, tmp_path)
    assert "| teacher | 77.7 ± 0.0 |" in capsys.readouterr().out
    assert "77.7" in (tmp_path / "table.md").read_text()
    table = json.loads((tmp_path / "table.json").read_text())
    assert table["teacher"]["STS"]["mean"] == 77.7


@pytest.mark.parametrize("name", ["metrics.json", "manifest.json"])
@pytest.mark.parametrize(
    "content", [b"{}", b"[]", b'{"student": 1, "teacher": 2, "steps": 3}', b"\xff", b""]
)
def test_a_damaged_run_is_one_line(name, content, runner):
    """After days of runs the table ended in a KeyError that names none of them."""
    compare(runner, CONFIG, [], seeds=1)
    for damaged in runner.workdir.rglob(name):
        damaged.write_bytes(content)
    with pytest.raises(BabeletError) as error, comparing(runner.workdir):
        compare(runner, CONFIG, [], seeds=1)
    assert str(runner.workdir) in str(error.value) and "\n" not in str(error.value)
