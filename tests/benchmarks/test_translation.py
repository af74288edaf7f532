"""The comparison of translators: what is run, with which settings, how often."""

import json
import sys

import pytest

from babelet.configs.overrides import load
from benchmarks.baseline import Runner
from benchmarks.translation import VARIANTS, compare
from benchmarks.translation_latency import compare as compare_speed

# Stands in for the training entry: records how it was called, and scores best at a
# learning rate of 1e-3.
TRAIN = """
import json, pathlib, sys
flags = [argument[2:].split("=", 1) for argument in sys.argv[1:]]
settings = dict(value.split("=", 1) for name, value in flags if name == "set")
flags = dict(flags)
folder = pathlib.Path(flags["workdir"])
folder.mkdir(parents=True)
with (pathlib.Path(__file__).parent / "calls").open("a") as calls:
    calls.write(json.dumps(flags | {"set": settings}) + "\\n")
rate, seed = float(settings["training.learning_rate"]), int(settings["seed"])
def model(value):
    return {"bleu": value, "bleu_without_near": value - 1, "chrf": value + 20}
(folder / "metrics.json").write_text(json.dumps({
    "teacher, greedy": model(40), "student, greedy": model(38 + seed),
}))
(folder / "manifest.json").write_text(json.dumps({"steps": {
    "training": {"facts": {"best": 1 - abs(rate - 1e-3)}}, flags["until"]: {},
} | {"training": {"facts": {"best": 1 - abs(rate - 1e-3)}}}}))
"""
RECIPE = "configs/translate_smart_home.py"


@pytest.fixture
def runner(tmp_path):
    (tmp_path / "train.py").write_text(TRAIN)
    train = (sys.executable, str(tmp_path / "train.py"))
    return Runner(RECIPE, tmp_path / "runs", "", train)


def test_every_way_has_its_seeds_and_one_teacher(runner):
    """Variants with teachers of their own would compare teachers."""
    config = load(RECIPE, ["training.steps=30"])
    rows = compare(runner, config, ["training.steps=30"], seeds=2)
    lines = (runner.workdir.parent / "calls").read_text().splitlines()
    calls = [json.loads(line) for line in lines]
    first = str(runner.workdir / f"recipe-rate{config.training.learning_rate:g}-seed0")
    assert calls[0]["workdir"] == first
    assert all(call.get("prepared") == first for call in calls[1:])
    full = [call for call in calls if "tuning" not in call["workdir"]]
    assert len(full) == sum(min(2, way.seeds) for way in VARIANTS)
    assert list(rows) == [
        "teacher, greedy",
        *(f"{name}, student, greedy" for name, *_ in VARIANTS),
    ]
    assert rows["none, student, greedy"]["BLEU"]["mean"] == 38.5
    assert rows["teacher, greedy"]["BLEU"]["spread"] is None


def test_training_alone_has_a_learning_rate_of_its_own(runner):
    """With the distilled student's rate it would lose for another reason."""
    config = load(RECIPE, ["training.learning_rate=4e-3"])
    compare(runner, config, [], seeds=1)
    lines = (runner.workdir.parent / "calls").read_text().splitlines()
    rates = {"alone": set(), "distilled": set()}
    for call in map(json.loads, lines):
        if "tuning" not in call["workdir"]:
            own = "none-" in call["workdir"]
            rate = float(call["set"]["training.learning_rate"])
            rates["alone" if own else "distilled"].add(rate)
    assert rates == {"alone": {1e-3}, "distilled": {4e-3}}


def test_rows_are_shown_as_they_come(runner):
    """Stopped in its last hour, a comparison of a night would have shown nothing."""
    config, seen = load(RECIPE, []), []
    compare(runner, config, [], 1, lambda rows: seen.append(len(rows)))
    assert seen == [2, 3, 4, 5, 6]


def test_the_ratio_is_of_sentence_and_sentence():
    """Medians of each, divided, mix short sentences with long ones."""
    calls = []
    found = compare_speed(
        lambda row: calls.append("teacher"),
        lambda row: calls.append("student"),
        [[1]] * 20,
    )
    assert calls[:4] == ["teacher", "student", "student", "teacher"]
    assert found["sentences"] == 18 and found["ratio"] > 0


def test_what_a_teacher_waits_for_is_its_time_too():
    """Without the encoder it reads, an informed teacher would look fast."""
    ids = [[1] * (1 + i % 2) for i in range(20)]
    found = compare_speed(len, len, ids, {1: 50.0, 2: 150.0})
    assert 99 < found["teacher_fp32_ms"] < 101
    assert found["student_int8_ms"] < 1
