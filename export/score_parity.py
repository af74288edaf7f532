"""Whether an exported classifier answers as the student does."""

import math

import numpy as np

# Of a file in float32: the largest difference of one score.
EXACT_TOLERANCE = 1e-3
# Of one whose weights are in float16, 11 bits each: near a tie of two classes their
# rounding shows.
HALF_TOLERANCE = 1e-2
# Of a quantised one: texts of a hundred that may have another class on top.
OTHER_ANSWERS = 1
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
    if answered is not None and answered.any():
        got, expected = got[answered], expected[answered]
    same = int((got.argmax(axis=1) == expected.argmax(axis=1)).sum())
    # Rounded up: of fewer than a hundred texts one is more than a hundredth.
    if len(got) - same > math.ceil(len(got) * OTHER_ANSWERS / 100):
        wanted = f"the same class for {100 - OTHER_ANSWERS}% of the texts"
        return wanted, f"{same / len(got):.2%} of {len(got)}"
    return None
