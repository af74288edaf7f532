"""Whether an exported file gives the vectors, or the scores, of its student."""

from typing import NamedTuple

import numpy as np

from babelet.core.errors import BabeletError
from babelet.export.score_parity import score_failure

UNIT_TOLERANCE = 1e-3


class Sample(NamedTuple):
    """A text that is compared, and what a message calls its language."""

    language: str
    text: str


class Gate(NamedTuple):
    """What a file has to reach."""

    minimum_cosine: float
    retrieval_tolerance: float
    # Of each score of a classifier; None: its answers alone are compared.
    score_tolerance: float | None = None


def compare_vectors(
    name: str,
    gate: Gate,
    samples: list[Sample],
    got: np.ndarray,
    expected: np.ndarray,
) -> np.ndarray:
    """Compares sentence vectors, float32 (N, dim) each, row by row.

    Returns:
        Cosines, float64 (N,).

    Raises:
        BabeletError: A cosine is below the gate's, or a vector not of unit length;
            the worst text and its language are named.
    """
    minimum = gate.minimum_cosine
    cosines, lengths = _cosines(name, got, expected)
    worst = samples[int(cosines.argmin())]
    if cosines.min() < minimum:
        raise failure(
            f"{name} differs from the student on the {worst.language} text "
            f"{_shown(worst.text)}",
            f"a cosine of at least {minimum}",
            f"{cosines.min():.6f}; below the gate are "
            f"{int((cosines < minimum).sum())} of {len(samples)} texts",
        )
    odd = samples[int(np.abs(lengths - 1).argmax())]
    if np.abs(lengths - 1).max() > UNIT_TOLERANCE:
        raise failure(
            f"{name} gives a vector that is not of unit length for the "
            f"{odd.language} text {_shown(odd.text)}",
            f"a length within {UNIT_TOLERANCE} of 1",
            f"{lengths[np.abs(lengths - 1).argmax()]:.6f}",
        )
    return cosines


def compare_scores(
    name: str,
    gate: Gate,
    samples: list[Sample],
    got: np.ndarray,
    expected: np.ndarray,
) -> np.ndarray:
    """Compares a classifier's scores, float32 (N, classes) each, row by row.

    Returns:
        Cosines, float64 (N,).

    Raises:
        BabeletError: The answers are not the student's (see `score_failure`).
    """
    cosines, _ = _cosines(name, got, expected)
    real = np.array(
        [s.language != "edge case" and bool(s.text.strip()) for s in samples]
    )
    if gate.minimum_cosine < 0:
        # Below the gate, and kept by --force.
        return cosines
    if failed := score_failure(got, expected, gate.score_tolerance, real):
        worst = samples[int(cosines.argmin())]
        raise failure(
            f"{name} does not answer as the student does, least so for the "
            f"{worst.language} text {_shown(worst.text)}",
            *failed,
        )
    return cosines


def _cosines(
    name: str, got: np.ndarray, expected: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the cosines, -1 where there is none, and the lengths, float64 (N,)."""
    if got.shape != expected.shape:
        raise failure(
            f"{name} gives vectors of another width",
            str(expected.shape),
            str(got.shape),
        )
    got, expected = got.astype(np.float64), expected.astype(np.float64)
    lengths = np.linalg.norm(got, axis=1)
    cosines = (got * expected).sum(axis=1)
    cosines /= lengths * np.linalg.norm(expected, axis=1)
    return np.where(np.isfinite(cosines), cosines, -1.0), lengths


def failure(problem: str, expected: str, received: str) -> BabeletError:
    """Returns the error of a file that is not its student's."""
    return BabeletError(
        problem,
        expected=expected,
        received=received,
        consequence="Its results would be wrong",
        remedy="install the versions in constraints.txt and export again; if it fails "
        "again, report this line",
    )


def _shown(text: str) -> str:
    return repr(text if len(text) <= 80 else text[:80] + "…")
