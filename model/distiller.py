"""The Distiller: a Keras model whose train_step learns from hard and soft labels."""

import dataclasses
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any, NamedTuple

import keras
import tensorflow as tf
from keras import ops

from babelet.model.features import FeatureTerm
from babelet.model.label_batch import decide_class, require_logits
from babelet.model.objective import (
    Decisions,
    Objective,
    Outcome,
    decision_losses,
    decision_weights,
)

# (student, batch, training) -> what is to be learned. Where the Distiller has a live
# teacher it is given as `teacher=`, from inputs to its outputs.
Decide = Callable[..., Outcome]


class Losses(NamedTuple):
    """What the objective says of one batch.

    Attributes:
        terms: Float32 scalars by name. "loss" is the total; "hard_label", "soft_label"
            and the feature terms come without their weights, so that curves of
            different weights compare.
        weights: Float32 scalars by the same names: how much the batch weighs in an
            epoch's mean of the term.
        outcome: What they were computed from.
    """

    terms: dict[str, Any]
    weights: dict[str, Any]
    outcome: Outcome


@keras.saving.register_keras_serializable("babelet")
class Distiller(keras.Model):
    """Trains `student` on hard labels and on what a teacher says.

    Only the steps differ from Keras: `compile`, `fit`, `evaluate`, callbacks,
    precision policies and `jit_compile` are its own. Every term of the loss is a
    weighted mean over the epoch's decisions, not over its batches: `history` and
    `val_loss` do not depend on how rows are batched.

    The teacher is no part of it: its weights are not among the variables, it is called
    as for inference, and a saved Distiller holds none. One that is loaded again needs
    the teacher's outputs in its batches.

        distiller = Distiller(student, Objective(alpha=0.5), teacher=teacher)
        distiller.compile(keras.optimizers.AdamW(1e-3), weighted_metrics=["accuracy"])
        distiller.fit(train, validation_data=validation, epochs=3)
        student.save("student.keras")
    """

    def __init__(
        self,
        student: keras.Model,
        objective: Objective | None = None,
        teacher: Callable | None = None,
        decide: Decide | None = None,
        *,
        feature_terms: Sequence[FeatureTerm] = (),
        **kwargs: Any,
    ) -> None:
        """Ties a student to what it learns.

        Args:
            student: From a batch's inputs to what `decide` needs; to logits, if that
                is None.
            objective: `Objective()` by default.
            teacher: A Keras model, or a function of tensors, from the inputs to what
                the student should return, in logits. None: the batches bring it.
            decide: From (student, batch, training) to an `Outcome`; with a `teacher`
                it gets that, too, under this name. None is `decide_class`: a batch
                is (x, y) or (x, y, sample_weight) of a classifier.
            feature_terms: Feature losses, added with their weights; `decide` names
                what they compare.
            **kwargs: For `keras.Model`. `dtype` is by default "mixed_float16" for a
                student with such layers: then the loss is scaled.

        Raises:
            ValueError: Student or teacher of a classifier ends in a softmax, or there
                are feature terms without a `decide`.
        """
        super().__init__(**_with_policy(student, kwargs))
        if decide is None:
            require_logits(student, "student")
            require_logits(teacher, "teacher")
            if feature_terms:
                raise ValueError(
                    "feature_terms need a decide that names what they compare. "
                    "Received: decide=None"
                )
        self.student = student
        self.objective = objective or Objective()
        self.decide = decide or decide_class
        # A function, in which Keras finds no layers to track or to save.
        self._teacher = None if teacher is None else _for_inference(teacher)
        self.feature_layers = [term.layer for term in feature_terms]
        self.feature_weights = {t.layer.name: t.weight for t in feature_terms}
        names = (*self.objective.terms, *self.feature_weights)
        # Where Keras does not look: files hold weights, not an epoch's means.
        self._trackers = SimpleNamespace(
            means={name: keras.metrics.Mean(name=name) for name in names}
        )
        self.built = True

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Returns the student's output."""
        return self.student(inputs, training=training)

    def compile(
        self, optimizer: Any = "rmsprop", loss: None = None, **kwargs: Any
    ) -> None:
        """Configures the training as Keras does; the loss is the objective.

        Args:
            optimizer: As in Keras.
            loss: None.
            **kwargs: As in Keras. `metrics` and `weighted_metrics` compare the
                decisions' labels with the student's logits, by the decisions' names
                where there are several. A decision's weight is that of its label.

        Raises:
            ValueError: A loss is given.
        """
        if loss is not None:
            raise ValueError(
                "The loss is the Distiller's objective, and feature terms come from "
                f"feature_terms. Received: loss={loss!r}"
            )
        super().compile(optimizer, **kwargs)

    def compile_from_config(self, config: dict) -> None:
        """Compiles as the saved one was: Keras leaves it to whoever has a `compile`."""
        self.compile(**keras.saving.deserialize_keras_object(config))
        self.optimizer.build(self.trainable_variables)

    @property
    def metrics(self) -> list[keras.Metric]:
        """What Keras resets at each epoch: the terms, and the metrics compiled."""
        means = self._trackers.means
        # Keras makes one for a compiled loss, which there is none of.
        others = [metric for metric in super().metrics if metric.name != "loss"]
        return [*means.values(), *others]

    def losses_of(self, batch: Any, training: bool) -> Losses:
        """Returns the objective on `batch`, float32."""
        given = {} if self._teacher is None else {"teacher": self._teacher}
        outcome = self.decide(self.student, batch, training, **given)
        objective, decided = self.objective, outcome.decisions.values()
        parts = [
            decision_losses(
                decisions, objective.alpha, objective.temperature, objective.margin
            )
            for decisions in decided
        ]
        terms = {
            name: ops.mean(ops.stack([part[name] for part in parts]))
            for name in parts[0]
        }
        weight = sum(ops.sum(decision_weights(decisions)) for decisions in decided)
        weights = dict.fromkeys(terms, weight)
        for layer in self.feature_layers:
            values = layer(*outcome.features[layer.name])
            terms[layer.name] = ops.mean(values)
            weights[layer.name] = ops.cast(ops.size(values), "float32")
            terms["loss"] += self.feature_weights[layer.name] * terms[layer.name]
        for regulariser in self.losses:
            terms["loss"] += ops.cast(ops.sum(regulariser), "float32")
        return Losses(terms, weights, outcome)

    def learn(self, batch: Any) -> Losses:
        """Takes one optimizer step; returns the losses before it."""
        with tf.GradientTape() as tape:
            losses = self.losses_of(batch, training=True)
            # float16 gradients underflow unless the loss is scaled up first.
            scaled_loss = self.optimizer.scale_loss(losses.terms["loss"])
        variables = self.trainable_variables
        gradients = tape.gradient(scaled_loss, variables)
        self.optimizer.apply_gradients(zip(gradients, variables, strict=True))
        return losses

    def train_step(self, batch: Any) -> dict[str, Any]:
        """Takes one optimizer step; returns the epoch's means so far."""
        return self._counted(self.learn(batch))

    def test_step(self, batch: Any) -> dict[str, Any]:
        """Returns the means so far, with dropout off."""
        return self._counted(self.losses_of(batch, training=False))

    def _counted(self, losses: Losses) -> dict[str, Any]:
        for name, mean in self._trackers.means.items():
            mean.update_state(losses.terms[name], losses.weights[name])
        return self.compute_metrics(None, *_compared(losses.outcome.decisions))

    def get_config(self) -> dict:
        """Returns the constructor's arguments, without the teacher."""
        serialize = keras.saving.serialize_keras_object
        terms = [
            [serialize(layer), self.feature_weights[layer.name]]
            for layer in self.feature_layers
        ]
        own = None if self.decide is decide_class else serialize(self.decide)
        return super().get_config() | {
            "student": serialize(self.student),
            "objective": dataclasses.asdict(self.objective),
            "decide": own,
            "feature_terms": terms,
        }

    @classmethod
    def from_config(cls, config: dict, custom_objects: dict | None = None) -> Any:
        """Returns the Distiller that `config` describes, without a teacher."""
        deserialize = keras.saving.deserialize_keras_object
        given = dict(config)
        student = deserialize(given.pop("student"), custom_objects)
        decide = given.pop("decide")
        terms = [
            FeatureTerm(deserialize(layer, custom_objects), weight)
            for layer, weight in given.pop("feature_terms")
        ]
        return cls(
            student,
            Objective(**given.pop("objective")),
            decide=decide and deserialize(decide, custom_objects),
            feature_terms=terms,
            **given,
        )


def _for_inference(teacher: Callable) -> Callable:
    """Returns `teacher` with dropout off, and without a gradient."""
    options = {"training": False} if isinstance(teacher, keras.layers.Layer) else {}
    return lambda inputs: tf.nest.map_structure(
        tf.stop_gradient, teacher(inputs, **options)
    )


def _with_policy(student: keras.Model, options: dict) -> dict:
    """Returns `options` with the student's policy, if its loss must be scaled."""
    layers = (student, *getattr(student, "layers", ()))
    half = any(layer.dtype_policy.name == "mixed_float16" for layer in layers)
    return ({"dtype": "mixed_float16"} if half else {}) | options


def _compared(decisions: dict[str, Decisions]) -> tuple[Any, Any, Any]:
    """Returns labels, logits and weights for metrics, by name if there are several."""
    labels, logits, weights = {}, {}, {}
    for name, each in decisions.items():
        labels[name], logits[name] = each.labels, each.student_logits
        weights[name] = decision_weights(each)
        if each.label_weight is not None:
            weights[name] *= ops.cast(each.label_weight, "float32")
    if len(decisions) > 1:
        return labels, logits, weights
    (name,) = decisions
    return labels[name], logits[name], weights[name]
