"""Run with `python -m pytest tests/configs/test_settings.py`."""

import ast
import functools
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from babelet.configs import settings
from babelet.configs.data import DataConfig
from babelet.core.errors import BabeletError

ROOT = Path(__file__).resolve().parents[2]
PIPELINES = ROOT / "training" / "pipelines"
EVERY = {each.name: each for each in settings.every_setting()}


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


@pytest.mark.parametrize("setting", EVERY.values(), ids=lambda each: each.name)
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
        assert not [each for each in choices if each not in EVERY[name].meaning]


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


def test_unread_settings_exist():
    """A setting that was renamed would be shown again where it has no effect."""
    known = {*EVERY, *(each.group for each in EVERY.values())}
    for task, names in settings.UNREAD.items():
        assert task in settings.TASKS and set(names) <= known
        assert len(set(names)) == len(names)


def file_of(module):
    """Returns the source of one of our modules, None for other names."""
    first, *rest = module.split(".")
    if first != "babelet" or not rest:
        return None
    own = ROOT / "babelet" if rest[0] == "core" else ROOT
    path = own.joinpath(*rest)
    files = (path.with_suffix(".py"), path / "__init__.py")
    return next((file for file in files if file.is_file()), None)


@functools.cache
def tree(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def imported(path):
    """Yields the files of the modules that a file imports, or runs by their name."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.ImportFrom):
            for name in (node.module, *(f"{node.module}.{x.name}" for x in node.names)):
                yield file_of(name)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield file_of(node.value) if node.value.startswith("babelet.") else None


@functools.cache
def reached(task):
    """Returns the files that the pipeline of a task imports, and those they do."""
    found, waiting = set(), {PIPELINES / f"{task}.py"}
    while waiting:
        found |= waiting
        waiting = {each for path in waiting for each in imported(path)}
        # It lists the pipelines of all tasks.
        waiting -= {*found, None, PIPELINES / "__init__.py"}
    return {path for path in found if path.parent != ROOT / "configs"}


def reads(path):
    """Returns "group.name" of every attribute of an attribute, and ".name" of all."""
    found = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Attribute):
            receiver = ast.unparse(node.value).rpartition(".")[2].lstrip("_")
            found |= {f"{receiver}.{node.attr}", f".{node.attr}"}
    return found


@pytest.mark.parametrize("task", settings.TASKS)
def test_what_a_task_is_said_to_read_it_can_read(task):
    """A setting that nothing of the task names is accepted and has no effect."""
    known = set().union(*map(reads, reached(task)))
    shown = [each.name for each in settings.find(task)]
    dead = [name for name in shown if f".{name.rpartition('.')[2]}" not in known]
    assert not dead


@pytest.mark.parametrize("task", settings.TASKS)
def test_what_a_task_is_said_not_to_read_it_does_not(task):
    """A setting that has an effect, and is hidden from who asks for it."""
    others = [reached(other) for other in settings.TASKS if other != task]
    alone = reached(task).difference(*others)
    assert PIPELINES / f"{task}.py" in alone
    # What is refused unless it has its default, is read for that.
    checks = {ROOT / "training" / "translation_checks.py"}
    known = set().union(*map(reads, alone - checks))
    hidden = [name for name in EVERY if task not in EVERY[name].tasks]
    assert not [name for name in hidden if name in known]
