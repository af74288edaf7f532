"""A SavedModel from strings to class scores; as saved_model.py, it is a program."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from babelet.configs.schema import TeacherConfig
from babelet.model.teachers.base import digest, refuse_unused
from babelet.model.teachers.class_scores import (
    PROBES,
    ClassTeacher,
    Scale,
    as_logits,
    scale_of,
)
from babelet.model.teachers.program import Program

_LOGITS = "logits"


def load(config: TeacherConfig, path: Path) -> ClassTeacher:
    """Returns the teacher, and warns that it is a program.

    Args:
        config: `prefix` and `tokens_per_batch` are used.
        path: The SavedModel's folder. Its signature "serving_default" takes one
            string tensor (B,) and gives one float tensor (B, classes), or several of
            which one is called "logits" or "scores". Probabilities are known by their
            sum, unless the output is called "logits".

    Raises:
        BabeletError: No such folder, a damaged one, or another signature.
    """
    refuse_unused(config, "num_layers", "pooling", "normalization")
    names = (_LOGITS, "scores")
    program = Program(path, "class scores", names, config.tokens_per_batch)
    return SavedModelClassifier(f"The SavedModel {path}", program, config)


class SavedModelClassifier(ClassTeacher):
    """Class scores from a program."""

    def __init__(self, where: str, program: Program, config: TeacherConfig) -> None:
        self._where, self._program = where, program
        self.prefix = "" if config.prefix == "auto" else config.prefix
        self.parameters = program.parameters
        probe = program.forward(list(PROBES))
        self.dim = probe.shape[1]
        named = program.output == _LOGITS
        self._scale: Scale = "logits" if named else scale_of(probe, where)
        self.fingerprint = digest(program.content, self.prefix, self._scale)

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Returns the logits of `texts`, float32 (N, dim)."""
        outputs = self._program([self.prefix + text for text in texts], self.dim)
        return as_logits(outputs, self._scale, self._where)
