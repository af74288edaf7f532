"""Accuracy, macro-F1 and confusion of any model from texts to scores."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from babelet.evaluation.calibration import calibration_error

# Texts to float32 (N, classes), rows of sum 1.
Scores = Callable[[Sequence[str]], np.ndarray]


class LabelledSet(NamedTuple):
    """Held-out sentences of one language."""

    language: str
    texts: Sequence[str]
    # int (N,), ids of classes.
    labels: np.ndarray


def classification(
    predict: Scores,
    sets: Sequence[LabelledSet],
    classes: Sequence[str],
    threshold: float = 0.0,
) -> dict[str, Any]:
    """Scores one model: teacher, student, SavedModel or LiteRT.

    Args:
        predict: Texts to scores; called once, with all texts.
        sets: One set for each language; empty ones are left out.
        classes: Names of the scores' columns.
        threshold: Highest scores below it are refusals.

    Returns:
        Plain numbers, ready for JSON, shares in [0, 1]: `languages`, by code
        `accuracy`, `macro_f1` and `count`; `mean` over languages of the first two;
        `confusion`, rows of true and columns of chosen classes, counts; `f1` by
        class; `calibration_error`; `refused`, and `accepted_accuracy` of the rest.
    """
    sets = [group for group in sets if len(group.texts)]
    labels = np.concatenate([group.labels for group in sets])
    scores = predict([text for group in sets for text in group.texts])
    if scores.shape != (len(labels), len(classes)) or not np.isfinite(scores).all():
        raise ValueError(
            f"Expected: finite scores of shape {(len(labels), len(classes))}. "
            f"Received: shape {scores.shape}"
        )
    chosen, ends = scores.argmax(axis=1), np.cumsum([len(g.texts) for g in sets])
    languages = {}
    for group, end in zip(sets, ends, strict=True):
        own = chosen[end - len(group.texts) : end]
        languages[group.language] = {
            "accuracy": float((own == group.labels).mean()),
            "macro_f1": macro_f1(group.labels, own),
            "count": len(group.texts),
        }
    accepted = scores.max(axis=1) >= threshold
    right = (chosen == labels)[accepted]
    confusion = confusion_matrix(labels, chosen, len(classes))
    return {
        "languages": languages,
        "mean": {
            name: float(np.mean([row[name] for row in languages.values()]))
            for name in ("accuracy", "macro_f1")
        },
        "confusion": confusion.tolist(),
        "f1": dict(zip(classes, f1_of_classes(confusion), strict=True)),
        "calibration_error": calibration_error(scores, labels),
        "refused": float(1 - accepted.mean()),
        "accepted_accuracy": float(right.mean()) if len(right) else None,
    }


def confusion_matrix(
    labels: np.ndarray, chosen: np.ndarray, classes: int
) -> np.ndarray:
    """Returns int64 (classes, classes): counts by true and chosen class."""
    matrix = np.zeros((classes, classes), np.int64)
    np.add.at(matrix, (labels, chosen), 1)
    return matrix


def exchanged_classes(confusion: np.ndarray) -> dict[int, int]:
    """Returns the class that is mostly chosen for each class whose name is another's.

    Two classes, or more in a circle, of each of which more than half the sentences are
    taken for the next: a model whose outputs are named in another order does that, and
    one that merely errs hardly ever.

    Args:
        confusion: int (classes, classes), as `confusion_matrix` returns.
    """
    most = confusion.argmax(axis=1).tolist()
    follows = {
        true: chosen
        for true, chosen in enumerate(most)
        if chosen != true and 2 * confusion[true, chosen] > confusion[true].sum()
    }
    # What nothing leads to, or leads nowhere, is in no circle.
    while outside := follows.keys() ^ set(follows.values()):
        follows = {i: j for i, j in follows.items() if not {i, j} & outside}
    return follows


def f1_of_classes(confusion: np.ndarray) -> list[float | None]:
    """Returns the F1 of each class, None where it is neither true nor chosen."""
    both = confusion.sum(axis=0) + confusion.sum(axis=1)
    right = np.diag(confusion)
    return [
        2 * int(hit) / int(total) if total else None
        for hit, total in zip(right, both, strict=True)
    ]


def macro_f1(labels: np.ndarray, chosen: np.ndarray) -> float:
    """Returns the mean F1 over the classes that occur among `labels`.

    A class chosen but never true lowers the precision, and so the F1, of none of
    them; it costs the recall of those that were true.
    """
    matrix = confusion_matrix(labels, chosen, int(max(labels.max(), chosen.max())) + 1)
    scores = f1_of_classes(matrix)
    return float(np.mean([scores[label] for label in np.unique(labels)]))
