"""A SavedModel from strings to vectors. It is a program: it can read and write files.

It is named explicitly (`teacher.kind=saved_model`), never guessed, and a warning says
so each time that it is loaded.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from babelet.configs.schema import TeacherConfig
from babelet.model.teachers.base import Teacher, digest, refuse_unused, unit_rows
from babelet.model.teachers.program import Program


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
    program = Program(path, "vectors", ("embedding",), config.tokens_per_batch)
    return SavedModelTeacher(program, config)


class SavedModelTeacher(Teacher):
    """Vectors from a program."""

    def __init__(self, program: Program, config: TeacherConfig) -> None:
        self._program = program
        self._unit = config.normalization == "l2"
        self.prefix = "" if config.prefix == "auto" else config.prefix
        self.parameters = program.parameters
        self.dim = program.forward(["a"]).shape[1]
        self.fingerprint = digest(program.content, self.prefix, config.normalization)

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Returns the vectors of `texts`, float32 (N, dim)."""
        vectors = self._program([self.prefix + text for text in texts], self.dim)
        return unit_rows(vectors) if self._unit else vectors
