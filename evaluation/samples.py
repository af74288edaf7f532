"""A few test sentences with what models make of them, for people to look at."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from babelet.evaluation.classification import LabelledSet, Scores
from babelet.evaluation.encoding import Predict
from babelet.evaluation.retrieval import RetrievalSet

# Sentences on the map, each with all its translations.
MAP_SENTENCES = 10
# Languages that examples are shown of, and sentences of each.
LANGUAGES, SENTENCES = 12, 2
# Among which the nearest is searched.
CANDIDATES = 50


def nearest(
    models: Mapping[str, Predict], sets: Sequence[RetrievalSet]
) -> dict[str, list]:
    """Returns the nearest neighbours of test sentences, as a table.

    Args:
        models: By name, texts to unit vectors.
        sets: Held-out translations; the neighbour is one of the first CANDIDATES
            sentences in the pivot language.

    Returns:
        `columns` and `rows` of text.
    """
    rows = []
    for group in sets[:LANGUAGES]:
        texts = list(group.texts[:SENTENCES])
        pivots = list(dict.fromkeys(group.pivot_texts[:CANDIDATES]))
        found = []
        for predict in models.values():
            similarity = np.asarray(predict(texts)) @ np.asarray(predict(pivots)).T
            found.append([pivots[i] for i in similarity.argmax(axis=1)])
        told = zip(texts, group.pivot_texts, *found, strict=False)
        rows += [[group.language, *row] for row in told]
    columns = ["language", "text", "translation", *(f"nearest, {m}" for m in models)]
    return {"columns": columns, "rows": rows}


def answers(
    models: Mapping[str, Scores], sets: Sequence[LabelledSet], classes: Sequence[str]
) -> dict[str, list]:
    """Returns the classes that models choose for test sentences, as a table.

    Args:
        models: By name, texts to scores.
        sets: Held-out sentences by language.
        classes: Names of the scores' columns.

    Returns:
        `columns` and `rows` of text.
    """
    rows: list[list[str]] = []
    for group in [group for group in sets if len(group.texts)][:LANGUAGES]:
        texts = list(group.texts[:SENTENCES])
        found = []
        for predict in models.values():
            scores = np.asarray(predict(texts))
            best = zip(scores.argmax(axis=1), scores.max(axis=1), strict=True)
            found.append([f"{classes[i]} {score:.2f}" for i, score in best])
        labels = [classes[i] for i in group.labels[:SENTENCES]]
        told = zip(texts, labels, *found, strict=True)
        rows += [[group.language, *row] for row in told]
    return {"columns": ["language", "text", "class", *models], "rows": rows}


def sentence_map(
    models: Mapping[str, Predict], sets: Sequence[RetrievalSet], pivot: str
) -> dict[str, list[dict[str, Any]]]:
    """Returns the most translated sentences on a plane, by model.

    Args:
        models: By name, texts to vectors.
        sets: Held-out translations.
        pivot: The language of `sets`' pivot texts.

    Returns:
        Points with `pair`, `language`, `text`, `x` and `y`, the pivot first in its
        pair; the plane is that of each model's two principal components.
    """
    rows = _most_translated(sets, pivot)
    if not rows:
        return {}
    return {model: _placed(predict, rows) for model, predict in models.items()}


def _placed(predict: Predict, rows: Sequence[Mapping[str, Any]]) -> list[dict]:
    places = pca_map(np.asarray(predict([row["text"] for row in rows])))
    return [
        dict(row) | {"x": float(x), "y": float(y)}
        for row, (x, y) in zip(rows, places, strict=True)
    ]


def _most_translated(sets: Sequence[RetrievalSet], pivot: str) -> list[dict[str, Any]]:
    """Returns rows of the sentences that the most languages have, pivot first."""
    found: dict[str, dict[str, str]] = {}
    for group in sets:
        for source, text in zip(group.pivot_texts, group.texts, strict=True):
            found.setdefault(source, {})[group.language] = text
    # Longer sentences first among equals: they say more on a map.
    most = sorted(found, key=lambda text: (-len(found[text]), -len(text), text))
    return [
        {"pair": pair, "language": name, "text": text}
        for pair, source in enumerate(most[:MAP_SENTENCES])
        for name, text in ({pivot: source} | found[source]).items()
    ]


def pca_map(embeddings: np.ndarray) -> np.ndarray:
    """Projects onto the two directions of largest variance.

    A direction's sign is chosen so that its largest coordinate is positive: the same
    vectors always give the same picture.

    Args:
        embeddings: float (N, dim).

    Returns:
        float64 (N, 2); zeros where the rows span fewer dimensions.
    """
    centred = np.asarray(embeddings, np.float64)
    centred = centred - centred.mean(axis=0, keepdims=True) if len(centred) else centred
    plane = np.zeros((len(centred), 2))
    if min(centred.shape) == 0:
        return plane
    _, _, directions = np.linalg.svd(centred, full_matrices=False)
    for axis, direction in enumerate(directions[:2]):
        sign = np.sign(direction[np.abs(direction).argmax()]) or 1.0
        plane[:, axis] = centred @ (sign * direction)
    return plane
