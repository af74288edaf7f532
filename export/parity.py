"""The gate: exported files give the vectors the student gives, on real text.

    python -m export.parity --workdir=runs/smart_home

checks <workdir>/export against the student rebuilt from the saved weights, in a
process that has not seen the training. Files that fail are deleted, all of them.
"""

import json
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from absl import flags
from tqdm import tqdm

from configs import command
from configs.atomic import atomic_path, remove
from configs.errors import BabeletError
from configs.schema import ExportConfig
from data.tokenizer import Tokenizer
from evaluation.encoding import EncodedOnce
from evaluation.retrieval import RetrievalSet, mean_over_languages, retrieval
from export.formats import FORMATS, Artefact, artefacts, measure, require_known
from export.new_process import end_with
from export.predict import keras_predict
from export.quantisation import forced_tiers
from export.rebuild import describe, rebuild_served
from export.score_parity import (
    EXACT_TOLERANCE,
    HALF_TOLERANCE,
    score_figures,
)
from export.vector_parity import (
    Gate,
    Sample,
    compare_scores,
    compare_vectors,
    failure,
)

# Language -> (pivot text, translation) pairs, ("", text) where there is no translation.
Texts = dict[str, Sequence[tuple[str, str]]]

TEXTS = "parity_texts.json"
EXACT_COSINE = 0.9999
RETRIEVAL_TOLERANCE = 0.01
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


class _Reference(NamedTuple):
    samples: list[Sample]
    vectors: np.ndarray  # float32 (len(samples), dim)
    # Empty for a classifier, whose vectors are scores.
    sets: list[RetrievalSet]
    retrieval: float | None
    scores: bool = False


def check_parity(
    workdir: Path,
    folder: Path,
    texts_by_language: Texts,
    formats: Sequence[str] = tuple(FORMATS),
) -> dict[str, Any]:
    """Compares the artefacts in `folder` with the student of `workdir`.

    On success `folder` gains parity.json, the figures, and golden.jsonl, texts with
    the ids and vectors that any other implementation should give.

    Args:
        workdir: Holds config.json, tokenizer.model and student.weights.h5.
        folder: Holds the artefacts.
        texts_by_language: Real text, and pairs for the retrieval check.
        formats: The names in `FORMATS` of what it holds.

    Returns:
        What parity.json holds.

    Raises:
        BabeletError: An artefact differs; it, the text and its language are named.
    """
    student, tokenizer, config = rebuild_served(workdir)
    scores = config.task == "classification"
    samples = _samples(texts_by_language, config.data.pivot)
    checked, forced = artefacts(formats), forced_tiers(folder)
    # The bar counts what is slow: texts through the student and each artefact.
    with tqdm(total=1 + len(checked), desc="Parity", unit=" models") as progress:
        vectors = keras_predict(student, tokenizer)([s.text for s in samples])
        sets = [
            RetrievalSet(language, [p for p, _ in pairs], [t for _, t in pairs])
            for language, pairs in texts_by_language.items()
            if not scores and all(pivot_text for pivot_text, _ in pairs)
        ]
        found = None if scores else _score(samples, vectors, sets)
        reference = _Reference(samples, vectors, sets, found, scores)
        progress.update()
        figures = {}
        for artefact in checked:
            gate = _gate(artefact.tier, config.export, forced)
            figures[artefact.name] = _check(
                artefact, gate, folder, tokenizer, reference
            )
            progress.update()
    report = {
        "texts": len(samples),
        "languages": len({s.language for s in samples}) - 1,
        "retrieval_keras": reference.retrieval,
        "artefacts": figures,
        "files": {each.path: measure(folder / each.path) for each in checked},
        "student": describe(workdir),
    }
    _write_golden(folder / "golden.jsonl", reference, tokenizer)
    with atomic_path(folder / "parity.json") as path:
        path.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    return report


def _samples(texts_by_language: Texts, pivot: str) -> list[Sample]:
    samples = [Sample("edge case", text) for text in EDGE_CASES]
    for language, pairs in texts_by_language.items():
        for pivot_text, text in pairs:
            if pivot_text and pivot_text != text:
                samples.append(Sample(pivot, pivot_text))
            samples.append(Sample(language, text))
    return list(dict.fromkeys(samples))


def _gate(tier: str, settings: ExportConfig, forced: Collection[str]) -> Gate:
    if tier in forced:  # Asked for, whatever it gives.
        return Gate(-1.0, 1.0)
    if tier == "int8":
        loss = max(RETRIEVAL_TOLERANCE, settings.max_retrieval_loss)
        return Gate(settings.min_cosine, loss)
    tolerance = HALF_TOLERANCE if tier == "fp16" else EXACT_TOLERANCE
    return Gate(EXACT_COSINE, RETRIEVAL_TOLERANCE, tolerance)


def _check(
    artefact: Artefact,
    gate: Gate,
    folder: Path,
    tokenizer: Tokenizer,
    reference: _Reference,
) -> dict[str, Any]:
    texts = [sample.text for sample in reference.samples]
    # A second batch size, and padding up to the last position: a file whose shapes
    # were frozen, or whose mask is ignored, passes at the first and fails here.
    some = sorted({*range(len(EDGE_CASES)), *range(0, len(texts), 8)})
    try:
        path = folder / artefact.path
        vectors = artefact.open(path, tokenizer, 16, 8)(texts)
        again = artefact.open(path, tokenizer, 3, tokenizer.max_length)(
            [texts[index] for index in some]
        )
    except BabeletError:
        raise
    except Exception as error:  # Each runtime has errors of its own.
        raise failure(
            f"{artefact.name} does not run", "vectors for every text", str(error)
        ) from error
    samples = reference.samples
    named = (artefact.name, gate)
    compare = compare_scores if reference.scores else compare_vectors
    cosines = compare(*named, samples, vectors, reference.vectors)
    compare(*named, [samples[i] for i in some], again, reference.vectors[some])
    score = None if reference.scores else _score(samples, vectors, reference.sets)
    _require_retrieval(artefact.name, gate, score, reference.retrieval)
    worst = int(cosines.argmin())
    return {
        "min_cosine": float(cosines[worst]),
        "mean_cosine": float(cosines.mean()),
        "worst_text": samples[worst].text,
        "worst_language": samples[worst].language,
        "retrieval": score,
        "gate": gate.minimum_cosine,
    } | (score_figures(vectors, reference.vectors) if reference.scores else {})


def _score(
    samples: list[Sample], vectors: np.ndarray, sets: list[RetrievalSet]
) -> float | None:
    rows = {sample.text: row for row, sample in enumerate(samples)}
    known = EncodedOnce(
        lambda texts: vectors[[rows[text] for text in texts]], chunk=len(samples)
    )
    return mean_over_languages(retrieval(known, sets))["mean"]


def _require_retrieval(
    name: str, gate: Gate, score: float | None, expected: float | None
) -> None:
    if score is None or expected is None:
        return
    if abs(score - expected) > gate.retrieval_tolerance + 1e-9:
        raise failure(
            f"{name} finds other translations than the student",
            f"a retrieval accuracy within {gate.retrieval_tolerance:.0%} of "
            f"{expected:.4f}",
            f"{score:.4f}",
        )


def _write_golden(path: Path, reference: _Reference, tokenizer: Tokenizer) -> None:
    """Writes the edge cases and two texts of every language, one JSON a line."""
    shown: dict[str, int] = {}
    with atomic_path(path) as temporary, open(temporary, "w", encoding="utf-8") as file:
        for sample, vector in zip(reference.samples, reference.vectors, strict=True):
            shown[sample.language] = shown.get(sample.language, 0) + 1
            if sample.language != "edge case" and shown[sample.language] > 2:
                continue
            row = {
                "language": sample.language,
                "text": sample.text,
                "token_ids": tokenizer.encode([sample.text])[0],
                "scores" if reference.scores else "embedding": [
                    round(float(value), 7) for value in vector
                ],
            }
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


def read_texts(workdir: Path) -> Texts:
    """Returns the texts that the run's own export was checked with.

    Raises:
        BabeletError: There are none: the run has not come to its export.
    """
    try:
        values = json.loads((workdir / TEXTS).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BabeletError(
            f"Cannot read the texts to check with: {error}",
            remedy="run training with this workdir: its export writes them",
        ) from error
    return {name: [(a, b) for a, b in pairs] for name, pairs in values.items()}


def main(_: list[str]) -> None:
    """Prints one line for each artefact."""
    workdir = Path(flags.FLAGS.workdir)
    folder = Path(flags.FLAGS.folder or workdir / "export")
    end_with(flags.FLAGS.parent)
    try:
        formats = flags.FLAGS.formats
        if formats is None:
            formats = [
                name for name, x in FORMATS.items() if (folder / x.path).exists()
            ]
        require_known(formats)
        report = check_parity(workdir, folder, read_texts(workdir), formats)
    except BabeletError:
        remove(folder)
        raise
    for name, figures in report["artefacts"].items():
        print(
            f"{name:33} cosine min {figures['min_cosine']:.6f} "
            f"mean {figures['mean_cosine']:.6f}"
        )


if __name__ == "__main__":
    # Here and not at the top: the training's entry imports this module, and defines
    # a flag of the same name.
    command.path_flag("workdir", None, "The run.", required=True)
    command.path_flag("folder", None, "Artefacts, if not in <workdir>/export.")
    flags.DEFINE_list(
        "formats", None, "What it must hold; if not given: what is there."
    )
    flags.DEFINE_integer("parent", 0, "Process whose end ends this one; 0: none.")
    command.run(main, verdict=True)
