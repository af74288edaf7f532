"""What a classifier's batch is, as Keras users have it: (x, y) or (x, y, weight)."""

from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from babelet.model.objective import Decisions, Outcome

ANSWERS = ("label", "label_weight", "teacher_logits")


def decide_class(
    student: Callable,
    batch: Any,
    training: bool,
    teacher: Callable[[Any], Any] | None = None,
) -> Outcome:
    """Returns one decision a row: its class.

    Args:
        student: From x to logits (..., K), K at least 2.
        batch: (x, y, sample_weight), (x, y) or x. y is the label: int (...) or
            (..., 1), the class's id, or (..., K), one-hot or the probability of each
            class. Or a dict of "label", "label_weight" (...), 0 where a row has no
            label, and "teacher_logits" (..., K). sample_weight is (...).
        training: Whether dropout is on.
        teacher: From x to its logits (..., K); without it they come in the batch.

    Raises:
        ValueError: y is of another shape, or the student has a single output.
    """
    x, y, weight = keras.utils.unpack_x_y_sample_weight(batch)
    answers = y if isinstance(y, dict) else {"label": y}
    if not set(answers) <= set(ANSWERS):
        raise ValueError(
            f"y may have the keys {', '.join(ANSWERS)}. Received: {sorted(answers)}"
        )
    logits = student(x, training=training)
    rows, classes = ops.shape(logits)[:-1], ops.shape(logits)[-1]
    if classes == 1:
        raise ValueError(
            "The student must have a logit for each class, for two classes 2. "
            f"Received: student logits of shape {tuple(logits.shape)}"
        )
    known = teacher(x) if teacher is not None else answers.get("teacher_logits")
    label_weight = answers.get("label_weight")
    decisions = Decisions(
        logits,
        _labels(answers.get("label"), logits),
        known,
        weight=None if weight is None else ops.reshape(weight, rows),
        label_weight=None if label_weight is None else ops.reshape(label_weight, rows),
    )
    return Outcome({"class": decisions}, {})


def require_logits(model: Any, role: str) -> None:
    """Raises a ValueError if `model` ends in a softmax, as far as its layers show.

    The softmax of probabilities is nearly uniform: the loss falls, and little is
    learned.
    """
    last = model
    while isinstance(last, keras.Model) and last.layers:
        last = last.layers[-1]
    softmax = getattr(last, "activation", None) is keras.activations.softmax
    if softmax or isinstance(last, keras.layers.Softmax):
        raise ValueError(
            f"The {role} must return logits, before any softmax. Received: the "
            f"{role} {model.name!r}, whose last layer {last.name!r} is a softmax. "
            "Take the softmax away, or return keras.ops.log of the probabilities"
        )


def _labels(label: Any, logits: Any) -> Any:
    """Returns int (...) or probabilities (..., K); None for no label."""
    if label is None:
        return None
    label = ops.convert_to_tensor(label)
    shape, expected = tuple(label.shape), tuple(logits.shape)
    if len(shape) == len(expected) and shape[-1] == 1:
        return ops.cast(ops.squeeze(label, -1), "int32")
    if len(shape) == len(expected) - 1:
        return ops.cast(label, "int32")
    if len(shape) == len(expected) and shape[-1] == expected[-1]:
        return label
    raise ValueError(
        f"y must be class ids {expected[:-1]}, or probabilities {expected}. "
        f"Received: y of shape {shape}"
    )
