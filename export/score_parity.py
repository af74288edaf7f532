"""Whether an exported classifier answers as the student does."""

import math

import numpy as np

# Of a file in float32: the largest difference of one score.
EXACT_TOLERANCE = 1e-3
# Of one whose weights are in float16, 11 bits each: near a tie of two classes their
# rounding shows.
HALF_TOLERANCE = 1e-2
# The share of texts that have to have the student's class.
SAME_ANSWERS = 0.99
# Two best scores of the student this close are a tie, which any rounding decides.
TIE = 0.05
# Of the normal distribution: 95% are within.
_Z = 1.96
SUM_TOLERANCE = 1e-3


def score_figures(got: np.ndarray, expected: np.ndarray) -> dict[str, float]:
    """Compares scores, float (N, classes) each.

    Returns:
        `same_answer`, the share of rows with the same highest score;
        `max_difference` of one score; `sum_error`, of rows from 1.
    """
    return {
        "same_answer": float((got.argmax(axis=1) == expected.argmax(axis=1)).mean()),
        "max_difference": float(np.nan_to_num(np.abs(got - expected), nan=1.0).max()),
        "sum_error": float(np.nan_to_num(np.abs(got.sum(axis=1) - 1), nan=1.0).max()),
    }


def score_failure(
    got: np.ndarray,
    expected: np.ndarray,
    tolerance: float | None,
    answered: np.ndarray | None = None,
) -> tuple[str, str] | None:
    """Returns what was expected and received if the scores differ, else None.

    Of few texts the share with the student's class tells little of the file: it fails
    where the upper end of the share's 95% interval is below `SAME_ANSWERS`.

    Args:
        got: float (N, classes), of the file.
        expected: The same of the student.
        tolerance: Largest difference of one score; None where answers alone count.
        answered: bool (N,), the rows whose class counts: of a text without sense
            none is right. None: all.
    """
    figures = score_figures(got, expected)
    if figures["sum_error"] > SUM_TOLERANCE:
        return "scores of sum 1", f"a sum off by {figures['sum_error']:.4f}"
    if tolerance is not None and figures["max_difference"] > tolerance:
        wanted = f"every score within {tolerance}"
        return wanted, f"a difference of {figures['max_difference']:.4f}"
    if answered is not None:
        got, expected = got[answered], expected[answered]
    same, count = same_answers(got, expected, 2 * tolerance if tolerance else TIE)
    if upper_bound(same, count) < SAME_ANSWERS:
        wanted = f"the same class for {SAME_ANSWERS:.0%} of the texts"
        return wanted, f"{same / count:.2%} of {count}"
    return None


def same_answers(got: np.ndarray, expected: np.ndarray, tie: float) -> tuple[int, int]:
    """Returns how many texts have the student's class, and of how many.

    A text on which the student is undecided counts only if the file gives it a class
    that is not among the tied ones.

    Args:
        got: float (N, classes), of the file.
        expected: The same of the student.
        tie: Scores of the student that are this close are tied.
    """
    best = expected.max(axis=1, keepdims=True)
    tied = expected >= best - tie
    fits = tied[np.arange(len(got)), got.argmax(axis=1)]
    counted = (tied.sum(axis=1) == 1) | ~fits
    return int(fits[counted].sum()), int(counted.sum())


def upper_bound(successes: int, count: int) -> float:
    """Returns the upper end of a share's 95% interval (Wilson 1927), 1 for none."""
    if not count:
        return 1.0
    share, square = successes / count, _Z**2 / count
    spread = _Z * math.sqrt(share * (1 - share) / count + square / (4 * count))
    return (share + square / 2 + spread) / (1 + square)
