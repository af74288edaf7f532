"""What differs between embeddings, classes and translation, and what a run adds."""

import abc
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

import keras
import tensorflow as tf

from babelet.configs.schema import ObjectiveConfig
from babelet.model.distiller import Distiller
from babelet.model.features import FeatureTerm
from babelet.model.objective import Objective, Outcome

Validate = Callable[[keras.Model], dict[str, float]]


def configured_objective(
    settings: ObjectiveConfig, temperature: float = 1.0
) -> Objective:
    """Returns the objective of the settings, at a temperature where it has one."""
    return Objective(settings.alpha, temperature, settings.margin)


class Task(abc.ABC):
    """Turns batches into decisions; needs no run.

    `decide` is what a `Distiller` takes, so that a task can also be trained in a loop
    of one's own.

    Attributes:
        objective: How the decisions are learned.
    """

    def __init__(self, objective: Objective) -> None:
        """Takes how the decisions are learned."""
        self.objective = objective

    @abc.abstractmethod
    def decide(self, student: keras.Model, batch: dict, training: bool) -> Outcome:
        """Returns the decisions of `batch` and the inputs of the feature terms."""

    def feature_terms(self, student: keras.Model) -> Sequence[FeatureTerm]:
        """Returns what is learned of the teacher beside its decisions: nothing."""
        del student
        return ()

    def distiller(
        self,
        student: keras.Model,
        precision: str = "float32",
        kind: type[Distiller] = Distiller,
    ) -> Distiller:
        """Returns the uncompiled Distiller.

        Args:
            student: Of this task.
            precision: The Keras policy that the student was built with.
            kind: A Distiller that reports its steps in another way.
        """
        return kind(
            student,
            self.objective,
            decide=self.decide,
            feature_terms=self.feature_terms(student),
            dtype=precision,
        )


class Batches(Protocol):
    """Training batches in a fixed order."""

    def dataset(self, first_step: int) -> tf.data.Dataset:
        """Returns the endless batches from `first_step` on."""


class TrainingData(NamedTuple):
    """What a run trains and validates a student on.

    Attributes:
        batches: With what the teacher says, where alpha is below 1.
        rows: From a step to a readable line for each row of its batch, for messages.
        validate: Student to metrics by name; higher is better.
    """

    batches: Batches
    rows: Callable[[int], list[str]]
    validate: Validate
