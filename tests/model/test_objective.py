"""The decision loss against NumPy in float64, and what must leave it unchanged."""

import numpy as np
import pytest
import tensorflow as tf

from babelet.model.objective import (
    Decisions,
    decision_losses,
    hard_label_loss,
    margin_loss,
    soft_label_loss,
)

RANDOM = np.random.default_rng(20)


def log_softmax(logits, mask=None):
    logits = np.asarray(logits, np.float64)
    if mask is not None:
        logits = np.where(mask, logits, -np.inf)
    shifted = logits - logits.max(-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))


def reference_soft(student, teacher, temperature, mask=None):
    """T²·KL(teacher ‖ student) in float64; excluded candidates contribute nothing."""
    s = log_softmax(np.asarray(student, np.float64) / temperature, mask)
    t = log_softmax(np.asarray(teacher, np.float64) / temperature, mask)
    terms = np.exp(t) * (np.where(np.isinf(t), 0, t) - np.where(np.isinf(s), 0, s))
    return temperature**2 * terms.sum(-1)


def reference_hard(student, labels, mask=None):
    picked = np.take_along_axis(log_softmax(student, mask), labels[..., None], -1)
    return -picked[..., 0]


def reference_loss(decisions, alpha, temperature):
    """DESIGN's formula: one weighted mean over decisions."""
    mask, weight = decisions.candidate_mask, decisions.weight
    each = np.zeros(decisions.student_logits.shape[:-1])
    if alpha > 0:
        hard = reference_hard(decisions.student_logits, decisions.labels, mask)
        each += (
            alpha
            * hard
            * (1 if decisions.label_weight is None else decisions.label_weight)
        )
    if alpha < 1:
        each += (1 - alpha) * reference_soft(
            decisions.student_logits, decisions.teacher_logits, temperature, mask
        )
    weight = np.ones_like(each) if weight is None else weight
    return (weight * each).sum() / weight.sum()


def assert_close(got, reference):
    """The bound that DESIGN asks for: 1e-6, relative above 1."""
    got, reference = np.asarray(got, np.float64), np.asarray(reference, np.float64)
    assert got.shape == reference.shape
    error = np.abs(got - reference) / np.maximum(1.0, np.abs(reference))
    assert error.max() <= 1e-6, f"off by {error.max():.2g}"


def normal(*shape, scale=2.0):
    return (scale * RANDOM.standard_normal(shape)).astype(np.float32)


def classification():
    """Eight sentences, five classes; the third is unlabelled, the last weighs 0.3."""
    label_weight = np.ones(8, np.float32)
    label_weight[2] = 0
    weight = np.ones(8, np.float32)
    weight[-1] = 0.3
    return Decisions(
        student_logits=normal(8, 5),
        labels=RANDOM.integers(5, size=8),
        teacher_logits=normal(8, 5),
        weight=weight,
        label_weight=label_weight,
    )


def unit(*shape):
    vectors = RANDOM.standard_normal(shape)
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def in_batch(direction):
    """Cosines over 0.03 of six sentences with their translations; 1 and 4 are alike."""
    scale = 0.03
    source, pivot = unit(6, 16), unit(6, 16)
    pivot[4] = pivot[1]
    student, teacher = source @ pivot.T / scale, pivot @ pivot.T / scale
    if direction == "reverse":
        student = student.T
    mask = np.ones((6, 6), bool)
    mask[1, 4] = mask[4, 1] = False
    return Decisions(
        student_logits=student.astype(np.float32),
        labels=np.arange(6),
        teacher_logits=teacher.astype(np.float32),
        candidate_mask=mask,
    )


def translation():
    """Two sentences of five and three tokens, padded to six, vocabulary of eleven."""
    weight = np.zeros((2, 6), np.float32)
    weight[0, :5] = 1
    weight[1, :3] = 1
    return Decisions(
        student_logits=normal(2, 6, 11),
        labels=RANDOM.integers(11, size=(2, 6)),
        teacher_logits=normal(2, 6, 11),
        weight=weight,
    )


SHAPES = {
    "classification": classification(),
    "source to translation": in_batch("forward"),
    "translation to source": in_batch("reverse"),
    "translation": translation(),
}
each_shape = pytest.mark.parametrize("decisions", SHAPES.values(), ids=SHAPES)


def loss_and_gradient(decisions, alpha=0.5, temperature=2.0):
    logits = tf.constant(decisions.student_logits)
    with tf.GradientTape() as tape:
        tape.watch(logits)
        terms = decision_losses(
            decisions._replace(student_logits=logits), alpha, temperature
        )
    gradient = tape.gradient(terms["loss"], logits)
    return float(terms["loss"]), tf.cast(gradient, tf.float32).numpy()


def test_a_loss_computed_by_hand():
    """A reference that shares the code's mistake would agree with it."""
    # softmax(log 3, 0) = (3/4, 1/4); the teacher's is (1/2, 1/2).
    student, teacher = np.log([[3.0, 1.0]]), np.zeros((1, 2))
    assert_close(hard_label_loss(student, np.array([1])), [np.log(4.0)])
    by_hand = 0.5 * np.log(0.5 / 0.75) + 0.5 * np.log(0.5 / 0.25)
    assert_close(soft_label_loss(student, teacher, 1.0), [by_hand])
    # At T = 2, the student's is softmax(log √3, 0) and the factor 4.
    odds = np.sqrt(3.0)
    at_two = 0.5 * np.log(0.5 * (1 + odds) / odds) + 0.5 * np.log(0.5 * (1 + odds))
    assert_close(soft_label_loss(student, teacher, 2.0), [4 * at_two])


@each_shape
@pytest.mark.parametrize("temperature", [1.0, 4.0])
@pytest.mark.parametrize("alpha", [0.0, 0.3, 1.0])
def test_the_loss_is_the_formula(decisions, alpha, temperature):
    """A loss that falls is no proof: without softmax it falls too."""
    got = decision_losses(decisions, alpha, temperature)["loss"]
    assert_close(got, reference_loss(decisions, alpha, temperature))


@each_shape
def test_each_decision_is_the_formula(decisions):
    """Errors of opposite sign would cancel in the mean."""
    student, mask = decisions.student_logits, decisions.candidate_mask
    teacher, labels = decisions.teacher_logits, decisions.labels
    got = soft_label_loss(student, teacher, 3.0, mask)
    assert_close(got, reference_soft(student, teacher, 3.0, mask))
    got = hard_label_loss(student, labels, mask)
    assert_close(got, reference_hard(student, labels, mask))


@each_shape
def test_the_gradient_is_the_formula(decisions):
    """Training sees only this: CE's, and T·(softmax(s/T) - softmax(t/T))."""
    alpha, temperature, mask = 0.3, 4.0, decisions.candidate_mask
    student = np.exp(log_softmax(decisions.student_logits, mask))
    hard = student - np.eye(student.shape[-1])[decisions.labels]
    if decisions.label_weight is not None:
        hard *= decisions.label_weight[..., None]
    soft = np.exp(log_softmax(decisions.student_logits / temperature, mask))
    soft -= np.exp(log_softmax(decisions.teacher_logits / temperature, mask))
    weight = decisions.weight
    weight = np.ones(decisions.labels.shape) if weight is None else weight
    expected = alpha * hard + (1 - alpha) * temperature * soft
    expected *= weight[..., None] / weight.sum()
    _, gradient = loss_and_gradient(decisions, alpha, temperature)
    assert_close(gradient, expected)


def test_the_bound_holds_for_many_candidates_at_a_high_temperature():
    """T² multiplies rounding: summing p·(log p - log s) is off by 9e-6 here."""
    student, teacher = normal(64, 1152, scale=1.0), normal(64, 1152, scale=1.0)
    got = soft_label_loss(student, teacher, 4.0)
    assert_close(got, reference_soft(student, teacher, 4.0))


def test_a_teacher_that_all_but_excludes_a_candidate_is_finite():
    """exp(log s - log t) overflows where the teacher's logit is a large negative."""
    decisions = Decisions(
        student_logits=np.array([[9.0, 0.0, 1.0]], np.float32),
        teacher_logits=np.array([[-1e9, 0.0, 1.0]], np.float32),
    )
    loss, gradient = loss_and_gradient(decisions, alpha=0.0, temperature=1.0)
    assert loss == pytest.approx(reference_loss(decisions, 0.0, 1.0), rel=1e-6)
    assert np.isfinite(gradient).all()


@each_shape
def test_shifting_the_logits_changes_nothing(decisions):
    """Only differences between candidates mean anything."""
    shifted = decisions._replace(
        student_logits=decisions.student_logits + np.float32(4),
        teacher_logits=decisions.teacher_logits - np.float32(8),
    )
    loss, gradient = loss_and_gradient(decisions)
    shifted_loss, shifted_gradient = loss_and_gradient(shifted)
    assert shifted_loss == pytest.approx(loss, rel=2e-6)
    np.testing.assert_allclose(shifted_gradient, gradient, atol=2e-6)


@each_shape
def test_the_order_of_the_batch_does_not_matter(decisions):
    """A weight applied to the wrong row shows only here."""
    order = RANDOM.permutation(len(decisions.student_logits))
    permuted = Decisions(*(None if x is None else x[order] for x in decisions))
    loss, gradient = loss_and_gradient(decisions)
    permuted_loss, permuted_gradient = loss_and_gradient(permuted)
    assert permuted_loss == pytest.approx(loss, rel=1e-6)
    np.testing.assert_allclose(permuted_gradient, gradient[order], atol=1e-6)


@each_shape
def test_a_student_that_is_its_teacher_has_no_soft_loss(decisions):
    """KL with its sides swapped or a missing term would leave a remainder."""
    same = decisions._replace(student_logits=decisions.teacher_logits)
    loss, gradient = loss_and_gradient(same, alpha=0.0, temperature=3.0)
    assert abs(loss) <= 1e-6
    np.testing.assert_allclose(gradient, 0, atol=1e-6)


@pytest.mark.parametrize("filler", [1e4, -1e4, np.nan])
def test_padding_contributes_nothing(filler):
    """Whatever stands in the padding would otherwise teach the student."""
    decisions = SHAPES["translation"]
    padding = decisions.weight == 0
    student = decisions.student_logits.copy()
    teacher = decisions.teacher_logits.copy()
    student[padding, :5] = filler
    teacher[padding, 5:] = filler
    other = decisions._replace(
        student_logits=student,
        teacher_logits=teacher,
        labels=np.where(padding, 0, decisions.labels),
    )
    loss, gradient = loss_and_gradient(decisions)
    other_loss, other_gradient = loss_and_gradient(other)
    assert other_loss == loss
    np.testing.assert_array_equal(other_gradient, gradient)
    assert not other_gradient[padding].any()


@each_shape
def test_excluded_candidates_contribute_nothing(decisions):
    """A duplicate of the right translation must not be pushed away as wrong."""
    mask = np.ones(decisions.student_logits.shape, bool)
    mask[..., 0] = False
    labels = np.maximum(decisions.labels, 1)
    decisions = decisions._replace(candidate_mask=mask, labels=labels, weight=None)
    moved = decisions.student_logits + np.where(mask, 0, 50).astype(np.float32)
    loss, gradient = loss_and_gradient(decisions)
    assert np.isfinite(loss) and np.isfinite(gradient).all()
    assert not gradient[..., 0].any()
    other_loss, other_gradient = loss_and_gradient(
        decisions._replace(student_logits=moved)
    )
    assert other_loss == loss
    np.testing.assert_array_equal(other_gradient, gradient)


@each_shape
def test_scaling_the_weights_changes_nothing(decisions):
    """The loss is a weighted mean: a sum would tie the learning rate to the batch."""
    weight = decisions.weight
    weight = np.ones(decisions.labels.shape, np.float32) if weight is None else weight
    loss, _ = loss_and_gradient(decisions._replace(weight=weight))
    scaled, _ = loss_and_gradient(decisions._replace(weight=7 * weight))
    assert scaled == pytest.approx(loss, rel=1e-6)


def test_a_batch_of_padding_alone_is_zero():
    """0/0 would poison every weight with NaN."""
    decisions = SHAPES["translation"]
    nothing = np.zeros_like(decisions.weight)
    loss, gradient = loss_and_gradient(decisions._replace(weight=nothing))
    assert loss == 0
    assert not gradient.any()


def test_unlabelled_rows_still_learn_from_the_teacher():
    """Label weight 0 drops the label; it must not drop the row."""
    decisions = SHAPES["classification"]
    _, gradient = loss_and_gradient(decisions, alpha=1.0)
    assert not gradient[2].any()
    _, gradient = loss_and_gradient(decisions, alpha=0.5)
    assert gradient[2].any()


def test_the_temperature_keeps_the_scale_of_the_gradient():
    """Without T², alpha means another mixture at every temperature."""
    decisions = SHAPES["classification"]
    sizes = {}
    for temperature in (1.0, 4.0, 16.0):
        _, gradient = loss_and_gradient(decisions, alpha=0.0, temperature=temperature)
        sizes[temperature] = np.linalg.norm(gradient)
    assert 1 / 3 < sizes[4.0] / sizes[1.0] < 3
    # At high temperature the gradient tends to (s - t)/K over centred logits.
    assert sizes[16.0] == pytest.approx(sizes[4.0], rel=0.3)


@each_shape
def test_plain_training_ignores_the_teacher(decisions):
    """The baseline without a teacher must not know one, nor need one."""
    alone, gradient = loss_and_gradient(
        decisions._replace(teacher_logits=None), alpha=1.0, temperature=4.0
    )
    loss, with_teacher = loss_and_gradient(decisions, alpha=1.0, temperature=1.0)
    assert alone == loss
    np.testing.assert_array_equal(gradient, with_teacher)


@each_shape
def test_pure_distillation_ignores_the_labels(decisions):
    """Unlabelled text has no label to read."""
    alone, _ = loss_and_gradient(
        decisions._replace(labels=None, label_weight=None), alpha=0.0
    )
    loss, _ = loss_and_gradient(decisions, alpha=0.0)
    assert alone == loss


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
@each_shape
def test_half_precision_logits_are_computed_in_float32(decisions, dtype):
    """In bfloat16 a KL of 0.001 is lost in the rounding of its terms."""
    rounded = decisions._replace(
        student_logits=tf.cast(decisions.student_logits, dtype),
        teacher_logits=tf.cast(decisions.teacher_logits, dtype),
    )
    exact = decisions._replace(
        student_logits=tf.cast(rounded.student_logits, "float32").numpy(),
        teacher_logits=tf.cast(rounded.teacher_logits, "float32").numpy(),
    )
    terms = decision_losses(rounded, 0.5, 2.0)
    assert all(value.dtype == tf.float32 for value in terms.values())
    assert_close(terms["loss"], reference_loss(exact, 0.5, 2.0))
    _, gradient = loss_and_gradient(rounded)
    assert np.isfinite(gradient).all()


@each_shape
def test_the_teacher_receives_no_gradient(decisions):
    """A trainable projection on the teacher's side could cheat its way to zero."""
    teacher = tf.constant(decisions.teacher_logits)
    with tf.GradientTape() as tape:
        tape.watch(teacher)
        terms = decision_losses(decisions._replace(teacher_logits=teacher), 0.5, 2.0)
    assert tape.gradient(terms["loss"], teacher) is None


def test_the_parts_are_reported_without_alpha():
    """Curves of runs with different alphas could not be compared."""
    decisions = SHAPES["translation"]
    terms = decision_losses(decisions, 0.3, 2.0)
    assert_close(terms["hard_label"], reference_loss(decisions, 1.0, 2.0))
    assert_close(terms["soft_label"], reference_loss(decisions, 0.0, 2.0))


def reference_margin(decisions, margin):
    """Every decision's hinge in float64: margin less the label's log-odds."""
    log_p = log_softmax(decisions.student_logits, decisions.candidate_mask)
    log_p = np.take_along_axis(log_p, np.asarray(decisions.labels)[..., None], -1)
    log_p = log_p[..., 0]
    with np.errstate(divide="ignore"):
        odds = log_p - np.log(-np.expm1(log_p))
    return np.maximum(0.0, margin - odds)


@each_shape
@pytest.mark.parametrize("margin", [0.5, 3.0, 8.0])
def test_the_margin_is_the_formula(decisions, margin):
    """The label competes with itself, or with candidates that are none."""
    got = margin_loss(
        decisions.student_logits, decisions.labels, margin, decisions.candidate_mask
    )
    assert_close(got, reference_margin(decisions, margin))
    each = reference_margin(decisions, margin)
    weight, label_weight = decisions.weight, decisions.label_weight
    weight = np.ones_like(each) if weight is None else weight
    each = each if label_weight is None else each * label_weight
    terms = decision_losses(decisions, 1.0, 1.0, margin)
    assert_close(terms["loss"], np.float64((weight * each).sum() / weight.sum()))
    soft = decision_losses(decisions, 0.5, 2.0, margin)["soft_label"]
    assert_close(soft, decision_losses(decisions, 0.5, 2.0)["soft_label"])


def test_the_margin_is_learned_whole_until_it_is_kept():
    """A likely label is left alone as by cross-entropy, or driven without end."""
    logits = tf.constant([[0.0, 0.0, 0.0], [4.0, 0.0, 0.0], [9.0, 0.0, 0.0]])
    with tf.GradientTape() as tape:
        tape.watch(logits)
        loss = tf.reduce_sum(margin_loss(logits, tf.zeros(3, tf.int32), 6.0))
    gradient = tape.gradient(loss, logits).numpy()
    np.testing.assert_allclose(gradient[:2], [[-1, 0.5, 0.5]] * 2, rtol=1e-6)
    assert not gradient[2].any()


def test_padding_adds_nothing_to_the_margin():
    """NaN at padding reaches the gradient, or padding counts as decisions."""
    decisions = translation()
    logits = np.where(decisions.weight[..., None] > 0, decisions.student_logits, np.nan)
    with tf.GradientTape() as tape:
        watched = tf.constant(logits.astype(np.float32))
        tape.watch(watched)
        changed = decisions._replace(student_logits=watched)
        loss = decision_losses(changed, 1.0, 1.0, 3.0)["loss"]
    assert_close(loss, decision_losses(decisions, 1.0, 1.0, 3.0)["loss"])
    gradient = tape.gradient(loss, watched).numpy()
    assert np.isfinite(gradient).all() and not gradient[decisions.weight == 0].any()
