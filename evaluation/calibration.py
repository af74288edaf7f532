"""Whether scores can be believed: calibration error, temperature, refusal."""

from collections.abc import Callable, Sequence

import numpy as np
import scipy

BINS = 15
# Temperatures that are tried, as logarithms.
LOG_RANGE = (np.log(0.05), np.log(20.0))


def calibration_error(scores: np.ndarray, labels: np.ndarray) -> float:
    """Returns the expected calibration error, in [0, 1].

    The mean distance of the highest score from the share of right answers, over 15
    bins of equal width weighted by their sentences (Guo et al. 2017, "On Calibration
    of Modern Neural Networks", eq. 3).

    Args:
        scores: float (N, classes), rows of sum 1.
        labels: int (N,).
    """
    confidence, right = scores.max(axis=1), scores.argmax(axis=1) == labels
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    error = 0.0
    for number in np.unique(bins):
        chosen = bins == number
        gap = abs(confidence[chosen].mean() - right[chosen].mean())
        error += chosen.mean() * gap
    return float(error)


def fitted_temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """Returns what logits are divided by to make the labels most likely.

    Temperature scaling (Guo et al. 2017, section 4.2): the order of the classes, and
    with it every answer, stays.

    Args:
        logits: float (N, classes) of held-out sentences; 1.0 is returned for none.
        labels: int (N,).
    """
    if not len(labels):
        return 1.0
    rows = np.arange(len(labels))
    logits = logits.astype(np.float64)

    def loss(log_temperature: float) -> float:
        scaled = logits / np.exp(log_temperature)
        return -scipy.special.log_softmax(scaled, axis=1)[rows, labels].mean()

    found = scipy.optimize.minimize_scalar(loss, bounds=LOG_RANGE, method="bounded")
    return float(np.exp(found.x))


def refusal_threshold(scores: np.ndarray, share: float) -> float:
    """Returns the highest score below which a sentence is of no known class.

    Args:
        scores: float (N, classes) of held-out sentences of known classes.
        share: Of them, what may be refused; 0 refuses nothing.
    """
    if share <= 0 or not len(scores):
        return 0.0
    return float(np.quantile(scores.max(axis=1), share))


def to_scores(logits: np.ndarray, temperature: float) -> np.ndarray:
    """Returns softmax(logits / temperature), float32 (N, classes)."""
    return scipy.special.softmax(
        logits.astype(np.float64) / temperature, axis=1
    ).astype(np.float32)


def scores_of(
    predict: Callable[[Sequence[str]], np.ndarray], temperature: float = 1.0
) -> Callable[[Sequence[str]], np.ndarray]:
    """Returns texts to scores for `predict`, texts to logits (N, classes)."""
    return lambda texts: to_scores(predict(texts), temperature)
