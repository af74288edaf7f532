"""Transfer across languages: what is run under which labels, and what is shown."""

import json
import sys
from functools import partial

import pytest

from babelet.configs.overrides import load
from benchmarks.transfer import compare, tables, write

# Stands in for the training entry: records how it was called, and scores best at a
# learning rate of 5e-4.
TRAIN = """
import json, pathlib, sys
flags = [argument[2:].split("=", 1) for argument in sys.argv[1:]]
settings = dict(value.split("=", 1) for name, value in flags if name == "set")
flags = dict(flags) | {"set": settings}
folder = pathlib.Path(flags["workdir"])
folder.mkdir(parents=True)
with (pathlib.Path(__file__).parent / "calls").open("a") as calls:
    calls.write(json.dumps(flags) + "\\n")
def model(value):
    languages = {
        "en": {"accuracy": 0.9, "macro_f1": 0.8},
        "de": {"accuracy": value, "macro_f1": value / 2},
    }
    return {
        "languages": languages,
        "mean": {"accuracy": (0.9 + value) / 2, "macro_f1": value},
        "calibration_error": 0.05,
    }
(folder / "metrics.json").write_text(json.dumps({
    "teacher": model(0.8),
    "student": model(0.7 + int(settings["seed"]) / 100),
}))
rate = float(settings.get("training.learning_rate", 5e-4))
(folder / "manifest.json").write_text(json.dumps({
    "steps": {name: {"facts": {"best": 1 - abs(rate - 5e-4)}}
              for name in ("training", flags["until"])},
}))
"""


@pytest.fixture
def compared(tmp_path):
    """Rows, figures by language, and the calls of two settings and two seeds."""
    (tmp_path / "train.py").write_text(TRAIN)
    options = {
        "seeds": 2,
        "settings": ["few_shot", "zero_shot"],
        "prepared": "",
        "train": (sys.executable, str(tmp_path / "train.py")),
        "show": partial(write, tmp_path),
    }
    recipe = "configs/intents.py"
    given = ["training.steps=300"]
    found = compare(tmp_path / "runs", recipe, load(recipe, given), given, options)
    lines = (tmp_path / "calls").read_text().splitlines()
    return *found, [json.loads(line) for line in lines]


def test_each_setting_has_its_teacher_and_two_students(compared):
    """Figures of one setting under the name of another."""
    rows, languages, _ = compared
    models = ("teacher", "distilled", "labels alone")
    assert list(rows) == [
        f"{setting}, {model}"
        for setting in ("few_shot", "zero_shot")
        for model in models
    ]
    assert rows["few_shot, teacher"]["accuracy, targets"]["mean"] == pytest.approx(80)
    distilled = rows["zero_shot, distilled"]
    assert distilled["accuracy, targets"]["mean"] == pytest.approx(70.5)
    assert distilled["macro-F1"]["spread"] == pytest.approx(0.707, abs=1e-3)
    name = "zero_shot, labels alone"
    assert languages["accuracy"]["de"][name] == pytest.approx([70, 71])
    assert languages["macro_f1"]["de"][name] == pytest.approx([35, 35.5])


def test_runs_of_a_setting_share_its_teacher_and_all_share_the_corpus(compared):
    """A teacher tuned again for each seed, or splits that differ, do not compare."""
    *_, calls = compared
    first = {
        setting: next(c for c in calls if c["set"]["labels.setting"] == setting)
        for setting in ("few_shot", "zero_shot")
    }
    assert "prepared" not in first["few_shot"]
    assert first["zero_shot"]["prepared"] == first["few_shot"]["workdir"]
    for setting, start in first.items():
        others = [c for c in calls if c["set"]["labels.setting"] == setting]
        others.remove(start)
        assert {call["prepared"] for call in others} == {start["workdir"]}


def test_labels_alone_have_no_teacher_and_their_own_learning_rate(compared):
    """A baseline that is badly tuned flatters the teacher."""
    *_, calls = compared
    alone = [call for call in calls if "alone-" in call["workdir"]]
    assert {call["set"]["objective.alpha"] for call in alone} == {"1"}
    rates = {call["set"]["training.learning_rate"] for call in alone}
    assert {"0.0005", "0.001", "0.00025"} <= rates
    assert len([c for c in alone if "-seed" in c["workdir"]]) == 4


def test_the_tables_are_as_the_report_takes_them(compared):
    """A row shorter than its header shifts figures under another name."""
    rows, languages, _ = compared
    for table in tables(rows, languages):
        assert {len(row) for row in table["rows"]} == {len(table["columns"])}
    means, accuracies, scores = tables(rows, languages)
    assert means["rows"][1][1] == "80.2 ± 0.4"
    assert accuracies["rows"][1][:2] == ["de", "80.0"]
    assert scores["rows"][1][:2] == ["de", "40.0"] and "Macro-F1" in scores["note"]
