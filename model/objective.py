"""The one objective: a choice among candidates, from hard and soft labels.

    loss = Σ w·[α·l·CE(label, s) + (1-α)·T²·KL(softmax(t/T) ‖ softmax(s/T))] / Σ w

for student logits s and teacher logits t of shape (..., K), decision weights w and
label weights l of shape (...). Hinton et al. 2015, "Distilling the Knowledge in a
Neural Network", section 2; T² keeps the gradient of the soft part at one scale for
every T. Computed in float32 under every precision policy.
"""

from typing import NamedTuple

from keras import ops

# A candidate that must not be chosen. Finite: -inf would give 0·inf = NaN in the KL.
EXCLUDED = -1e9


class Decisions(NamedTuple):
    """Choices to be learned; shapes (...) are free, K is the number of candidates.

    Attributes:
        student_logits: (..., K).
        labels: int (...), the true candidate; None only where alpha is 0.
        teacher_logits: (..., K); None only where alpha is 1.
        weight: (...), 0 drops a decision (padding); None is 1 everywhere.
        label_weight: (...), 0 drops only the hard label (unlabelled); None is 1.
        candidate_mask: bool (..., K), False excludes a candidate; None keeps all.
    """

    student_logits: object
    labels: object = None
    teacher_logits: object = None
    weight: object = None
    label_weight: object = None
    candidate_mask: object = None


def hard_label_loss(
    student_logits: object, labels: object, candidate_mask: object = None
) -> object:
    """Returns the cross-entropy of each decision, float32 (...)."""
    log_student = _log_softmax(student_logits, 1.0, candidate_mask)
    labels = ops.expand_dims(ops.cast(labels, "int32"), -1)
    return -ops.squeeze(ops.take_along_axis(log_student, labels, axis=-1), -1)


def soft_label_loss(
    student_logits: object,
    teacher_logits: object,
    temperature: float,
    candidate_mask: object = None,
) -> object:
    """Returns T²·KL(teacher ‖ student) of each decision, float32 (...)."""
    log_student = _log_softmax(student_logits, temperature, candidate_mask)
    log_teacher = ops.stop_gradient(
        _log_softmax(teacher_logits, temperature, candidate_mask)
    )
    terms = ops.exp(log_teacher) * (log_teacher - log_student)
    return temperature**2 * ops.sum(terms, axis=-1)


def decision_losses(
    decisions: Decisions, alpha: float, temperature: float
) -> dict[str, object]:
    """Returns scalars "loss", "hard_label" and "soft_label", float32.

    The two parts are weighted means over decisions, without alpha; a part that
    alpha switches off is left out and its inputs are not read.
    """
    weight = decisions.weight
    if weight is None:
        weight = ops.ones(ops.shape(decisions.student_logits)[:-1], "float32")
    weight = ops.cast(weight, "float32")
    parts, loss = {}, 0.0
    if alpha > 0:
        hard = hard_label_loss(
            decisions.student_logits, decisions.labels, decisions.candidate_mask
        )
        if decisions.label_weight is not None:
            hard = hard * ops.cast(decisions.label_weight, "float32")
        parts["hard_label"] = _weighted_mean(hard, weight)
        loss += alpha * parts["hard_label"]
    if alpha < 1:
        soft = soft_label_loss(
            decisions.student_logits,
            decisions.teacher_logits,
            temperature,
            decisions.candidate_mask,
        )
        parts["soft_label"] = _weighted_mean(soft, weight)
        loss += (1 - alpha) * parts["soft_label"]
    return {"loss": loss, **parts}


def _log_softmax(logits: object, temperature: float, mask: object) -> object:
    logits = ops.cast(logits, "float32") / temperature
    if mask is not None:
        logits = ops.where(mask, logits, EXCLUDED)
    return ops.log_softmax(logits, axis=-1)


def _weighted_mean(values: object, weight: object) -> object:
    # A decision of weight 0 may hold anything, NaN included: it must not count.
    values = ops.where(weight > 0, values, 0.0)
    return ops.divide_no_nan(ops.sum(weight * values), ops.sum(weight))
