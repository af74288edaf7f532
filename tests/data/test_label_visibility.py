from types import SimpleNamespace

import numpy as np
import pytest

from babelet.configs.classification import LabelsConfig
from babelet.data.label_visibility import (
    label_weights,
    visibility_warnings,
    visible_labels,
    visible_languages,
)
from babelet.data.labelled_corpus import UNLABELLED

# English and German; classes off and on; the last three rows do not train.
CORPUS = SimpleNamespace(
    languages=("en", "de"),
    classes=("off", "on"),
    sentence_language=np.array([0, 0, 0, 1, 1, 1, 1, 1, 0, 1, 1]),
    labels=np.array([0, 1, 1, 0, 0, 0, 1, UNLABELLED, 0, 1, 0]),
    split=np.array([0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 2]),
)


@pytest.mark.parametrize(
    ("setting", "visible"),
    [("supervised", [0, 1, 2, 3, 4, 5, 6]), ("zero_shot", [0, 1, 2])],
)
def test_which_labels_are_visible(setting, visible):
    """Zero-shot figures of a model that saw target labels are worth nothing."""
    found = visible_labels(CORPUS, LabelsConfig(setting=setting))
    assert np.flatnonzero(found).tolist() == visible


def test_few_shot_shows_so_many_of_each_class_and_all_of_the_pivot():
    """A class shown more often than said flatters the few-shot figures."""
    found = visible_labels(CORPUS, LabelsConfig(setting="few_shot", per_class=1))
    assert found[:3].all() and found[6]
    assert found[3:6].sum() == 1 and not found[7:].any()


def test_hidden_languages_do_not_decide_by_their_validation():
    """Choosing a checkpoint by target labels is using them."""
    assert visible_languages(CORPUS, LabelsConfig()) == ("en", "de")
    assert visible_languages(CORPUS, LabelsConfig(setting="few_shot")) == ("en",)


def test_balanced_classes_weigh_the_same():
    """A class with a tenth of the sentences is learned a tenth as well."""
    visible = visible_labels(CORPUS, LabelsConfig())
    weights = label_weights(CORPUS, visible, balanced=True)
    sums = [weights[visible & (CORPUS.labels == label)].sum() for label in (0, 1)]
    np.testing.assert_allclose(sums, 3.5, rtol=1e-6)
    assert not weights[~visible].any()


def test_a_class_without_visible_label_is_warned_of():
    """Its sentences are all answered wrongly, which looks like a weak student."""
    visible = np.arange(11) == 1
    (warning,) = visibility_warnings(CORPUS, visible)
    assert "1 of 2 classes" in warning and "off" in warning
