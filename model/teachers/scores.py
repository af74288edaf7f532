"""A classifier that ran elsewhere: the class scores of its texts, from files."""

import dataclasses
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from babelet.configs.schema import TeacherConfig
from babelet.model.teachers.base import digest, refuse_unused
from babelet.model.teachers.class_scores import ClassTeacher, Scale, as_logits, scale_of
from babelet.model.teachers.vector_files import read_vectors
from babelet.model.teachers.vectors import VectorsTeacher


def load(config: TeacherConfig, path: Path) -> ClassTeacher:
    """Returns the teacher.

    Args:
        config: Of which nothing but the path is used.
        path: The file, as `vector_files.read_vectors` takes it: a row of logits, or
            of probabilities, for each text.

    Raises:
        BabeletError: A file that cannot be used, or one text with two rows.
    """
    refuse_unused(config, "num_layers", "pooling", "prefix", "normalization")
    texts, scores = read_vectors(path)
    as_they_are = dataclasses.replace(config, normalization="none")
    known = VectorsTeacher(path, texts, scores, as_they_are)
    return ScoresTeacher(known, scale_of(scores, str(path)), str(path))


class ScoresTeacher(ClassTeacher):
    """Knows the texts it was given, and no other."""

    def __init__(self, known: VectorsTeacher, scale: Scale, where: str) -> None:
        """Takes the rows by text, and what they are."""
        self._known, self._where = known, where
        self._scale: Scale = scale
        self.dim = known.dim
        self.fingerprint = digest(known.fingerprint, scale)

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Returns the logits of `texts`, float32 (N, dim).

        Raises:
            BabeletError: One of them is not in the file.
        """
        return as_logits(self._known.encode(texts), self._scale, self._where)

    def require(self, texts: Iterable[str]) -> None:
        """Raises a BabeletError unless all of `texts` are in the file."""
        self._known.require(texts)
