"""The Task interface: all that differs between embeddings, classes and translation."""

import abc
from collections.abc import Callable, Sequence
from typing import Protocol

import keras
import tensorflow as tf

from babelet.model.distiller import Distiller, FeatureTerm, Outcome

Validate = Callable[[keras.Model], dict[str, float]]


class Batches(Protocol):
    """Training batches in a fixed order."""

    def dataset(self, first_step: int) -> tf.data.Dataset:
        """Returns the endless batches from `first_step` on."""


class Task(abc.ABC):
    """Turns batches into decisions and decisions into a trained Distiller."""

    def __init__(
        self,
        alpha: float,
        temperature: float,
        batches: Batches,
        text_of: Callable[[int], str],
        validation: Validate,
        margin: float = 0.0,
    ) -> None:
        """Ties the loss to batches and a validation.

        Args:
            alpha: Share of the hard label; 1 needs no teacher.
            temperature: T of both softmaxes.
            batches: Where batches come from, with what the teacher says where alpha
                is below 1.
            text_of: Sentence id to text, for messages.
            validation: Student to metrics.
            margin: Of the hard label's `margin_loss`; 0 is cross-entropy.
        """
        self._alpha = alpha
        self._temperature = temperature
        self._margin = margin
        self._batches = batches
        self._text_of = text_of
        self._validation = validation

    def batches(self, first_step: int) -> tf.data.Dataset:
        """Returns the training batches from `first_step` on, in their fixed order."""
        return self._batches.dataset(first_step)

    @abc.abstractmethod
    def rows(self, step: int) -> list[str]:
        """Returns a readable line for each row of the batch of `step`."""

    @abc.abstractmethod
    def decide(self, student: keras.Model, batch: dict, training: bool) -> Outcome:
        """Returns the decisions of `batch` and the inputs of the feature terms."""

    def feature_terms(self, student: keras.Model) -> Sequence[FeatureTerm]:
        """Returns what is learned of the teacher beside its decisions: nothing."""
        del student
        return ()

    def distiller(self, student: keras.Model, precision: str) -> Distiller:
        """Returns the uncompiled Distiller, under a Keras precision policy."""
        return Distiller(
            student,
            self.decide,
            alpha=self._alpha,
            temperature=self._temperature,
            margin=self._margin,
            feature_terms=self.feature_terms(student),
            dtype=precision,
        )

    def validate(self, student: keras.Model) -> dict[str, float]:
        """Returns validation metrics by name; higher is better."""
        return self._validation(student)
