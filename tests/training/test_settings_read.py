"""Every setting of a task is read by a run of that task: runs say what they read."""

import os

import numpy as np
import pytest

from babelet.configs import parsing, registry
from tests.training.conftest import Command, sentences

# In each process of a run, before anything of ours: notes the settings that are read.
# What `dataclasses` and configs/ read of all alike, for config.json and comparison,
# has no effect. A teacher that refuses a setting has no use for it.
RECORDER = """
import os, sys
from babelet.configs.checks import Section

seen, folder = set(), os.environ["SETTINGS_READ"]

def note(self, name):
    caller = sys._getframe(1)
    # Of a module that is run, the name is __main__.
    spec = caller.f_globals.get("__spec__")
    module = spec.name if spec else caller.f_globals.get("__name__", "")
    if not name.startswith("_") and (module + ".").startswith("babelet."):
        of_configs = module.startswith("babelet.configs.")
        section = object.__getattribute__(self, "section")
        key = f"{section}.{name}" if section else name
        if not of_configs and caller.f_code.co_name != "refuse_unused":
            if key not in seen:
                seen.add(key)
                with open(f"{folder}/{os.getpid()}", "a") as file:
                    file.write(key + "\\n")
    return object.__getattribute__(self, name)

Section.__getattribute__ = note
"""
FAST = (
    "training.steps=2",
    "training.warmup_steps=1",
    "training.validate_every=1",
    "training.checkpoint_every=1",
    "training.validation_pairs=5",
    "evaluation.pairs_per_language=5",
)
PREPARED = "--until=preparation"
# Which part validates is read where there are parts.
FOLDS = (PREPARED, "folds.count=2")
OWN_START = ("student.init_layers=", "vocabulary.method=train")


@pytest.fixture(scope="module")
def vectors(tmp_path_factory):
    """A table of vectors, of unit length, for every text of the tiny runs."""
    folder = tmp_path_factory.mktemp("vectors")
    texts = sorted({text for row in sentences() for text in row})
    rows = np.random.default_rng(0).normal(size=(len(texts), 32)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    np.save(folder / "given.npy", rows)
    (folder / "given.txt").write_text("".join(f"{x}\n" for x in texts), "utf-8")
    return folder / "given.npy"


@pytest.fixture
def runs(home, labelled, translation_recipe, vectors):
    """Returns by task (recipe, runs): what each run is given beside `FAST`."""
    # Vectors are scaled, or not, of a teacher that has no other way to make them.
    given = ("teacher.kind=vectors", f"teacher.path={vectors}", *OWN_START)
    reads = (
        "translation.teacher.reads_encoder=true",
        f"translation.encoder.path={home.teacher}",
        "translation.encoder.max_length=24",
        "translation.teacher.steps=2",
        "translation.teacher.warmup_steps=1",
    )
    gate = ("export.min_cosine=-1", "export.max_retrieval_loss=1")
    tuned = ("tuning.steps=2", "tuning.warmup_steps=1", "tuning.validate_every=1")
    return {
        "embedding": (home.recipe, [gate, FOLDS, (PREPARED, *given)]),
        "classification": (
            labelled,
            [tuned, (*FOLDS, *tuned, "labels.setting=few_shot", "tuning.scope=head")],
        ),
        "translation": (translation_recipe, [reads]),
    }


# What a table that is given does without: other sources and teachers read it.
ELSEWHERE = {
    "classification": {"labels.sentences_per_template", "teacher.normalization"},
}


@pytest.mark.parametrize("task", ["embedding", "classification", "translation"])
def test_every_setting_of_a_task_is_read_by_its_runs(runs, task, tmp_path):
    """A setting that nothing reads is accepted, recorded, and has no effect."""
    (tmp_path / "sitecustomize.py").write_text(RECORDER)
    (tmp_path / "read").mkdir()
    noted = {
        "PYTHONPATH": os.pathsep.join(
            (str(tmp_path), os.environ.get("PYTHONPATH", ""))
        ),
        "SETTINGS_READ": str(tmp_path / "read"),
    }
    recipe, given = runs[task]
    for number, each in enumerate(given):
        flags = tuple(x for x in each if x.startswith("--"))
        settings = tuple(x for x in each if not x.startswith("--"))
        command = Command(recipe, tmp_path / str(number), (*FAST, *settings), flags)
        done = command.run(**noted)
        assert done.returncode == 0, done.stderr[-3000:]
    read = {
        line
        for file in (tmp_path / "read").iterdir()
        for line in file.read_text().splitlines()
    }
    settings = {*parsing.keys(registry.config_class(task))} - {"task"}
    assert settings - read == ELSEWHERE.get(task, set())
