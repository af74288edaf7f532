"""Which labels a run may see: the three settings of transfer across languages."""

import numpy as np

from babelet.configs.classification import LabelsConfig
from babelet.data.labelled_corpus import UNLABELLED, LabelledCorpus, spread
from babelet.data.splits import TRAIN


def visible_labels(corpus: LabelledCorpus, labels: LabelsConfig) -> np.ndarray:
    """Returns bool (sentences,): training sentences whose label may be used.

    Under "few_shot" the choice is the same for every seed, so that runs compare.
    """
    known = (corpus.split == TRAIN) & (corpus.labels != UNLABELLED)
    if labels.setting == "supervised":
        return known
    pivot = corpus.sentence_language == 0
    visible = known & pivot
    if labels.setting == "few_shot":
        for language in range(1, len(corpus.languages)):
            of_language = known & (corpus.sentence_language == language)
            for label in range(len(corpus.classes)):
                rows = np.flatnonzero(of_language & (corpus.labels == label))
                visible[spread(rows)[: labels.per_class]] = True
    return visible


def visible_languages(corpus: LabelledCorpus, labels: LabelsConfig) -> tuple[str, ...]:
    """Returns the languages whose validation labels may decide anything."""
    if labels.setting == "supervised":
        return corpus.languages
    return corpus.languages[:1]


def visibility_warnings(corpus: LabelledCorpus, visible: np.ndarray) -> list[str]:
    """Returns a line for the classes that no visible label shows, if there are any."""
    counts = np.bincount(corpus.labels[visible], minlength=len(corpus.classes))
    absent = [corpus.classes[i] for i in np.flatnonzero(counts == 0)]
    if not absent:
        return []
    return [
        f"{len(absent)} of {len(corpus.classes)} classes have no label that this "
        f"setting may use, so every sentence of theirs will be wrong: "
        f"{', '.join(absent[:5])}"
    ]


def label_weights(
    corpus: LabelledCorpus, visible: np.ndarray, balanced: bool
) -> np.ndarray:
    """Returns float32 (sentences,), 0 where the label is hidden.

    Args:
        corpus: Its labels are read only where visible.
        visible: bool (sentences,).
        balanced: Whether classes weigh the same: n / (classes · n of the class), whose
            mean over visible sentences is 1; else 1 each.
    """
    weights = visible.astype(np.float32)
    if balanced:
        own = corpus.labels[visible]
        counts = np.bincount(own, minlength=len(corpus.classes))
        present = np.count_nonzero(counts)
        weights[visible] = len(own) / (present * counts[own])
    return weights
