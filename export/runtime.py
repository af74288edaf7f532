"""Sentence vectors from an exported file, with no TensorFlow to install or load.

    embedder = Embedder(Path("runs/smart_home/export/student_int8.tflite"))
    vectors = embedder.encode(["Turn off the light.", "Schalte das Licht aus."])

Needs ai-edge-litert, sentencepiece and numpy, and of Babelet the folders `configs`,
`data` and `export`.
"""

import hashlib
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from configs.errors import BabeletError
from data.tokenizer import Tokenizer
from export.litert_predict import Predict, litert_predict
from export.metadata import read_metadata

TOKENIZER = "tokenizer.model"
# A larger batch gains int8 files nothing, and takes memory.
_BATCH = 8


class Embedder:
    """An exported student: texts in, vectors of unit length out.

    Any text is allowed. One of more than `max_length` tokens loses tokens from its
    end, and keeps the end token; a lone surrogate counts as U+FFFD; the empty string
    has a vector as well. Threads may share an Embedder: they wait for each other.
    """

    def __init__(
        self, model: Path, tokenizer: Path | None = None, num_threads: int = 1
    ) -> None:
        """Loads the model and its tokenizer.

        Args:
            model: A .tflite file of an export.
            tokenizer: Its tokenizer.model; if None, the one beside the model, or
                else the one of the run around its export folder.
            num_threads: Processor cores that one batch is computed on.

        Raises:
            BabeletError: A file is missing, damaged or foreign, or the tokenizer is
                that of another student.
        """
        model = Path(model)
        self.metadata = read_metadata(model)
        self._tokenizer = _tokenizer(model, tokenizer, self.metadata)
        self._predict = _predict(model, self._tokenizer, num_threads)
        self._lock = threading.Lock()
        self.dim = self._predict([]).shape[1]
        self.max_length = self._tokenizer.max_length

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Returns the vectors of N texts, float32 (N, dim), each of unit length.

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
        # A LiteRT interpreter holds one input at a time.
        with self._lock:
            return self._predict(texts)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Returns how many tokens each text has, uncut, start and end included."""
        return [len(pieces) + 2 for pieces in self._tokenizer.pieces(texts)]


def _tokenizer(model: Path, given: Path | None, metadata: dict[str, Any]) -> Tokenizer:
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


def _predict(model: Path, tokenizer: Tokenizer, num_threads: int) -> Predict:
    try:
        return litert_predict(model, tokenizer, _BATCH, num_threads=num_threads)
    # What LiteRT raises for a damaged file, one of its newer formats, or other inputs.
    except (ValueError, RuntimeError, KeyError) as error:
        raise BabeletError(
            f"LiteRT cannot load {model}",
            expected="a student file from token ids to vectors",
            received=str(error),
            remedy="copy it anew from the export folder of the run, and install the "
            "ai-edge-litert of requirements.txt",
        ) from error
