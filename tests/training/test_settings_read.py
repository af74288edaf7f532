"""Every setting of a task is read by a run of that task: runs say what they read.

A setting that nothing reads is accepted, recorded, and has no effect. The runs of
translation are in test_translation_run.py.
"""

import numpy as np
import pytest

from tests.training.conftest import Command, sentences
from tests.training.settings_recorder import recording, unread

FAST = (
    "training.steps=2",
    "training.warmup_steps=1",
    "training.validate_every=1",
    "training.checkpoint_every=1",
    "training.validation_pairs=5",
    "evaluation.pairs_per_language=5",
    "tuning.steps=2",
    "tuning.warmup_steps=1",
    "tuning.validate_every=1",
)
PREPARED = ("--until=preparation",)
# Which part validates is read where there are parts.
FOLDS = "folds.count=2"
OWN_START = ("student.init_layers=", "vocabulary.method=train")
# What a table that is given does without: other sources and teachers read it.
ELSEWHERE = {"labels.sentences_per_template", "teacher.normalization"}


@pytest.fixture
def vectors(tmp_path):
    """A table of vectors, of unit length, for every text of the tiny runs."""
    texts = sorted({text for row in sentences() for text in row})
    rows = np.random.default_rng(0).normal(size=(len(texts), 32)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    np.save(tmp_path / "given.npy", rows)
    (tmp_path / "given.txt").write_text("".join(f"{x}\n" for x in texts), "utf-8")
    return tmp_path / "given.npy"


def test_every_setting_of_an_embedding_is_read(home, finished, vectors, tmp_path):
    """A width of vectors, or a weight of the loss, that changes nothing."""
    # Vectors are scaled, or not, of a teacher that has no other way to make them.
    given = ("teacher.kind=vectors", f"teacher.path={vectors}", *OWN_START)
    noted = recording(tmp_path / "noted")
    for name, settings in {"folds": (FOLDS,), "given": given}.items():
        Command(home.recipe, tmp_path / name, settings, PREPARED).succeed(**noted)
    assert unread("embedding", home.folder / "noted", tmp_path / "noted") == set()


def test_every_setting_of_a_classifier_is_read(labelled, tmp_path):
    """Labels that are hidden, or a threshold, as if nothing had been set."""
    noted = recording(tmp_path / "noted")
    Command(labelled, tmp_path / "whole", FAST).succeed(**noted)
    few = (*FAST, FOLDS, "labels.setting=few_shot", "tuning.scope=head")
    Command(labelled, tmp_path / "few", few, PREPARED).succeed(**noted)
    assert unread("classification", tmp_path / "noted") == ELSEWHERE
