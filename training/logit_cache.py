"""A tuned teacher's logits on disk, by text."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple, cast

import numpy as np

from babelet.core.errors import BabeletError
from babelet.model.teachers.base import Teacher
from babelet.training.teacher_cache import TeacherCache


class NamedFunction(NamedTuple):
    """A function of texts to logits, named by all that it depends on.

    Attributes:
        fingerprint: Hexadecimal, of all that the logits depend on.
        dim: The number of classes.
        encode: Texts to logits, float32 (N, dim).
    """

    fingerprint: str
    dim: int
    encode: Callable[[Sequence[str]], np.ndarray]


class LogitCache(TeacherCache):
    """As `TeacherCache`; its rows need not be of unit length."""

    def __init__(self, teacher: NamedFunction, folder: Path) -> None:
        """Opens the cache in `folder`, which is created at the first write."""
        super().__init__(cast(Teacher, teacher), folder)

    def _check(self, vectors: np.ndarray, texts: list[str]) -> None:
        if vectors.shape != (len(texts), self._dim) or not np.isfinite(vectors).all():
            raise BabeletError(
                "The teacher's logits cannot be cached",
                expected=f"finite numbers of shape {(len(texts), self._dim)}",
                received=f"shape {vectors.shape}",
                consequence="What was cached before is kept",
                remedy="lower tuning.learning_rate; if it was not tuned here, look at "
                "teacher.path",
            )
