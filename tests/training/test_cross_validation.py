"""Cross-validation with real trainings."""

import json

import numpy as np
import pytest

from babelet.core.errors import BabeletError
from babelet.data.corpus import Corpus
from babelet.data.labelled_corpus import LabelledCorpus
from babelet.data.splits import TEST, TRAIN, VALIDATION
from babelet.training.tuning import Search, search
from tests.training.conftest import train

QUICK = ("tuning.scope=head", "training.validate_every=10", "training.steps=20")


def test_a_search_over_folds_trains_each_on_the_others(labelled, tmp_path):
    """A teacher, or a test sentence, that is shared by the folds flatters all."""
    runs = tmp_path / "runs"
    found = search(Search(str(labelled), QUICK, runs, 2), trials=2)
    assert len(found["folds"]) == 2 and 0.2 < found["validation"] <= 1
    one, two = (LabelledCorpus(runs / "0" / f"fold{i}" / "corpus") for i in (0, 1))
    texts = [
        {c.sentences[int(i)] for i in np.flatnonzero(c.split == split)}
        for c in (one, two)
        for split in (TRAIN, VALIDATION, TEST)
    ]
    assert texts[0] == texts[4] and texts[1] == texts[3] and texts[2] == texts[5]
    assert not texts[0] & texts[1] and not (texts[0] | texts[1]) & texts[2]
    steps = [
        json.loads((runs / trial / fold / "manifest.json").read_text())["steps"]
        for trial in ("0", "1")
        for fold in ("fold0", "fold1")
    ]
    assert steps[0]["tuning"] == steps[2]["tuning"] != steps[1]["tuning"]
    assert "evaluation" not in steps[0]


def test_pairs_are_dealt_to_folds_as_well(home, tmp_path):
    """Translations of one sentence in two folds are the answers to each other."""
    settings = ("folds.count=2", "training.steps=4", "training.validate_every=4")
    options = {"until": "training"}
    first = train(home.recipe, tmp_path / "0", *settings, **options)
    other = train(home.recipe, tmp_path / "1", *settings, "folds.number=1", **options)
    one, two = (Corpus(folder / "corpus") for folder in (first, other))
    texts = [
        {c.sentences[int(i)] for i in c.pairs[c.pair_split == VALIDATION].ravel()}
        for c in (one, two)
    ]
    assert all(len(part) > 50 for part in texts) and not texts[0] & texts[1]
    np.testing.assert_array_equal(one.pair_split == TEST, two.pair_split == TEST)
    with pytest.raises(BabeletError, match="prepared with other folds settings"):
        settings = (*settings, "folds.number=1")
        train(home.recipe, tmp_path / "2", *settings, prepared=str(first), **options)
