"""The one objective: a choice among candidates, from hard and soft labels.

    loss = Σ w·[α·l·CE(label, s) + (1-α)·T²·KL(softmax(t/T) ‖ softmax(s/T))] / Σ w

for student logits s and teacher logits t of shape (..., K), decision weights w and
label weights l of shape (...). Hinton et al. 2015, "Distilling the Knowledge in a
Neural Network", section 2; T² keeps the gradient of the soft part at one scale for
every T. Computed in float32 under every precision policy.
"""

from typing import NamedTuple

from keras import KerasTensor, ops

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

    student_logits: KerasTensor
    labels: KerasTensor | None = None
    teacher_logits: KerasTensor | None = None
    weight: KerasTensor | None = None
    label_weight: KerasTensor | None = None
    candidate_mask: KerasTensor | None = None


def margin_loss(
    student_logits: object,
    labels: object,
    margin: float,
    candidate_mask: object = None,
) -> object:
    """Returns what the label's log-odds lack to `margin`, float32 (...), 0 or more.

    max(0, margin - log(p / (1 - p))), p = softmax(s) at the label: the hinge of
    Crammer & Singer 2001 with a log-sum-exp in the place of its largest other score.
    Cross-entropy has little gradient left once the label is the likeliest; this
    has all of it until the label leaves the others the margin behind, and then none.
    """
    logits = ops.cast(student_logits, "float32")
    if candidate_mask is not None:
        logits = ops.where(candidate_mask, logits, EXCLUDED)
    own = ops.one_hot(labels, ops.shape(logits)[-1], dtype="bool")
    others = ops.logsumexp(ops.where(own, EXCLUDED, logits), axis=-1)
    labels = ops.expand_dims(ops.cast(labels, "int32"), -1)
    chosen = ops.squeeze(ops.take_along_axis(logits, labels, axis=-1), -1)
    return ops.relu(margin + others - chosen)


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
) -> KerasTensor:
    """Returns T²·KL(teacher ‖ student) of each decision, float32 (...)."""
    log_student = _log_softmax(student_logits, temperature, candidate_mask)
    log_teacher = ops.stop_gradient(
        _log_softmax(teacher_logits, temperature, candidate_mask)
    )
    return temperature**2 * ops.sum(_divergence(log_student, log_teacher), axis=-1)


def decision_losses(
    decisions: Decisions, alpha: float, temperature: float, margin: float = 0.0
) -> dict[str, object]:
    """Returns scalars "loss", "hard_label" and "soft_label", float32.

    With a `margin` above 0 the hard label's part is `margin_loss`.
    The two parts are weighted means over decisions, without alpha; a part that
    alpha switches off is left out and its inputs are not read.
    """
    weight = decisions.weight
    if weight is None:
        weight = ops.ones(ops.shape(decisions.student_logits)[:-1], "float32")
    else:
        decisions = _silence(decisions, ops.expand_dims(weight > 0, -1))
    weight = ops.cast(weight, "float32")
    parts, loss = {}, 0.0
    if alpha > 0:
        hard = _hard(decisions, margin)
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


def _hard(decisions: Decisions, margin: float) -> object:
    logits, labels, _, _, _, mask = decisions
    if margin:
        return margin_loss(logits, labels, margin, mask)
    return hard_label_loss(logits, labels, mask)


def _divergence(log_student: KerasTensor, log_teacher: KerasTensor) -> object:
    """Returns terms (..., K) whose sum is the KL divergence, each 0 or more.

    p·(eˣ - 1 - x), x = log s - log p, sums to the same as -p·x, because p and s both
    sum to 1. The textbook form adds the rounding of the two normalisers to the loss,
    which T² multiplies: 9e-6 off at T = 4 and 1,000 candidates, where this is 5e-7.
    """
    teacher = ops.exp(log_teacher)
    x = log_student - log_teacher
    # eˣ overflows where the teacher all but excludes what the student likes.
    small = ops.minimum(x, 1.0)
    return ops.where(
        x < 1.0,
        teacher * (ops.expm1(small) - small),
        ops.exp(log_student) - teacher * (1.0 + x),
    )


def _log_softmax(logits: object, temperature: float, mask: object) -> object:
    logits = ops.cast(logits, "float32") / temperature
    if mask is not None:
        logits = ops.where(mask, logits, EXCLUDED)
    return ops.log_softmax(logits, axis=-1)


def _silence(decisions: Decisions, counts: object) -> Decisions:
    """Returns `decisions` with logits of 0 where `counts` (..., 1) is False.

    A decision of weight 0 may hold anything, NaN included. Dropping its loss is not
    enough: the softmax's gradient would still be 0·NaN.
    """
    student, teacher = decisions.student_logits, decisions.teacher_logits
    return decisions._replace(
        student_logits=ops.where(counts, student, 0.0),
        teacher_logits=None if teacher is None else ops.where(counts, teacher, 0.0),
    )


def _weighted_mean(values: KerasTensor, weight: KerasTensor) -> KerasTensor:
    return ops.divide_no_nan(ops.sum(weight * values), ops.sum(weight))
