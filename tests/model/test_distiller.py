"""The Distiller's steps against NumPy in float64, for every shape of decision."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from babelet.model.distiller import Distiller
from babelet.model.features import EmbeddingMatch, FeatureTerm
from babelet.model.objective import Decisions, Objective, Outcome

ALPHA, TEMPERATURE = 0.3, 2.0


def normal(*shape, seed=11):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def dense(units, inputs, dtype="float32", dropout=0.0):
    """A student of one matrix."""
    keras.utils.set_random_seed(12)
    x = keras.Input((inputs,))
    hidden = keras.layers.Dropout(dropout, dtype=dtype)(x)
    y = keras.layers.Dense(units, dtype=dtype, name="dense")(hidden)
    return keras.Model(x, y)


def classification(student, batch, training):
    """Six sentences, four classes."""
    decisions = Decisions(
        student(batch["x"], training=training), batch["labels"], batch["teacher"]
    )
    return Outcome({"class": decisions}, {"embedding_match": (batch["x"], batch["x"])})


def both_directions(student, batch, training):
    """Five sentences choose among the translations, and back; 1 and 3 are alike."""
    vectors = student(batch["x"], training=training)
    logits = ops.matmul(vectors, ops.transpose(batch["pivot"]))
    rest = (batch["labels"], batch["teacher"], None, None, batch["mask"])
    return Outcome(
        {
            "to_pivot": Decisions(logits, *rest),
            "from_pivot": Decisions(ops.transpose(logits), *rest),
        },
        {"embedding_match": (vectors, batch["pivot"])},
    )


def translation(student, batch, training):
    """Two sentences of four and two tokens, padded to four, seven pieces."""
    decisions = Decisions(
        student(batch["x"], training=training),
        batch["labels"],
        batch["teacher"],
        batch["weight"],
    )
    return Outcome({"token": decisions}, {})


MASK = np.ones((5, 5), bool)
MASK[1, 3] = MASK[3, 1] = False
SHAPES = {
    "classification": (
        classification,
        dense(4, 3),
        {
            "x": normal(6, 3),
            "labels": np.array([0, 1, 2, 3, 3, 1]),
            "teacher": normal(6, 4, seed=13),
        },
    ),
    "both directions": (
        both_directions,
        dense(8, 3),
        {
            "x": normal(5, 3),
            "pivot": normal(5, 8, seed=14),
            "labels": np.arange(5),
            "teacher": normal(5, 5, seed=15),
            "mask": MASK,
        },
    ),
    "translation": (
        translation,
        keras.Sequential([keras.Input((None, 3)), keras.layers.Dense(7)]),
        {
            "x": normal(2, 4, 3),
            "labels": np.array([[6, 0, 3, 1], [2, 5, 0, 0]]),
            "teacher": normal(2, 4, 7, seed=16),
            "weight": np.array([[1, 1, 1, 1], [1, 1, 0, 0]], np.float32),
        },
    ),
}
each_shape = pytest.mark.parametrize(
    ("decide", "student", "batch"), SHAPES.values(), ids=SHAPES
)


def log_softmax(logits, mask):
    logits = np.where(mask, np.asarray(logits, np.float64), -1e9)
    shifted = logits - logits.max(-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))


def reference(decisions):
    """DESIGN's formula for one set of decisions, in float64."""
    student, labels, teacher, weight, _, mask = decisions
    student = np.asarray(student, np.float64)
    mask = True if mask is None else mask
    weight = np.ones(student.shape[:-1]) if weight is None else weight
    hard = -np.take_along_axis(log_softmax(student, mask), labels[..., None], -1)
    s, t = (
        log_softmax(np.asarray(logits, np.float64) / TEMPERATURE, mask)
        for logits in (student, teacher)
    )
    soft = TEMPERATURE**2 * (np.exp(t) * (t - s)).sum(-1)
    each = ALPHA * hard[..., 0] + (1 - ALPHA) * soft
    return (weight * each).sum() / weight.sum()


def distiller(student, decide, rate=0.1, alpha=ALPHA, **options):
    objective = Objective(alpha, TEMPERATURE)
    model = Distiller(student, objective, decide=decide, **options)
    model.compile(optimizer=keras.optimizers.SGD(rate))
    return model


@each_shape
def test_the_loss_of_a_step_is_the_objective(decide, student, batch):
    """Sums for means, or padding counted, only change the learning rate, it seems."""
    student = keras.models.clone_model(student)
    parts = decide(student, batch, False).decisions.values()
    expected = np.mean([reference(decisions) for decisions in parts])
    model = distiller(student, decide)
    tested = float(model.losses_of(batch, training=False).terms["loss"])
    trained = float(model.learn(batch).terms["loss"])
    for got in (tested, trained):
        assert abs(got - expected) <= 1e-6 * max(1, abs(expected))


@each_shape
def test_steps_lower_the_loss(decide, student, batch):
    """A gradient of the wrong sign or of no variable prints plausible losses."""
    model = distiller(keras.models.clone_model(student), decide)
    losses = [float(model.learn(batch).terms["loss"]) for _ in range(5)]
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < losses[0] - 1e-3


@each_shape
def test_fit_takes_the_same_steps(decide, student, batch):
    """Keras's loop must call our train_step, not its own with a loss of None."""
    by_hand, by_fit = (
        distiller(keras.models.clone_model(student), decide) for _ in range(2)
    )
    by_fit.student.set_weights(by_hand.student.get_weights())
    each = [by_hand.learn(batch).terms for _ in range(3)]
    data = tf.data.Dataset.from_tensors(batch).repeat()
    history = by_fit.fit(data, epochs=1, steps_per_epoch=3, verbose=0).history
    assert set(history) == {"loss", "hard_label", "soft_label"}
    for name, values in history.items():
        expected = np.mean([float(terms[name]) for terms in each])
        assert values == [pytest.approx(expected, abs=1e-6)]
    for ours, theirs in zip(
        by_fit.student.get_weights(), by_hand.student.get_weights(), strict=True
    ):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


def test_padding_teaches_nothing():
    """Logits at padding that pull on the weights make short sentences worse."""
    decide, student, batch = SHAPES["translation"]
    changed = batch | {name: batch[name].copy() for name in ("x", "teacher", "labels")}
    changed["x"][1, 2:] = 50
    changed["teacher"][1, 2:] = np.nan
    changed["labels"][1, 2:] = 6
    results = []
    for given in (batch, changed):
        model = distiller(keras.models.clone_model(student), decide)
        model.student.set_weights(student.get_weights())
        model.train_step(given)
        results.append(model.student.get_weights())
    for clean, dirty in zip(*results, strict=True):
        np.testing.assert_allclose(dirty, clean, atol=1e-7)


def test_a_step_of_gradient_descent_by_hand():
    """The gradient of a mean is an n-th of the sum's: a learning rate six times off."""
    model = distiller(dense(2, 1), classification, rate=1.0, alpha=1.0)
    model.student.set_weights([np.zeros((1, 2)), np.zeros(2)])
    batch = {
        "x": np.array([[1.0], [3.0]], np.float32),
        "labels": np.array([0, 1]),
        "teacher": None,
    }
    terms = model.learn(batch).terms
    # Both softmaxes are (½, ½); the logits' gradients (-½, ½)/2 and (½, -½)/2.
    kernel, bias = model.student.get_weights()
    np.testing.assert_allclose(kernel, [[-0.5, 0.5]], atol=1e-7)
    np.testing.assert_allclose(bias, [0, 0], atol=1e-7)
    np.testing.assert_allclose(float(terms["loss"]), np.log(2), atol=1e-6)
    assert set(terms) == {"loss", "hard_label"}


def test_the_teacher_gets_no_gradient_and_is_not_tracked():
    """A teacher that learns drifts towards the student, and the loss looks great."""
    teacher = dense(4, 3)
    teacher.set_weights([normal(3, 4, seed=17), normal(4, seed=18)])

    def decide(student, batch, training):
        decisions = Decisions(student(batch["x"]), batch["labels"], teacher(batch["x"]))
        return Outcome({"class": decisions}, {})

    student, batch = dense(4, 3), SHAPES["classification"][2]
    model = distiller(student, decide)
    with tf.GradientTape() as tape:
        loss = model.losses_of(batch, training=True).terms["loss"]
    watched = [v.value for v in teacher.trainable_variables]
    assert tape.gradient(loss, watched) == [None, None]
    before = teacher.get_weights()
    model.train_step(batch)
    for ours, theirs in zip(teacher.get_weights(), before, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert len(model.variables) == len(student.variables)


def test_feature_terms_enter_with_their_weights():
    """A weight applied to the printed term, not to the total, trains nothing."""
    decide, _, batch = SHAPES["both directions"]
    student = dense(8, 3)
    plain = distiller(student, decide).losses_of(batch, False).terms
    layer = EmbeddingMatch(8, 8)
    model = distiller(student, decide, feature_terms=[FeatureTerm(layer, 10.0)])
    terms = model.losses_of(batch, training=False).terms
    vectors = np.asarray(student(batch["x"]), np.float64)
    pivot = batch["pivot"].astype(np.float64)
    lengths = np.linalg.norm(vectors, axis=1) * np.linalg.norm(pivot, axis=1)
    expected = np.mean(1 - (vectors * pivot).sum(1) / lengths)
    assert float(terms["embedding_match"]) == pytest.approx(expected, abs=1e-6)
    total = float(plain["loss"]) + 10 * expected
    assert float(terms["loss"]) == pytest.approx(total, abs=1e-5)


def test_saving_the_student_saves_the_student_alone(tmp_path):
    """A projection or an optimizer in the file fails on the phone, not here."""
    decide, _, batch = SHAPES["both directions"]
    student = dense(6, 3)

    def narrow(student, batch, training):
        vectors = student(batch["x"], training=training)
        return Outcome(
            {"class": Decisions(vectors, batch["labels"])},
            {"embedding_match": (vectors, batch["pivot"])},
        )

    term = FeatureTerm(EmbeddingMatch(6, 8), 1.0)
    model = distiller(student, narrow, alpha=1.0, feature_terms=[term])
    projection = np.asarray(term.layer.projection.kernel)
    model.train_step(batch)
    assert (np.asarray(term.layer.projection.kernel) != projection).any()
    assert len(model.trainable_variables) == 3

    model.student.save_weights(tmp_path / "student.weights.h5")
    fresh = dense(6, 3)
    fresh.load_weights(tmp_path / "student.weights.h5")
    np.testing.assert_array_equal(fresh(batch["x"]), student(batch["x"]))
    model.student.save(tmp_path / "student.keras")
    loaded = keras.saving.load_model(tmp_path / "student.keras")
    assert len(loaded.variables) == len(fresh.variables) == 2


def test_validation_is_without_dropout():
    """Losses of a student with half its inputs missing pick the wrong weights."""
    decide, _, batch = SHAPES["classification"]
    noisy = distiller(dense(4, 3, dropout=0.5), decide, rate=0.0)
    quiet = distiller(dense(4, 3), decide)
    quiet.student.set_weights(noisy.student.get_weights())
    expected = float(quiet.test_step(batch)["loss"])
    assert float(noisy.test_step(batch)["loss"]) == expected
    drawn = {float(noisy.learn(batch).terms["loss"]) for _ in range(3)}
    assert len(drawn | {expected}) == 4


def half_precision(rate, alpha=ALPHA, temperature=TEMPERATURE):
    """Of a student in mixed_float16, with the weights of dense(4, 3)."""
    student = dense(4, 3, dtype="mixed_float16")
    objective = Objective(alpha, temperature)
    model = Distiller(student, objective, decide=classification)
    model.compile(optimizer=keras.optimizers.SGD(rate))
    return model


def test_float16_scales_the_loss_and_takes_float32s_step():
    """An unscaled gradient divided by the scale anyway stops all learning."""
    batch = SHAPES["classification"][2]
    full, half = distiller(dense(4, 3), classification), half_precision(0.1)
    assert isinstance(half.optimizer, keras.optimizers.LossScaleOptimizer)
    assert not isinstance(full.optimizer, keras.optimizers.LossScaleOptimizer)
    steps, losses = [], []
    for model in (full, half):
        before = model.student.get_weights()
        losses.append(float(model.learn(batch).terms["loss"]))
        steps.append(
            [
                new - old
                for new, old in zip(model.student.get_weights(), before, strict=True)
            ]
        )
    np.testing.assert_allclose(losses[1], losses[0], rtol=2e-3)
    for ours, theirs in zip(steps[1], steps[0], strict=True):
        np.testing.assert_allclose(ours, theirs, atol=5e-3 * np.abs(theirs).max())


def test_float16_keeps_gradients_too_small_for_it():
    """Below 6e-8 float16 is 0: a nearly learned batch would teach nothing more."""
    batch = {
        "x": np.eye(3, dtype=np.float32),
        "labels": np.arange(3),
        "teacher": 18 * np.eye(3, 4, dtype=np.float32),
    }
    model = half_precision(rate=1e6, alpha=1.0, temperature=1.0)
    model.student.set_weights([18 * np.eye(3, 4), np.zeros(4)])
    model.train_step(batch)
    kernel, _ = model.student.get_weights()
    # A third of exp(-18), a million times.
    expected = 1e6 * np.exp(-18.0) / 3
    np.testing.assert_allclose(kernel[0, 1], -expected, rtol=0.02)


@pytest.mark.parametrize(
    "changes", [{"alpha": 1.5}, {"temperature": 0.5}, {"margin": -1.0}]
)
def test_settings_out_of_range_are_an_error(changes):
    """A negative share of the soft label pushes the student away from the teacher."""
    with pytest.raises(ValueError, match="Received"):
        Objective(**changes)
