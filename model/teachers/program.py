"""A SavedModel from strings to rows of numbers: a program that TensorFlow runs."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_text  # noqa: F401  Registers the operations that tokenize.

from babelet.core.boundary import described
from babelet.core.by_length import by_length
from babelet.core.errors import BabeletError
from babelet.core.programs import warn_of_program
from babelet.model.teachers.base import digest

_SIGNATURE = "serving_default"
# Characters of a text that count as one token, where batches are filled.
_CHARACTERS_PER_TOKEN = 4


class Program:
    """The signature "serving_default" of a SavedModel.

    Attributes:
        output: Name of the output that is read.
        parameters: Weights it computes with; None if it has none.
        content: Hash of the folder's files.
    """

    def __init__(
        self, path: Path, rows: str, outputs: Sequence[str], tokens_per_batch: int
    ) -> None:
        """Loads it, and warns that it is a program.

        Args:
            path: The folder. The signature takes one string tensor (B,) or (B, 1).
            rows: What its rows are, for errors: "vectors".
            outputs: Where it has several outputs of numbers, the names of that which
                is read; the first that is there.
            tokens_per_batch: Bounds a batch.

        Raises:
            BabeletError: No such folder, a damaged one, or another signature.
        """
        if not (path / "saved_model.pb").is_file():
            raise BabeletError(
                f"There is no SavedModel at {path}",
                expected="a folder with saved_model.pb and variables",
                remedy="set teacher.path to that folder",
            )
        warn_of_program(path)
        self._path, self._rows = path, rows
        self._tokens_per_batch = tokens_per_batch
        self._program, self._function = self._open()
        self._input, self.output = self._ends(outputs)
        shapes = [variable.shape for variable in self._function.variables]
        self.parameters = sum(int(np.prod(shape)) for shape in shapes) or None
        self.content = _content(path)

    def __call__(self, texts: Sequence[str], width: int) -> np.ndarray:
        """Returns the rows of `texts`, float32 (N, width), in batches by length."""
        rows = np.empty((len(texts), width), np.float32)
        lengths = np.array([len(x) for x in texts], int) // _CHARACTERS_PER_TOKEN + 1
        for batch in by_length(lengths, tokens=self._tokens_per_batch):
            found = self.forward([texts[int(row)] for row in batch])
            if found.shape[1] != width:
                expected = f"{width} numbers for each text"
                raise self._unfit(expected, f"{found.shape[1]}")
            rows[batch] = found
        return rows

    def forward(self, texts: Sequence[str]) -> np.ndarray:
        """Returns what the program gives for one batch, float32 (B, width)."""
        given = tf.constant(texts)
        given = given[:, tf.newaxis] if self._column else given
        # Besides TensorFlow's own, operations in Python raise what they like.
        try:
            rows = self._function(**{self._input: given})[self.output].numpy()
        except Exception as error:
            raise BabeletError(
                f"The SavedModel {self._path} failed on {texts[0]!r}",
                received=described(error),
                remedy="try it by itself on that text, or choose another teacher",
            ) from error
        if rows.ndim != 2 or len(rows) != len(texts):
            raise self._unfit(
                f"a tensor ({len(texts)}, dim) for {len(texts)} texts",
                f"shape {rows.shape}",
            )
        return rows.astype(np.float32)

    def _open(self) -> tuple[Any, Any]:
        """Returns the loaded program, which must be kept, and its signature."""
        try:
            program = tf.saved_model.load(str(self._path))
        # A damaged file leads anywhere.
        except Exception as error:
            raise BabeletError(
                f"Cannot load the SavedModel {self._path}",
                received=described(error),
                remedy="copy the folder again, whole, or set another teacher.path",
            ) from error
        if _SIGNATURE not in program.signatures:
            names = ", ".join(program.signatures) or "none"
            raise self._unfit(f"a signature {_SIGNATURE}", names)
        return program, program.signatures[_SIGNATURE]

    def _ends(self, names: Sequence[str]) -> tuple[str, str]:
        """Returns the names of the signature's string input and its output."""
        _, inputs = self._function.structured_input_signature
        if [spec.dtype for spec in inputs.values()] != [tf.string]:
            received = ", ".join(f"{k} {v.dtype.name}" for k, v in inputs.items())
            raise self._unfit("one input, of strings", received)
        shape = next(iter(inputs.values())).shape
        # Keras exports a layer that takes a text as a column of one.
        self._column = shape.rank == 2
        sizes = [] if shape.rank is None else shape.as_list()
        if shape.rank == 0 or sizes not in ([], [None], [None, 1], [None, None]):
            raise self._unfit("texts (B,) or (B, 1), B being any number", str(shape))
        outputs = {
            name: spec
            for name, spec in self._function.structured_outputs.items()
            if spec.dtype.is_floating
        }
        named = [name for name in names if name in outputs]
        if not named and len(outputs) != 1:
            raise self._unfit(
                f"one output of numbers, or one named {' or '.join(names)}",
                ", ".join(sorted(self._function.structured_outputs)),
            )
        return next(iter(inputs)), (named or list(outputs))[0]

    def _unfit(self, expected: str, received: str) -> BabeletError:
        return BabeletError(
            f"The SavedModel {self._path} is not from strings to {self._rows}",
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
