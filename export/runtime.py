"""Vectors or classes from an exported file, with no TensorFlow to install or load.

    embedder = Embedder("runs/smart_home/export/student_int8.tflite")
    vectors = embedder.encode(["Turn off the light.", "Schalte das Licht aus."])

    classifier = Classifier("runs/intents")
    label, score = classifier.classify(["Schalte das Licht aus."])[0]

Needs ai-edge-litert, sentencepiece and numpy alone.
"""

import contextlib
import functools
import hashlib
import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from babelet.core.boundary import boundary
from babelet.core.errors import BabeletError
from babelet.data.class_names import read_labels
from babelet.data.tokenizer import Tokenizer
from babelet.export.litert_predict import litert_predict
from babelet.export.metadata import read_metadata

TOKENIZER = "tokenizer.model"
# A larger batch gains int8 files nothing, and takes memory.
_BATCH = 8


class _Model:
    """An exported file with its tokenizer.

    Any text is allowed. One of more than `max_length` tokens loses tokens from its
    end, and keeps the end token; a lone surrogate counts as U+FFFD; the empty string
    is a text as well. Threads may share a model: they wait for each other.
    """

    def __init__(
        self,
        model: str | os.PathLike,
        tokenizer: str | os.PathLike | None = None,
        num_threads: int = 1,
    ) -> None:
        """Loads the model and its tokenizer.

        Args:
            model: A .tflite file of an export; or the folder of an export or a run,
                whose int8 file it is then.
            tokenizer: Its tokenizer.model; if None, the one beside the model, or
                else the one of the run around its export folder.
            num_threads: Processor cores that one batch is computed on.

        Raises:
            BabeletError: A file is missing, damaged or foreign, or the tokenizer is
                that of another student.
        """
        model = model_file(Path(model))
        with loading(model):
            self.metadata = read_metadata(model)
            self._tokenizer = tokenizer_for(model, tokenizer, self.metadata)
            self._predict = litert_predict(
                model, self._tokenizer, _BATCH, num_threads=num_threads
            )
            self._width = self._predict([]).shape[1]
        self._lock = threading.Lock()
        self.max_length = self._tokenizer.max_length

    def _run(self, texts: Sequence[str]) -> np.ndarray:
        """Returns the model's output for N texts, float32 (N, width)."""
        texts = checked(texts)
        # A LiteRT interpreter holds one input at a time.
        with self._lock:
            return self._predict(texts)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Returns how many tokens each text has, uncut, start and end included."""
        return [len(pieces) + 2 for pieces in self._tokenizer.pieces(texts)]

    def knows(self, texts: Sequence[str]) -> list[bool]:
        """Tells of each text whether the vocabulary has any of its letters.

        If not, all such texts are the same to the model. A text without letters is
        known.
        """
        return [
            any(i in self._pieces_with_letters for i in pieces)
            or not any(map(str.isalpha, text))
            for text, pieces in zip(texts, self._tokenizer.pieces(texts), strict=True)
        ]

    @functools.cached_property
    def _pieces_with_letters(self) -> frozenset[int]:
        tokenizer = self._tokenizer
        return frozenset(
            i
            for i, piece in enumerate(tokenizer.piece_texts())
            if i not in tokenizer.special_ids and any(map(str.isalpha, piece))
        )


class Embedder(_Model):
    """An exported encoder: texts in, vectors of unit length out."""

    def __init__(
        self,
        model: str | os.PathLike,
        tokenizer: str | os.PathLike | None = None,
        num_threads: int = 1,
    ) -> None:
        """Loads the model and its tokenizer; the arguments are those of `_Model`."""
        super().__init__(model, tokenizer, num_threads)
        if "labels" in self.metadata:
            raise _other_task(model, "vectors", "a classifier", "Classifier")
        self.dim = self._width

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Returns the vectors of N texts, float32 (N, dim), each of unit length.

        Raises:
            TypeError: `texts` is a string itself, or holds something else.
        """
        return self._run(texts)


class Answer(NamedTuple):
    """The class of a text, "" where it is of none that is known, and its score."""

    label: str
    score: float


class Classifier(_Model):
    """An exported classifier: texts in, the class of each and its score out.

    Attributes:
        labels: Names of the classes, in the order of the scores.
        threshold: A text whose highest score is below it is of no known class.
    """

    def __init__(
        self,
        model: str | os.PathLike,
        tokenizer: str | os.PathLike | None = None,
        num_threads: int = 1,
        labels: str | os.PathLike | None = None,
    ) -> None:
        """Loads the model, its tokenizer and the names of its classes.

        Args:
            model: A .tflite file of an export.
            tokenizer: As for `Embedder`.
            num_threads: Processor cores that one batch is computed on.
            labels: A labels.txt with other names, one a line, in the order of the
                file's own; if None, those in the file.

        Raises:
            BabeletError: As for `Embedder`, or the labels are not as many as the
                scores.
        """
        super().__init__(model, tokenizer, num_threads)
        if "labels" not in self.metadata:
            raise _other_task(model, "scores", "an encoder", "Embedder")
        with loading(Path(model)):
            self.threshold = float(self.metadata["threshold"])
            self.labels = [str(label) for label in self.metadata["labels"]]
        if labels is not None:
            self.labels = read_labels(Path(labels))
        if len(self.labels) != self._width:
            raise BabeletError(
                f"{labels or model} names other classes than {model} scores",
                expected=f"{self._width} labels",
                received=str(len(self.labels)),
                consequence="Texts would get the names of other classes",
                remedy="use the labels.txt of the export the model is from",
            )

    def scores(self, texts: Sequence[str]) -> np.ndarray:
        """Returns float32 (N, classes), rows of sum 1.

        Raises:
            TypeError: `texts` is a string itself, or holds something else.
        """
        return self._run(texts)

    def classify(
        self, texts: Sequence[str], threshold: float | None = None
    ) -> list[Answer]:
        """Returns the answer for each text.

        Args:
            texts: N of them.
            threshold: In the place of the model's own; 0 refuses nothing.
        """
        if threshold is None:
            threshold = self.threshold
        return answers(self.scores(texts), self.labels, threshold)


def answers(
    scores: np.ndarray, labels: Sequence[str], threshold: float
) -> list[Answer]:
    """Returns the answer for each row of scores, float (N, classes)."""
    best = scores.argmax(axis=1)
    return [
        Answer(
            labels[int(column)] if row[column] >= threshold else "", float(row[column])
        )
        for row, column in zip(scores, best, strict=True)
    ]


def _other_task(
    model: str | os.PathLike, wanted: str, received: str, remedy: str
) -> BabeletError:
    return BabeletError(
        f"{model} gives no {wanted}",
        expected=f"a file from texts to {wanted}",
        received=received,
        remedy=f"use babelet.{remedy} for it",
    )


def checked(texts: Sequence[str]) -> list[str]:
    """Returns `texts` as a list.

    Raises:
        TypeError: `texts` is a string itself, or holds something else.
    """
    if isinstance(texts, str):
        raise TypeError("Expected: a list of texts. Received: one str.")
    texts = list(texts)
    for index, text in enumerate(texts):
        if not isinstance(text, str):
            received = f"{type(text).__name__} at position {index}"
            raise TypeError(f"Expected: texts of type str. Received: {received}.")
    return texts


def model_file(place: Path) -> Path:
    """Returns the LiteRT file that a path means: itself, or of a folder the int8 one.

    Args:
        place: A .tflite file, or the folder of a run or an export.

    Raises:
        BabeletError: It is a folder without such a file.
    """
    if not place.is_dir():
        return place
    for folder in (place / "export", place):
        for name in ("student_int8.tflite", "student_fp32.tflite"):
            if (folder / name).is_file():
                return folder / name
    raise BabeletError(
        f"There is no exported model in {place}",
        expected="a workdir with export/student_int8.tflite, or a saved_model folder",
        remedy="finish the run first: babelet distill with this workdir",
    )


def tokenizer_for(
    model: Path, given: str | os.PathLike | None, metadata: dict[str, Any]
) -> Tokenizer:
    """Returns the tokenizer of an exported file.

    Args:
        model: The .tflite file.
        given: Its tokenizer.model; if None, it is looked for beside the model.
        metadata: What the file says of itself.

    Raises:
        BabeletError: There is none, or it is that of another student.
    """
    if "max_length" not in metadata:
        raise BabeletError(
            f"{model} does not say how long its texts may be",
            expected="max_length in its metadata",
            received=", ".join(metadata) or "no metadata",
            remedy="export it again with this version of Babelet",
        )
    path = given or _tokenizer_of(model)
    tokenizer = Tokenizer(Path(path), metadata["max_length"])
    digest = hashlib.sha256(tokenizer.model_bytes).hexdigest()
    if digest != metadata.get("tokenizer_sha256", digest):
        raise BabeletError(
            f"{path} is the tokenizer of another student than {model}",
            expected=f"SHA-256 {metadata['tokenizer_sha256']}",
            received=digest,
            consequence="Its ids would give vectors without meaning",
            remedy="use the tokenizer.model of the export the model is from",
        )
    return tokenizer


def _tokenizer_of(model: Path) -> Path:
    folder = model.resolve().parent
    for path in (folder / TOKENIZER, folder.parent / TOKENIZER):
        if path.is_file():
            return path
    raise BabeletError(
        f"There is no tokenizer for {model}",
        expected=f"{TOKENIZER} in {folder} or the folder above",
        remedy="copy it from the run's export folder to the model, or give its path",
    )


def loading(model: Path) -> contextlib.AbstractContextManager[None]:
    """Returns the boundary of an exported file: what LiteRT raises is one line."""
    return boundary(
        f"LiteRT cannot load {model}",
        expected="a student file from token ids",
        remedy="copy it anew from the export folder of the run, and install the "
        "ai-edge-litert of requirements.txt",
    )
