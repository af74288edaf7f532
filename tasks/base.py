"""The Task interface: all that differs between embeddings, classes and translation."""

import abc

import keras
import tensorflow as tf

from model.distiller import Distiller, Outcome


class Task(abc.ABC):
    """Turns batches into decisions and decisions into a trained Distiller."""

    @abc.abstractmethod
    def batches(self, first_step: int) -> tf.data.Dataset:
        """Returns the training batches from `first_step` on, in their fixed order."""

    @abc.abstractmethod
    def rows(self, step: int) -> list[str]:
        """Returns a readable line for each row of the batch of `step`."""

    @abc.abstractmethod
    def decide(self, student: keras.Model, batch: dict, training: bool) -> Outcome:
        """Returns the decisions of `batch` and the inputs of the feature terms."""

    @abc.abstractmethod
    def distiller(self, student: keras.Model, precision: str) -> Distiller:
        """Returns the uncompiled Distiller, under a Keras precision policy."""

    @abc.abstractmethod
    def validate(self, student: keras.Model) -> dict[str, float]:
        """Returns validation metrics by name; higher is better."""
