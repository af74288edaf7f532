"""A SavedModel from strings to vectors. It is a program: it can read and write files.

It is named explicitly (`teacher.kind=saved_model`), never guessed, and a warning says
so each time that it is loaded.
"""

import hashlib
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf
import tensorflow_text  # noqa: F401  Registers the operations that tokenize.

from configs.errors import BabeletError
from configs.schema import TeacherConfig
from model.teachers.base import Teacher, by_length, digest, refuse_unused, unit_rows

_SIGNATURE = "serving_default"
# Characters of a text that count as one token, where batches are filled.
_CHARACTERS_PER_TOKEN = 4


def load(config: TeacherConfig, path: Path) -> Teacher:
    """Returns the teacher, and warns that it is a program.

    Args:
        config: `prefix`, `normalization` and `tokens_per_batch` are used.
        path: The SavedModel's folder. Its signature "serving_default" takes one
            string tensor (B,) and gives one float tensor (B, dim), or several of
            which one is called "embedding".

    Raises:
        BabeletError: No such folder, a damaged one, or another signature.
    """
    refuse_unused(config, "num_layers", "pooling")
    if not (path / "saved_model.pb").is_file():
        raise BabeletError(
            f"There is no SavedModel at {path}",
            expected="a folder with saved_model.pb and variables",
            remedy="set teacher.path to that folder",
        )
    print(
        f"warning: the teacher {path} is a program, which TensorFlow runs with your "
        "rights. Use it only if you trust where it comes from.",
        file=sys.stderr,
        flush=True,
    )
    return SavedModelTeacher(path, config)


class SavedModelTeacher(Teacher):
    """The signature "serving_default" of a SavedModel."""

    def __init__(self, path: Path, config: TeacherConfig) -> None:
        self._path = path
        self._program, function = _open(path)
        self._input, self._output = _ends(path, function)
        self._function = function
        self._unit = config.normalization == "l2"
        self._tokens_per_batch = config.tokens_per_batch
        self.prefix = "" if config.prefix == "auto" else config.prefix
        self.parameters = sum(int(np.prod(v.shape)) for v in function.variables) or None
        self.dim = self._forward(["a"]).shape[1]
        self.fingerprint = digest(_content(path), self.prefix, config.normalization)

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Returns the vectors of `texts`, float32 (N, dim)."""
        vectors = np.empty((len(texts), self.dim), np.float32)
        texts = [self.prefix + text for text in texts]
        lengths = np.array([len(x) for x in texts], int) // _CHARACTERS_PER_TOKEN + 1
        for rows in by_length(lengths, self._tokens_per_batch):
            vectors[rows] = self._forward([texts[row] for row in rows])
        return unit_rows(vectors) if self._unit else vectors

    def _forward(self, texts: list[str]) -> np.ndarray:
        """Returns what the program gives for one batch, (B, dim)."""
        try:
            result = self._function(**{self._input: tf.constant(texts)})
        except tf.errors.OpError as error:
            raise BabeletError(
                f"The SavedModel {self._path} failed on {texts[0]!r}",
                received=error.message[:300],
                remedy="try it by itself on that text, or choose another teacher",
            ) from error
        vectors = result[self._output].numpy()
        if vectors.ndim != 2 or len(vectors) != len(texts):
            raise _unfit(
                self._path,
                f"a tensor ({len(texts)}, dim) for {len(texts)} texts",
                f"shape {vectors.shape}",
            )
        return vectors.astype(np.float32)


def _open(path: Path) -> tuple[object, object]:
    """Returns the loaded program, which must be kept, and its signature."""
    try:
        program = tf.saved_model.load(str(path))
    except (OSError, ValueError, KeyError, RuntimeError, tf.errors.OpError) as error:
        raise BabeletError(
            f"Cannot load the SavedModel {path}",
            received=" ".join(str(error).split())[:300],
            remedy="copy the folder again, whole, or set another teacher.path",
        ) from error
    if _SIGNATURE not in program.signatures:
        names = ", ".join(program.signatures) or "none"
        raise _unfit(path, f"a signature {_SIGNATURE}", names)
    return program, program.signatures[_SIGNATURE]


def _ends(path: Path, function: object) -> tuple[str, str]:
    """Returns the names of the signature's string input and vector output."""
    _, inputs = function.structured_input_signature
    if [spec.dtype for spec in inputs.values()] != [tf.string]:
        received = ", ".join(f"{k} {v.dtype.name}" for k, v in inputs.items())
        raise _unfit(path, "one input, of strings", received)
    outputs = {
        name: spec
        for name, spec in function.structured_outputs.items()
        if spec.dtype.is_floating
    }
    name = "embedding" if "embedding" in outputs else next(iter(outputs), "")
    if not name or (len(outputs) > 1 and name != "embedding"):
        received = ", ".join(sorted(function.structured_outputs))
        raise _unfit(path, "one output of numbers, or one named embedding", received)
    return next(iter(inputs)), name


def _unfit(path: Path, expected: str, received: str) -> BabeletError:
    return BabeletError(
        f"The SavedModel {path} is not from strings to vectors",
        expected=expected,
        received=received,
        remedy="export the model with such a signature, or choose another teacher",
    )


def _content(path: Path) -> str:
    """Returns the hash of the folder's files, with their names."""
    digests = []
    for file in sorted(path.rglob("*")):
        if file.is_file():
            with file.open("rb") as opened:
                content = hashlib.file_digest(opened, "sha256").hexdigest()
            digests.append(f"{file.relative_to(path)} {content}")
    return digest(*digests)
