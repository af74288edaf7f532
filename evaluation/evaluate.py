"""All metrics of one model in one dict: the same code for every kind of model."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from babelet.evaluation.agreement import agreement, agreement_alone
from babelet.evaluation.encoding import Predict, encode_once
from babelet.evaluation.retrieval import RetrievalSet, mean_over_languages, retrieval
from babelet.evaluation.similarity import (
    SimilaritySet,
    cosine_of_translations,
    semantic_similarity,
)
from babelet.evaluation.suites import read_sts, read_tatoeba


def evaluate(
    predict: Predict,
    sets: Sequence[RetrievalSet],
    *,
    tatoeba: Sequence[str | Path] = (),
    sts: Sequence[str | Path] = (),
    teacher: Predict | None = None,
    alone: Mapping[str, Sequence[str]] | None = None,
    description: str = "Evaluating",
) -> dict[str, Any]:
    """Scores one model: teacher, student, SavedModel or LiteRT.

    Args:
        predict: Texts to float32 (N, dim); each distinct text is encoded once.
        sets: Held-out translations, one set for each language.
        tatoeba: Folders in the layout of LASER's Tatoeba test set.
        sts: CSV files of sentence 1, sentence 2, score.
        teacher: Where given, the model's agreement with it is measured too.
        alone: Held-out sentences without translations, by language, for agreement.
        description: Label of the progress bar.

    Returns:
        Plain numbers, ready for JSON; shares in [0, 1], correlations in [-1, 1]:
        `retrieval` and `cosine` with `languages` and `mean`; `tatoeba` by folder with
        the same; `sts` by file, and `mean`; `agreement` with the teacher, and
        `agreement_alone` on sentences without translations. A part that was not asked
        for is None.

    Raises:
        BabeletError: A malformed evaluation file, or vectors that are not finite.
    """
    folders = {_name(path, tatoeba): read_tatoeba(path) for path in tatoeba}
    files = {_name(path, sts): read_sts(path) for path in sts}
    encode = encode_once(predict, description)
    encode(_all_texts([sets, *folders.values()], files.values()))
    cosine = cosine_of_translations(encode, sets)
    return {
        "retrieval": _with_mean(retrieval(encode, sets)),
        "cosine": {"languages": cosine, "mean": _plain_mean(cosine)},
        "tatoeba": {
            name: _with_mean(retrieval(encode, group))
            for name, group in folders.items()
        }
        or None,
        "sts": _sts(encode, files) if files else None,
        "agreement": agreement(encode, teacher, sets) if teacher and sets else None,
        "agreement_alone": agreement_alone(encode, teacher, alone)
        if teacher and alone
        else None,
    }


def headline(metrics: Mapping[str, Any]) -> float | None:
    """Returns the one figure that ranks models: mean retrieval over languages.

    Without translations it is the mean agreement with the teacher, None of itself.
    """
    alone = metrics.get("agreement_alone")
    if metrics["retrieval"]["mean"]["count"] or alone is None:
        return metrics["retrieval"]["mean"]["mean"]
    return alone["mean"]


def _with_mean(languages: dict[str, Any]) -> dict[str, Any]:
    return {"languages": languages, "mean": mean_over_languages(languages)}


def _plain_mean(languages: Mapping[str, Any]) -> dict[str, Any]:
    mean = {}
    for key in ("translations", "random", "gap"):
        values = [row[key] for row in languages.values() if row[key] is not None]
        mean[key] = float(np.mean(values)) if values else None
    return mean


def _sts(encode: Predict, files: Mapping[str, SimilaritySet]) -> dict[str, Any]:
    rows = {name: semantic_similarity(encode, file) for name, file in files.items()}
    return {
        "files": rows,
        "mean": float(np.mean([row["spearman"] for row in rows.values()])),
    }


def _name(path: str | Path, paths: Sequence[str | Path]) -> str:
    """Returns the last part of `path`, or all of it where two paths share that."""
    name = Path(path).stem
    shared = sum(Path(other).stem == name for other in paths) > 1
    return str(path) if shared else name


def _all_texts(
    groups: Iterable[Sequence[RetrievalSet]], files: Iterable[SimilaritySet]
) -> list[str]:
    sides = [side for sets in groups for s in sets for side in (s.pivot_texts, s.texts)]
    sides += [side for file in files for side in (file.first, file.second)]
    return [text for side in sides for text in side]
