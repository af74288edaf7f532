"""The Distiller: a Keras model whose train_step learns from hard and soft labels."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import keras
import tensorflow as tf
from keras import ops

from babelet.model.objective import Decisions, decision_losses


class FeatureTerm(NamedTuple):
    """A weighted feature loss: `layer(student, teacher)` gives one number per row."""

    layer: keras.layers.Layer
    weight: float


class Outcome(NamedTuple):
    """What a task reads off one forward pass of the student.

    Attributes:
        decisions: The choices of the batch by name, say one per direction; the
            objective is their mean.
        features: For the feature term of that name, its two inputs.
    """

    decisions: dict[str, Decisions]
    features: dict[str, tuple]


class Distiller(keras.Model):
    """Trains `student` on the decisions that `decide` makes of a batch.

    Only `train_step` and `test_step` differ from Keras: `fit`, callbacks, precision
    policies and `jit_compile` are its own. The teacher is no part of it: its outputs
    arrive in the batch, so saving the student saves a student.
    """

    def __init__(
        self,
        student: keras.Model,
        decide: Callable[[keras.Model, dict, bool], Outcome],
        *,
        alpha: float,
        temperature: float = 1.0,
        margin: float = 0.0,
        feature_terms: Sequence[FeatureTerm] = (),
        **kwargs: object,
    ) -> None:
        """Ties a student to a task's decisions.

        Args:
            student: From a batch's inputs to what `decide` needs.
            decide: A task's `decide(student, batch, training)`.
            alpha: Share of the hard label, 0 to 1.
            temperature: T, 1 or more.
            margin: Of the hard label's `margin_loss`; 0 is cross-entropy.
            feature_terms: Feature losses, added with their weights.
            **kwargs: For `keras.Model`.

        Raises:
            ValueError: alpha, temperature or margin is out of range.
        """
        super().__init__(**kwargs)
        if not 0 <= alpha <= 1:
            raise ValueError(f"alpha must be in [0, 1]. Received: {alpha}")
        if temperature < 1:
            raise ValueError(f"temperature must be 1 or more. Received: {temperature}")
        if margin < 0:
            raise ValueError(f"margin must be 0 or more. Received: {margin}")
        self.student = student
        self.decide = decide
        self.alpha = alpha
        self.temperature = temperature
        self.margin = margin
        self.feature_layers = [term.layer for term in feature_terms]
        self.feature_weights = {t.layer.name: t.weight for t in feature_terms}
        self.built = True

    def call(self, inputs: object, training: bool = False) -> object:
        """Returns the student's output."""
        return self.student(inputs, training=training)

    def losses_of(self, batch: dict, training: bool) -> dict[str, object]:
        """Returns every term of the objective on `batch`, float32 scalars.

        "loss" is the total; "hard_label", "soft_label" and the feature terms come
        without their weights, so that curves of different weights compare.
        """
        outcome = self.decide(self.student, batch, training)
        parts = [
            decision_losses(decisions, self.alpha, self.temperature, self.margin)
            for decisions in outcome.decisions.values()
        ]
        terms = {
            name: ops.mean(ops.stack([part[name] for part in parts]))
            for name in parts[0]
        }
        for layer in self.feature_layers:
            value = ops.mean(layer(*outcome.features[layer.name]))
            terms[layer.name] = value
            terms["loss"] += self.feature_weights[layer.name] * value
        return terms

    def train_step(self, batch: dict) -> dict[str, object]:
        """Takes one optimizer step; returns the terms of `losses_of`."""
        with tf.GradientTape() as tape:
            terms = self.losses_of(batch, training=True)
            # float16 gradients underflow unless the loss is scaled up first.
            scaled_loss = self.optimizer.scale_loss(terms["loss"])
        variables = self.trainable_variables
        gradients = tape.gradient(scaled_loss, variables)
        self.optimizer.apply_gradients(zip(gradients, variables, strict=True))
        return terms

    def test_step(self, batch: dict) -> dict[str, object]:
        """Returns the terms of `losses_of` with dropout off."""
        return self.losses_of(batch, training=False)
