"""Whether an exported classifier answers as the student does."""

import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np

from babelet.export.array_gate import ArrayGate, Sample, row_cosines
from babelet.export.formats import FORMATS
from babelet.export.litert_predict import litert_predict
from babelet.export.task_export import (
    Artefact,
    Gate,
    Rebuilt,
    TaskExport,
    Texts,
    failure,
)
from babelet.model.heads import Scores

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


class ScoreGate(ArrayGate):
    """The gate of files that score classes: the student's answers."""

    column = "scores"

    def judge(self, artefact: Artefact, path: Path) -> tuple[dict[str, Any], list[str]]:
        """Compares the answers to the real texts."""
        rows = list({s.text: i for i, s in enumerate(self.samples) if s.real}.values())
        self.judged_texts = len(rows)
        predict = litert_predict(
            path, self.built.tokenizer, num_threads=os.cpu_count() or 1
        )
        got = predict([self.samples[row].text for row in rows])
        failed = score_failure(got, self.expected[rows], None)
        reasons = [f"expected {failed[0]}, received {failed[1]}"] if failed else []
        return score_figures(got, self.expected[rows]), reasons

    def require(
        self,
        name: str,
        tier: str | None,
        samples: list[Sample],
        got: np.ndarray,
        expected: np.ndarray,
    ) -> None:
        """Requires the student's answers, and of float weights its scores."""
        tolerance = {"fp32": EXACT_TOLERANCE, "fp16": HALF_TOLERANCE}.get(tier or "")
        real = np.array([sample.real for sample in samples])
        failed = tier and score_failure(got, expected, tolerance, real)
        if failed:
            worst = samples[int(row_cosines(got, expected).argmin())]
            problem = (
                f"{name} does not answer as the student does, least so for {worst}"
            )
            raise failure(problem, *failed)

    def figures(self, name: str, tier: str | None, got: np.ndarray) -> dict[str, Any]:
        """Returns `score_figures`."""
        del name, tier
        return score_figures(got, self.expected)

    def shown(self, row: Mapping[str, Any]) -> str:
        """Returns the share of the student's answers."""
        return f"the same class for {row['same_answer']:.2%} of the texts"


class ScoreExport(TaskExport):
    """Files that score classes, at a temperature of 1."""

    formats = FORMATS

    def served(self, student: keras.Model, config: Any, workdir: Path) -> keras.Model:
        """Returns the student with a softmax: scores instead of logits."""
        temperature = self.described(config, workdir).get("temperature", 1.0)
        scores = Scores(temperature, dtype="float32", name="scores")(student.output)
        return keras.Model(student.input, scores, name="classifier")

    def gate(self, built: Rebuilt, workdir: Path, texts: Texts) -> Gate:
        """Returns the gate of scores and answers."""
        del workdir
        return ScoreGate(built, texts)


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
