"""Run with `python -m pytest tests/configs/test_settings.py`."""

import ast
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from babelet.configs import settings
from babelet.configs.embedding import DataConfig
from babelet.core.errors import BabeletError

ROOT = Path(__file__).resolve().parents[2]
EVERY = {each.name: each for each in settings.every_setting()}
# What has other values in every task is there once for each.
ALL = settings.every_setting()


def babelet(*arguments, **variables):
    """Runs `babelet settings` as a user does."""
    return subprocess.run(
        [sys.executable, "-m", "babelet", "settings", *arguments],
        cwd=ROOT,
        env=os.environ | variables,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize("setting", ALL, ids=lambda each: each.name)
def test_every_setting_has_a_meaning(setting):
    """A setting without a comment is printed as a bare name, and nobody notices."""
    assert setting.meaning[-1:] == "." and len(setting.meaning) > 10


def test_a_setting_is_told_as_the_code_has_it():
    """Text, default and range that come from elsewhere would drift from the code."""
    alpha = EVERY["objective.alpha"]
    assert alpha.meaning.startswith("Weight of the hard label: 1 trains without")
    assert (alpha.values, alpha.default) == ("number, 0 to 1", "0.5")
    assert EVERY["training.keep"].values == "best | last"
    assert EVERY["data.keep_equal"].values == "true or false"
    assert EVERY["training.learning_rate"].values == "number above 0"
    assert EVERY["student.init_layers"].default == "empty"
    assert EVERY["name"].default == ""
    assert EVERY["data.pivot"].default == DataConfig.pivot


def keys_of(file, name):
    """Returns the keys of a dictionary that a module of ours defines, not imported."""
    found = [
        node.value
        for node in ast.parse((ROOT / file).read_text(encoding="utf-8")).body
        if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == name
    ]
    return {key.value for key in found[0].keys}


def test_meanings_name_all_that_can_be_chosen():
    """A new teacher or source that no page lists is found by nobody."""
    sources, teachers = "data/sources/__init__.py", "model/teachers/__init__.py"
    for name, choices in {
        "data.source": keys_of(sources, "SOURCES")
        | keys_of(sources, "LABELLED_SOURCES"),
        "teacher.kind": keys_of(teachers, "TEACHERS")
        | keys_of(teachers, "CLASSIFIERS"),
    }.items():
        assert len(choices) > 4
        meaning = " ".join(x.meaning for x in ALL if x.name == name)
        assert not [each for each in choices if each not in meaning]


def test_a_word_finds_names_and_meanings():
    """A filter that looks at names alone hides what the user cannot name."""
    assert [each.name for each in settings.find(word="training.steps")] == [
        "training.steps"
    ]
    assert "objective.scale" in {each.name for each in settings.find(word="COSINES")}


def test_a_task_shows_what_it_reads():
    """Settings of other tasks are tried, and have no effect."""
    translation = {each.name for each in settings.find("translation")}
    assert "translation.targets" in translation
    assert not translation & {"tuning.scope", "folds.count", "objective.bank_size"}
    embedding = {each.name for each in settings.find("embedding")}
    assert {"objective.bank_size", "data.weights"} <= embedding
    assert not {name for name in embedding if name.startswith("translation.")}
    (metric,) = settings.find("translation", "training.metric")
    assert (metric.values, metric.default) == ("bleu | chrf | exact", "bleu")
    assert {"translation.teacher.steps", "translation.encoder.path"} <= translation


def test_an_unknown_word_is_answered_with_the_nearest():
    """An empty list leaves a misspelling for the user to find."""
    with pytest.raises(BabeletError, match=r"did you mean training\.steps, .* all\.$"):
        settings.find(word="stepz")
    done = babelet("embeding")
    assert done.returncode == 2 and not done.stdout
    assert done.stderr.count("\n") == 1 and "did you mean embedding," in done.stderr


def test_the_command_prints_all_without_tensorflow():
    """A list that takes ten seconds to appear is not asked for twice."""
    done = babelet(PYTHONPROFILEIMPORTTIME="1")
    assert "babelet.configs.schema" in done.stderr
    assert not [n for n in EVERY if f"\n  {n}  " not in done.stdout]
    assert "| tensorflow" not in done.stderr and "| numpy" not in done.stderr
    seconds = []
    for _ in range(3):
        start = time.monotonic()
        asked = babelet("--help")
        seconds.append(time.monotonic() - start)
    assert asked.returncode == 0 and "[WORD]" in asked.stdout
    # The best of three: others use the machine too.
    assert min(seconds) < 1
