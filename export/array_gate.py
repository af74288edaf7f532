"""The gate of files that give a row of numbers for each text."""

import abc
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from babelet.export.latency import measure_latency
from babelet.export.predict import keras_predict
from babelet.export.task_export import Artefact, Gate, Rebuilt, Texts, failure

EDGE_CASES = (
    "",
    "   ",
    "\t\n",
    "?",
    "🏠🔥 👩‍👩‍👧",
    "𐍈 ꙮ ￿ \x00 end",
    "<s> </s> <pad> <unk>",
    "ﬁlter ｶﾞｽ ① ½ e\u0301",
    "הדלק את light-ה ב-3 חדרים",
    "turn on the lamp " * 200,
    "x" * 3000,
)
_EDGE_CASE = "edge case"


class Sample(NamedTuple):
    """A text that is compared, and what a message calls its language."""

    language: str
    text: str

    @property
    def real(self) -> bool:
        """Whether someone may have written it."""
        return self.language != _EDGE_CASE and bool(self.text.strip())

    def __str__(self) -> str:
        text = self.text if len(self.text) <= 80 else self.text[:80] + "…"
        return f"the {self.language} text {text!r}"


class ArrayGate(Gate):
    """Compares rows of numbers with the student's, text by text.

    Attributes:
        built: The student, its tokenizer and settings.
        samples: The texts: `EDGE_CASES`, and the run's own.
        expected: What the student gives for them, float32 (len(samples), width).
    """

    # Of the student's row, in golden.jsonl.
    column: str

    def __init__(self, built: Rebuilt, texts: Texts, pivot: str = "") -> None:
        """Takes the student and the texts by language; `pivot` names that of pairs."""
        self.built = built
        samples = [Sample(_EDGE_CASE, text) for text in EDGE_CASES]
        for language, pairs in texts.items():
            for pivot_text, text in pairs:
                if pivot_text and pivot_text != text:
                    samples.append(Sample(pivot, pivot_text))
                samples.append(Sample(language, text))
        self.samples = list(dict.fromkeys(samples))
        self.keras = keras_predict(built.student, built.tokenizer)
        self.expected = self.keras([sample.text for sample in self.samples])

    @abc.abstractmethod
    def require(
        self,
        name: str,
        tier: str | None,
        samples: list[Sample],
        got: np.ndarray,
        expected: np.ndarray,
    ) -> None:
        """Requires the rows of a file, float32 (N, width), to be the student's.

        Args:
            name: Of the file.
            tier: Its precision; None if it may be below the gate.
            samples: N of them.
            got: Of the file.
            expected: Of the student, of as many columns.

        Raises:
            BabeletError: They are not; the worst text is named.
        """

    @abc.abstractmethod
    def figures(self, name: str, tier: str | None, got: np.ndarray) -> dict[str, Any]:
        """Returns what else parity.json says of the rows of all samples.

        Args:
            name: Of the file.
            tier: As for `require`.
            got: Of the file, float32 (len(samples), width).

        Raises:
            BabeletError: They are not the student's.
        """

    def compare(self, artefact: Artefact, path: Path, forced: bool) -> dict[str, Any]:
        """Compares the rows, at two batch sizes and lengths."""
        name, tokenizer = artefact.name, self.built.tokenizer
        tier = None if forced else artefact.tier
        texts = [sample.text for sample in self.samples]
        # A second batch size, and padding up to the last position: a file whose shapes
        # were frozen, or whose mask is ignored, passes at the first and fails here.
        some = sorted({*range(len(EDGE_CASES)), *range(0, len(texts), 8)})
        got = artefact.open(path, tokenizer, 16, 8)(texts)
        again = artefact.open(path, tokenizer, 3, tokenizer.max_length)(
            [texts[index] for index in some]
        )
        chosen = [self.samples[index] for index in some]
        for rows, samples, expected in (
            (got, self.samples, self.expected),
            (again, chosen, self.expected[some]),
        ):
            if rows.shape != expected.shape:
                wrong = f"{name} gives vectors of another width"
                raise failure(wrong, str(expected.shape), str(rows.shape))
            self.require(name, tier, samples, rows, expected)
        cosines = row_cosines(got, self.expected)
        worst = int(cosines.argmin())
        return {
            "min_cosine": float(cosines[worst]),
            "mean_cosine": float(cosines.mean()),
            "worst_text": self.samples[worst].text,
            "worst_language": self.samples[worst].language,
        } | self.figures(name, tier, got)

    def facts(self) -> dict[str, Any]:
        """Returns how many texts and languages there are."""
        languages = {sample.language for sample in self.samples} - {_EDGE_CASE}
        return {"texts": len(self.samples), "languages": len(languages)}

    def golden(self) -> list[dict[str, Any]]:
        """Returns a line for each edge case and for two texts of every language."""
        shown: dict[str, int] = {}
        rows = []
        for sample, row in zip(self.samples, self.expected, strict=True):
            shown[sample.language] = shown.get(sample.language, 0) + 1
            if sample.language != _EDGE_CASE and shown[sample.language] > 2:
                continue
            rows.append(
                {
                    "language": sample.language,
                    "text": sample.text,
                    "token_ids": self.built.tokenizer.encode([sample.text])[0],
                    self.column: [round(float(value), 7) for value in row],
                }
            )
        return rows

    def latency(
        self, rows: Mapping[str, dict[str, Any]], files: Mapping[str, Path]
    ) -> dict[str, Any]:
        """Adds `median_ms` and `visits_ms`; returns `tokens`, `batch`, `threads`."""
        taken = measure_latency(dict(files))
        for tier, figures in taken.pop("models").items():
            rows[tier].update(figures)
        return taken


def row_cosines(got: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """Returns the cosines of rows, float64 (N,), -1 where there is none."""
    got, expected = got.astype(np.float64), expected.astype(np.float64)
    lengths = np.linalg.norm(got, axis=1) * np.linalg.norm(expected, axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        cosines = (got * expected).sum(axis=1) / lengths
    return np.where(np.isfinite(cosines), cosines, -1.0)
