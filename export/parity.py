"""The gate: exported files give the vectors the student gives, on real text.

    python -m babelet.export.parity --workdir=runs/smart_home

checks <workdir>/export against the student rebuilt from the saved weights, in a
process that has not seen the training. It writes and deletes nothing, and takes
nothing from the folder it judges. A precision that --force once wrote below the gate
is named again: --forced=int8.
"""

import json
import math
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from absl import flags
from tqdm import tqdm

from babelet.configs.embedding import ExportConfig
from babelet.core import command
from babelet.core.boundary import boundary, described
from babelet.core.checksums import file_digest
from babelet.core.errors import BabeletError
from babelet.data.tokenizer import Tokenizer
from babelet.evaluation.encoding import EncodedOnce
from babelet.evaluation.retrieval import RetrievalSet, mean_over_languages, retrieval
from babelet.export.formats import FORMATS, Artefact, artefacts, measure, require_known
from babelet.export.new_process import checking, end_with
from babelet.export.predict import keras_predict
from babelet.export.published import WEIGHTS_FILE, require_undamaged_export
from babelet.export.rebuild import WEIGHTS, describe, rebuild_served
from babelet.export.score_parity import (
    EXACT_TOLERANCE,
    HALF_TOLERANCE,
    score_figures,
)
from babelet.export.vector_parity import (
    Gate,
    Sample,
    compare_scores,
    compare_vectors,
    failure,
)
from babelet.export.verdict import Verdict, require_metadata

# Language -> (pivot text, translation) pairs, ("", text) where there is no translation.
Texts = Mapping[str, Sequence[tuple[str, str]]]

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
    forced: Collection[str] = (),
) -> Verdict:
    """Compares the artefacts in `folder` with the student of `workdir`.

    Args:
        workdir: Holds config.json, tokenizer.model and student.weights.h5.
        folder: Holds the artefacts; it is left as it is.
        texts_by_language: Real text, and pairs for the retrieval check.
        formats: The names in `FORMATS` of what it holds.
        forced: Tiers that may be below the gate.

    Returns:
        The figures of the files that passed, and why others did not: the text with the
        largest difference and its language are named.

    Raises:
        BabeletError: The run lacks its weights or texts.
    """
    student, tokenizer, config = rebuild_served(workdir)
    scores = config.task == "classification"
    samples = _samples(texts_by_language, config.data.pivot)
    checked, own = artefacts(formats), describe(workdir)
    # Scores have a gate without settings.
    settings = ExportConfig() if scores else config.export
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
        figures: dict[str, dict[str, Any]] = {}
        refused: dict[str, BabeletError] = {}
        for artefact in checked:
            gate = _gate(artefact.tier, settings, forced)
            try:
                row = _check(artefact, gate, folder, tokenizer, reference)
                require_metadata(folder / artefact.path, own)
                figures[artefact.name] = row
            except BabeletError as error:
                refused.setdefault(artefact.path, error)
            progress.update()
    passed = [each for each in checked if each.path not in refused]
    report = {
        "texts": len(samples),
        "languages": len({s.language for s in samples}) - 1,
        "retrieval_keras": reference.retrieval,
        "artefacts": {each.name: figures[each.name] for each in passed},
        "files": {each.path: measure(folder / each.path) for each in passed},
        "refused": {path: str(error) for path, error in refused.items()},
        "student": own,
        WEIGHTS_FILE: file_digest(workdir / WEIGHTS),
    }
    return Verdict(report, refused, _golden(reference, tokenizer))


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
            f"{artefact.name} does not run", "vectors for every text", described(error)
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


def _golden(reference: _Reference, tokenizer: Tokenizer) -> list[dict[str, Any]]:
    """Returns a line for each edge case and for two texts of every language."""
    shown: dict[str, int] = {}
    rows = []
    for sample, vector in zip(reference.samples, reference.vectors, strict=True):
        shown[sample.language] = shown.get(sample.language, 0) + 1
        if sample.language != "edge case" and shown[sample.language] > 2:
            continue
        rows.append(
            {
                "language": sample.language,
                "text": sample.text,
                "token_ids": tokenizer.encode([sample.text])[0],
                "scores" if reference.scores else "embedding": [
                    round(float(value), 7) for value in vector
                ],
            }
        )
    return rows


def sentences_a_language(languages: int) -> int:
    """Returns how many test sentences a language the gate of a classifier takes.

    A share of 99% is known to within a point from about a thousand texts on.
    """
    return max(20, math.ceil(1000 / max(languages, 1)))


def read_texts(workdir: Path) -> Texts:
    """Returns the texts that the run's own export was checked with.

    Raises:
        BabeletError: There are none: the run has not come to its export.
    """
    with boundary(
        f"Cannot read the texts to check with, {workdir / TEXTS}",
        expected="pairs of texts by language, as the run's export wrote them",
        remedy="run babelet distill with this workdir again: its export writes them",
    ):
        values = json.loads((workdir / TEXTS).read_text(encoding="utf-8"))
        found = {str(name): [(a, b) for a, b in v] for name, v in values.items()}
        texts = [text for pairs in found.values() for pair in pairs for text in pair]
        if not texts or not all(isinstance(text, str) for text in texts):
            raise ValueError("it holds no texts, or something else")
        return found


def main(_: list[str]) -> None:
    """Prints one line for each artefact; exits with 2 where one is refused.

    With --record, which the export gives, only if none is left.
    """
    workdir = Path(flags.FLAGS.workdir)
    folder = Path(flags.FLAGS.folder or workdir / "export")
    end_with(flags.FLAGS.parent)
    with checking(folder):
        require_undamaged_export(folder)
        formats = flags.FLAGS.formats
        if formats is None:
            formats = _formats_in(folder)
        require_known(formats)
        texts = read_texts(workdir)
        found = check_parity(workdir, folder, texts, formats, flags.FLAGS.forced)
        if flags.FLAGS.record:
            found.require_some()
            found.write(folder)
        else:
            found.require_all()
    for name, figures in found.report["artefacts"].items():
        print(
            f"{name:33} cosine min {figures['min_cosine']:.6f} "
            f"mean {figures['mean_cosine']:.6f}"
        )
    found.print_refused()


def _formats_in(folder: Path) -> list[str]:
    found = [name for name, each in FORMATS.items() if (folder / each.path).exists()]
    if not found:
        raise BabeletError(
            f"{folder} has no file to check",
            expected="the files of an export",
            remedy="export the run first: babelet distill with this workdir",
        )
    return found


if __name__ == "__main__":
    # Here and not at the top: the training's entry imports this module, and defines
    # a flag of the same name.
    command.path_flag("workdir", None, "The run.", required=True)
    command.path_flag("folder", None, "Artefacts, if not in <workdir>/export.")
    flags.DEFINE_list(
        "formats", None, "What it must hold; if not given: what is there."
    )
    flags.DEFINE_list("forced", [], "Precisions that may be below the gate.")
    flags.DEFINE_boolean("record", False, "Write the figures, as the export does.")
    flags.DEFINE_integer("parent", 0, "Process whose end ends this one; 0: none.")
    command.hide("parent", "record")
    command.run(main, verdict=True)
