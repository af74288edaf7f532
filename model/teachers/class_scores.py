"""A teacher that knows the classes already: its outputs, as logits."""

import abc
from collections.abc import Sequence
from typing import Literal

import numpy as np

from babelet.core.errors import BabeletError
from babelet.model.teachers.base import Teacher

Scale = Literal["logits", "probabilities"]
# Texts on which an unknown model shows what its outputs are.
PROBES = ("a", "Turn on the lamp", "7", "Wo ist das?", "灯を消して", "no, not that")
# Of a row's sum from 1, in float16 too.
_TOLERANCE = 5e-3
# Below what float32 softmax gives, of which the logarithm is still finite.
_SMALLEST = 1e-30


class ClassTeacher(Teacher):
    """Turns texts into logits of classes; `dim` is the number of classes.

    All that `Teacher` says of vectors holds of them, but for their length.
    """

    @abc.abstractmethod
    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Returns the logits of `texts`, float32 (N, dim)."""


def scale_of(outputs: np.ndarray, where: str) -> Scale:
    """Returns what class scores are, by their values.

    Args:
        outputs: floating (N, classes), of several texts.
        where: Names their origin in an error.

    Raises:
        BabeletError: All are in [0, 1], but they sum to other than 1: as logits such
            independent scores would be nearly the same for all classes.
    """
    if outputs.min() < 0 or outputs.max() > 1 + _TOLERANCE:
        return "logits"
    sums = outputs.sum(axis=1)
    if np.abs(sums - 1).max() <= _TOLERANCE:
        return "probabilities"
    raise BabeletError(
        f"{where} gives no scores of one class among several",
        expected="logits, or probabilities that sum to 1",
        received=f"numbers in [0, 1] that sum to {sums.min():.3f} to {sums.max():.3f}",
        remedy="give its logits; in a SavedModel, as an output named logits",
    )


def as_logits(outputs: np.ndarray, scale: Scale, where: str) -> np.ndarray:
    """Returns logits, float32 (N, classes), whose softmax are the probabilities.

    Args:
        outputs: floating (N, classes).
        scale: What they are.
        where: Names their origin in an error.

    Raises:
        BabeletError: Probabilities below 0, or that do not sum to 1.
    """
    if scale == "logits":
        return outputs.astype(np.float32)
    wrong = ~(np.abs(outputs.sum(axis=1) - 1) <= _TOLERANCE)
    wrong |= (outputs < 0).any(axis=1)
    if wrong.any():
        raise BabeletError(
            f"{where} gives probabilities for some texts and not for others",
            expected="numbers of 0 or more that sum to 1",
            received=f"a sum of {outputs[wrong][0].sum():.3f}",
            remedy="give its logits; in a SavedModel, as an output named logits",
        )
    return np.log(np.maximum(outputs, _SMALLEST)).astype(np.float32)
