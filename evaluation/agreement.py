"""Agreement with the teacher: do both models order sentence pairs alike?"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from babelet.evaluation.encoding import Predict, encode_once
from babelet.evaluation.retrieval import RetrievalSet
from babelet.evaluation.similarity import rank_correlation


def agreement(
    predict: Predict,
    teacher: Predict,
    sets: Sequence[RetrievalSet],
    sample: int = 300,
) -> dict[str, Any]:
    """Compares all pairwise similarities of a sample under both models.

    Widths may differ: only each model's own cosines are compared, by rank.

    Args:
        predict: The student.
        teacher: The model it was taught by.
        sets: Translations by language; their first `sample` pairs are used.
        sample: Pairs of a language, and sentences of the pivot language.

    Returns:
        `pivot`: Spearman's rho over pairs of pivot sentences; `languages`: by
        language over (pivot sentence, sentence) pairs; `cross_lingual`: its mean;
        `cosine`: mean cosine of both models' vectors of the sampled sentences of all
        languages, None where the widths differ.
    """
    student, teacher = encode_once(predict), encode_once(teacher, "Teacher")
    pivots = list(dict.fromkeys(text for s in sets for text in s.pivot_texts[:sample]))
    pivots = pivots[:: max(1, len(pivots) // sample)][:sample]
    languages = {}
    for each in sets:
        sides = each.pivot_texts[:sample], each.texts[:sample]
        languages[each.language] = rank_correlation(
            *(np.ravel(m(sides[0]) @ m(sides[1]).T) for m in (student, teacher))
        )
    texts = [*pivots, *(text for s in sets for text in s.texts[:sample])]
    return {
        "pivot": pairwise_agreement(student(pivots), teacher(pivots)),
        "languages": languages,
        "cross_lingual": float(np.mean(list(languages.values()))) if sets else None,
        "cosine": mean_cosine(student(texts), teacher(texts)),
    }


def agreement_alone(
    predict: Predict,
    teacher: Predict,
    texts: Mapping[str, Sequence[str]],
    sample: int = 300,
) -> dict[str, Any]:
    """Compares the models on sentences that have no translations.

    Args:
        predict: The student.
        teacher: The model it was taught by.
        texts: Sentences by language; the first `sample` of each are used.
        sample: Sentences of a language.

    Returns:
        `languages`: Spearman's rho over all pairs of a language's sentences; `mean`.
    """
    student, teacher = encode_once(predict), encode_once(teacher, "Teacher")
    languages = {
        language: pairwise_agreement(student(rows[:sample]), teacher(rows[:sample]))
        for language, rows in texts.items()
    }
    return {"languages": languages, "mean": float(np.mean(list(languages.values())))}


def pairwise_agreement(a: np.ndarray, b: np.ndarray) -> float:
    """Returns Spearman's rho of the cosines of all pairs of distinct rows.

    Args:
        a: float32 (N, dim_a), rows of unit length.
        b: float32 (N, dim_b), rows of unit length, of the same sentences.
    """
    upper = np.triu_indices(len(a), k=1)
    return rank_correlation((a @ a.T)[upper], (b @ b.T)[upper])


def mean_cosine(a: np.ndarray, b: np.ndarray) -> float | None:
    """Returns the mean cosine of equal rows; None where widths differ or no rows."""
    if a.shape != b.shape or not len(a):
        return None
    return float(np.einsum("nd,nd->n", a, b).mean())
