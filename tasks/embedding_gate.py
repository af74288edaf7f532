"""The gate of an encoder's files: the student's vectors, and its retrieval."""

import os
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from babelet.configs.embedding import ExportConfig
from babelet.data.corpus import Corpus
from babelet.data.splits import TEST
from babelet.evaluation.encoding import EncodedOnce, encode_once
from babelet.evaluation.evaluate import evaluate, headline
from babelet.evaluation.retrieval import RetrievalSet, mean_over_languages, retrieval
from babelet.export.array_gate import ArrayGate, Sample, row_cosines
from babelet.export.litert_predict import litert_predict
from babelet.export.task_export import Artefact, Rebuilt, Texts, failure
from babelet.tasks.held_out import alone, held_out

EXACT_COSINE, RETRIEVAL_TOLERANCE, UNIT_TOLERANCE = 0.9999, 0.01, 1e-3


class EmbeddingGate(ArrayGate):
    """Compares vectors and retrieval with the student's in float32.

    A precision is scored on the whole test split, with the metrics of the training's
    evaluation, and text by text.
    """

    column = "embedding"

    def __init__(self, built: Rebuilt, workdir: Path, texts: Texts) -> None:
        """Takes what is exported, the run's folder and the texts of the gate."""
        super().__init__(built, texts, built.config.data.pivot)
        self._workdir = workdir
        self._settings = built.config.export
        self._sets = [
            RetrievalSet(language, [p for p, _ in pairs], [t for _, t in pairs])
            for language, pairs in texts.items()
            if all(pivot_text for pivot_text, _ in pairs)
        ]
        self._retrieval = self._score(self.expected)

    def facts(self) -> dict[str, Any]:
        """Returns texts, languages and the student's retrieval on them."""
        return super().facts() | {"retrieval_keras": self._retrieval}

    def judge(self, artefact: Artefact, path: Path) -> tuple[dict[str, Any], list[str]]:
        """Scores a precision on the test split."""
        texts, known = self._test
        predict = litert_predict(
            path, self.built.tokenizer, num_threads=os.cpu_count() or 1
        )
        encode = encode_once(predict, f"Scoring {artefact.tier}")
        metrics = self._measured(encode)
        # Their products: a file whose vectors are not of unit length shows.
        products = known(texts).astype(np.float64) * encode(texts)
        cosines = products.sum(axis=1)
        worst = int(cosines.argmin())
        row = {
            "min_cosine": float(cosines[worst]),
            "mean_cosine": float(cosines.mean()),
            "worst_text": texts[worst],
            "metrics": metrics,
        }
        return row, below_gate(row, self.metrics, self._settings)

    @cached_property
    def _test(self) -> tuple[list[str], EncodedOnce]:
        """The texts of the test split, and the student's vectors of them."""
        groups = [side for s in self._pairs for side in (s.pivot_texts, s.texts)]
        limit = self.built.config.evaluation.pairs_per_language
        groups += alone(self._corpus, TEST, limit).values()
        texts = list(dict.fromkeys(text for side in groups for text in side))
        known = encode_once(self.keras, "Scoring the student")
        self.judged_texts, self.metrics = len(texts), self._measured(known)
        return texts, known

    @cached_property
    def _corpus(self) -> Corpus:
        return Corpus(self._workdir / "corpus")

    @cached_property
    def _pairs(self) -> list[RetrievalSet]:
        limit = self.built.config.evaluation.pairs_per_language
        return held_out(self._corpus, TEST, limit)

    def _measured(self, encode: EncodedOnce) -> dict[str, Any]:
        """Returns the figures that metrics.json has of teacher and student."""
        settings = self.built.config.evaluation
        return evaluate(encode, self._pairs, tatoeba=settings.tatoeba, sts=settings.sts)

    def require(
        self,
        name: str,
        tier: str | None,
        samples: list[Sample],
        got: np.ndarray,
        expected: np.ndarray,
    ) -> None:
        """Requires the cosines of the gate, and unit lengths."""
        minimum, cosines = self._minimum(tier), row_cosines(got, expected)
        if cosines.min() < minimum:
            raise failure(
                f"{name} differs from the student on {samples[int(cosines.argmin())]}",
                f"a cosine of at least {minimum}",
                f"{cosines.min():.6f}; below the gate are "
                f"{int((cosines < minimum).sum())} of {len(samples)} texts",
            )
        lengths = np.linalg.norm(got.astype(np.float64), axis=1)
        odd = int(np.abs(lengths - 1).argmax())
        if not abs(lengths[odd] - 1) <= UNIT_TOLERANCE:
            raise failure(
                f"{name} gives a vector that is not of unit length for {samples[odd]}",
                f"a length within {UNIT_TOLERANCE} of 1",
                f"{lengths[odd]:.6f}",
            )

    def figures(self, name: str, tier: str | None, got: np.ndarray) -> dict[str, Any]:
        """Requires the student's retrieval and returns the file's."""
        score, wanted = self._score(got), self._retrieval
        tolerance = 1.0 if tier is None else RETRIEVAL_TOLERANCE
        if tier == "int8":
            tolerance = max(tolerance, self._settings.max_retrieval_loss)
        # Rounding of the difference must not decide.
        if score is not None and wanted is not None:
            if abs(score - wanted) > tolerance + 1e-9:
                raise failure(
                    f"{name} finds other translations than the student",
                    f"a retrieval accuracy within {tolerance:.0%} of {wanted:.4f}",
                    f"{score:.4f}",
                )
        return {"retrieval": score, "gate": self._minimum(tier)}

    def shown(self, row: Mapping[str, Any]) -> str:
        """Returns the cosines, and retrieval where it was measured."""
        text = f"cosine min {row['min_cosine']:.6f} mean {row['mean_cosine']:.6f}"
        score = headline(row["metrics"]) if "metrics" in row else None
        return text if score is None else f"{text}, retrieval {score:.2%}"

    def _minimum(self, tier: str | None) -> float:
        if tier is None:
            return -1.0
        return self._settings.min_cosine if tier == "int8" else EXACT_COSINE

    def _score(self, vectors: np.ndarray) -> float | None:
        rows = {sample.text: row for row, sample in enumerate(self.samples)}
        known = EncodedOnce(
            lambda texts: vectors[[rows[text] for text in texts]], chunk=len(rows)
        )
        return mean_over_languages(retrieval(known, self._sets))["mean"]


def below_gate(
    row: Mapping[str, Any], metrics: Mapping[str, Any], gate: ExportConfig
) -> list[str]:
    """Returns in words why a tier is below the gate; nothing if it is not.

    Args:
        row: `min_cosine`, `worst_text` and `metrics` of the tier.
        metrics: Of the student in float32.
        gate: The settings.
    """
    found = []
    if not row["min_cosine"] >= gate.min_cosine:
        found.append(
            f"cosine {row['min_cosine']:.6f} on {row['worst_text']!r}, of at least "
            f"{gate.min_cosine:g}"
        )
    tier, student = headline(row["metrics"]), headline(metrics)
    # Rounding of the difference must not decide.
    loss = 0.0 if tier is None or student is None else student - tier
    if loss > gate.max_retrieval_loss + 1e-9:
        found.append(
            f"retrieval {tier:.2%} where the student has {student:.2%}, a loss of at "
            f"most {gate.max_retrieval_loss:.2%}"
        )
    return found
