"""Sentences to vectors for scoring: each distinct text is encoded once."""

from collections.abc import Callable, Iterable, Sequence

import numpy as np
from tqdm import tqdm

from babelet.core.errors import BabeletError

Predict = Callable[[Sequence[str]], np.ndarray]


class EncodedOnce:
    """A `predict` that remembers: no text is handed to the model a second time.

    Wrap a slow `predict` in it and give it to every metric; call it once with all
    texts to see one progress bar instead of many.
    """

    def __init__(
        self, predict: Predict, description: str = "Encoding", chunk: int = 1024
    ) -> None:
        self._predict = predict
        self._description = description
        self._chunk = chunk
        self._rows: dict[str, int] = {}
        self._vectors: np.ndarray | None = None

    def __call__(self, texts: Sequence[str]) -> np.ndarray:
        """Returns the vectors of `texts`, float32 (N, dim), rows of unit length.

        Raises:
            BabeletError: The model returned another shape, or a vector that is not
                finite; the text is named.
        """
        missing = [text for text in dict.fromkeys(texts) if text not in self._rows]
        if missing:
            new = np.concatenate([self._encode(part) for part in self._parts(missing)])
            first = len(self._rows)
            known = [] if self._vectors is None else [self._vectors]
            self._vectors = np.concatenate([*known, new])
            self._rows.update({text: first + i for i, text in enumerate(missing)})
        if self._vectors is None:
            return np.zeros((0, 0), np.float32)
        return self._vectors[[self._rows[text] for text in texts]]

    def _parts(self, texts: list[str]) -> Iterable[list[str]]:
        with tqdm(
            total=len(texts),
            desc=self._description,
            unit=" texts",
            leave=False,
            disable=len(texts) <= self._chunk,
        ) as progress:
            for start in range(0, len(texts), self._chunk):
                part = texts[start : start + self._chunk]
                yield part
                progress.update(len(part))

    def _encode(self, texts: list[str]) -> np.ndarray:
        vectors = np.asarray(self._predict(texts), np.float32)
        if vectors.ndim != 2 or len(vectors) != len(texts):
            raise BabeletError(
                "The model returned vectors of an unexpected shape",
                expected=f"({len(texts)}, dim), one row for each text",
                received=str(vectors.shape),
                remedy="make its predict return one vector for each text",
            )
        broken = ~np.isfinite(vectors).all(axis=1)
        if broken.any():
            raise BabeletError(
                f"The model's vector for {texts[int(broken.argmax())]!r} is not finite",
                consequence=f"{int(broken.sum())} of {len(texts)} texts are affected, "
                "and no score would mean anything",
                remedy="check the model's weights and the run's loss",
            )
        return unit_rows(vectors)


def encode_once(predict: Predict, description: str = "Encoding") -> EncodedOnce:
    """Returns `predict` as an `EncodedOnce`, itself if it is one already."""
    if isinstance(predict, EncodedOnce):
        return predict
    return EncodedOnce(predict, description)


def unit_rows(vectors: np.ndarray) -> np.ndarray:
    """Returns float32 (N, dim) `vectors` at unit length; a zero row stays zero."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return (vectors / np.maximum(lengths, 1e-12)).astype(np.float32)
