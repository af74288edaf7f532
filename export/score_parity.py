"""Whether an exported classifier answers as the student does."""

import numpy as np

# Of a file in float32: the largest difference of one score.
EXACT_TOLERANCE = 1e-3
# Of a quantised one: the share of texts with the same class on top.
SAME_ANSWER = 0.99
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
    exact: bool,
    answered: np.ndarray | None = None,
) -> tuple[str, str] | None:
    """Returns what was expected and received if the scores differ, else None.

    Args:
        got: float (N, classes), of the file.
        expected: The same of the student.
        exact: Whether the file computes in float32 throughout.
        answered: bool (N,), the rows whose class counts: of a text without sense
            none is right. None: all.
    """
    figures = score_figures(got, expected)
    if answered is not None and answered.any():
        real = score_figures(got[answered], expected[answered])
        figures["same_answer"] = real["same_answer"]
    if figures["sum_error"] > SUM_TOLERANCE:
        return "scores of sum 1", f"a sum off by {figures['sum_error']:.4f}"
    if exact and figures["max_difference"] > EXACT_TOLERANCE:
        wanted = f"every score within {EXACT_TOLERANCE}"
        return wanted, f"a difference of {figures['max_difference']:.4f}"
    if figures["same_answer"] < SAME_ANSWER:
        wanted = f"the same class for {SAME_ANSWER:.0%} of the texts"
        return wanted, f"{figures['same_answer']:.2%} of {len(got)}"
    return None
