"""The one objective: a choice among candidates, from hard and soft labels.

    loss = Σ w·[α·l·CE(label, s) + (1-α)·T²·KL(softmax(t/T) ‖ softmax(s/T))] / Σ w

for student logits s and teacher logits t of shape (..., K), decision weights w and
label weights l of shape (...). Hinton et al. 2015, "Distilling the Knowledge in a
Neural Network", section 2; T² keeps the gradient of the soft part at one scale for
every T. Computed in float32 under every precision policy.
"""

from dataclasses import dataclass
from typing import NamedTuple

from keras import KerasTensor, ops

from babelet.core.errors import BabeletError

# A candidate that must not be chosen. Finite: -inf would give 0·inf = NaN in the KL.
EXCLUDED = -1e9


class Decisions(NamedTuple):
    """Choices to be learned; shapes (...) are free, K is the number of candidates.

    Attributes:
        student_logits: (..., K).
        labels: int (...), the true candidate, or (..., K), the probability of each
            (one-hot, smoothed or mixed); None only where alpha is 0.
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


class Outcome(NamedTuple):
    """What is read off one forward pass of the student.

    Attributes:
        decisions: The choices of the batch by name, say one per direction; the
            objective is their mean.
        features: For the feature term of that name, its two inputs.
    """

    decisions: dict[str, Decisions]
    features: dict[str, tuple]


@dataclass(frozen=True)
class Objective:
    """What a decision is learned from, and how.

    Attributes:
        alpha: Share of the hard label, 0 to 1; 1 needs no teacher.
        temperature: T of both softmaxes of the soft label, 1 or more.
        margin: Of the hard label's `margin_loss`; 0 is cross-entropy.

    Raises:
        ValueError: alpha, temperature or margin is out of range.
    """

    alpha: float = 0.5
    temperature: float = 2.0
    margin: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.alpha <= 1:
            raise ValueError(f"alpha must be in [0, 1]. Received: {self.alpha}")
        if not self.temperature >= 1:
            raise ValueError(
                f"temperature must be 1 or more. Received: {self.temperature}"
            )
        if not self.margin >= 0:
            raise ValueError(f"margin must be 0 or more. Received: {self.margin}")

    @property
    def terms(self) -> tuple[str, ...]:
        """The names of the losses that `decision_losses` returns for it."""
        hard = ("hard_label",) if self.alpha > 0 else ()
        soft = ("soft_label",) if self.alpha < 1 else ()
        return ("loss", *hard, *soft)


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
    """Returns the cross-entropy of each decision, float32 (...).

    Args:
        student_logits: (..., K).
        labels: int (...), or probabilities (..., K).
        candidate_mask: bool (..., K), False excludes a candidate.
    """
    log_student = _log_softmax(student_logits, 1.0, candidate_mask)
    if ops.ndim(labels) == ops.ndim(log_student):
        return -ops.sum(ops.cast(labels, "float32") * log_student, axis=-1)
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

    Raises:
        BabeletError: An answer that alpha asks for is missing, or the teacher's has
            other candidates.
    """
    _require_answers(decisions, alpha)
    weight = decision_weights(decisions)
    if decisions.weight is not None:
        decisions = _silence(decisions, ops.expand_dims(decisions.weight > 0, -1))
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


def decision_weights(decisions: Decisions) -> KerasTensor:
    """Returns the weight of each decision, float32 (...)."""
    if decisions.weight is None:
        return ops.ones(ops.shape(decisions.student_logits)[:-1], "float32")
    return ops.cast(decisions.weight, "float32")


def _require_answers(decisions: Decisions, alpha: float) -> None:
    if alpha > 0 and decisions.labels is None:
        raise BabeletError(
            f"alpha={alpha} learns hard labels, and the batch has none",
            expected="a label for every decision",
            received="labels=None",
            remedy="give labels, or set alpha=0 to learn from the teacher alone",
        )
    if alpha == 1:
        return
    if decisions.teacher_logits is None:
        raise BabeletError(
            f"alpha={alpha} learns from a teacher, and there is none",
            expected="a live teacher, or its logits in the batch",
            received="teacher_logits=None",
            remedy="give Distiller(teacher=...), or batches whose y is {'label': ..., "
            "'teacher_logits': ...}, or set alpha=1 to learn from labels alone",
        )
    own, theirs = (
        ops.shape(logits)[-1]
        for logits in (decisions.student_logits, decisions.teacher_logits)
    )
    if isinstance(own, int) and isinstance(theirs, int) and own != theirs:
        raise BabeletError(
            "Teacher and student choose among different candidates",
            expected=f"teacher logits (..., {own}), as the student's",
            received=f"(..., {theirs})",
            remedy="give both the same classes in the same order",
        )


def _hard(decisions: Decisions, margin: float) -> object:
    logits, labels, _, _, _, mask = decisions
    if margin:
        if ops.ndim(labels) == ops.ndim(logits):
            raise ValueError(
                "A margin needs the true candidate of each decision. Received: "
                f"margin={margin} and probabilities as labels"
            )
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
    student, labels, teacher = decisions[:3]
    if labels is not None and ops.ndim(labels) == ops.ndim(student):
        labels = ops.where(counts, labels, ops.zeros_like(labels))
    return decisions._replace(
        student_logits=ops.where(counts, student, 0.0),
        labels=labels,
        teacher_logits=None if teacher is None else ops.where(counts, teacher, 0.0),
    )


def _weighted_mean(values: KerasTensor, weight: KerasTensor) -> KerasTensor:
    return ops.divide_no_nan(ops.sum(weight * values), ops.sum(weight))
