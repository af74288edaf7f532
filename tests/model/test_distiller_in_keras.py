"""The Distiller where Keras drives it: histories, metrics, options, files."""

import zipfile

import h5py
import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from babelet.model.distiller import Distiller
from babelet.model.features import EmbeddingMatch, FeatureTerm
from babelet.model.objective import Decisions, Objective, Outcome

RANDOM = np.random.default_rng(50)
X = RANDOM.normal(size=(11, 3)).astype("float32")
LABELS = RANDOM.integers(4, size=11)
# Of the last batch of four, three are there, and they weigh most.
WEIGHTS = np.array([1, 1, 1, 1, 0, 0.5, 0, 0.5, 9, 7, 8], np.float32)
OBJECTIVE = Objective(alpha=0.3, temperature=2.0)
ROWS = tf.data.Dataset.from_tensor_slices((X, LABELS, WEIGHTS)).batch(4)


def classifier(width=4, seed=51, dtype=None):
    keras.utils.set_random_seed(seed)
    layer = keras.layers.Dense(width, dtype=dtype, name=f"of_{seed}")
    return keras.Sequential([keras.Input((3,)), layer])


def distiller(rate=0.0, teacher=None, dtype=None, objective=OBJECTIVE, **compiled):
    teacher = teacher or classifier(seed=52)
    model = Distiller(classifier(dtype=dtype), objective, teacher=teacher)
    model.compile(keras.optimizers.SGD(rate), **compiled)
    return model


def log_softmax(logits):
    shifted = logits - logits.max(-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))


def terms(logits, labels, teacher, weights):
    """The objective over all rows at once, in float64."""
    logits, teacher = (np.asarray(each, np.float64) for each in (logits, teacher))
    hard = -np.take_along_axis(log_softmax(logits), labels[..., None], -1)[..., 0]
    s, t = log_softmax(logits / 2), log_softmax(teacher / 2)
    soft = 4 * (np.exp(t) * (t - s)).sum(-1)
    means = {
        "hard_label": np.average(hard, weights=weights),
        "soft_label": np.average(soft, weights=weights),
    }
    return means | {"loss": 0.3 * means["hard_label"] + 0.7 * means["soft_label"]}


def reference():
    return terms(classifier()(X), LABELS, classifier(seed=52)(X), WEIGHTS)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"run_eagerly": True},
        {"jit_compile": True},
        {"steps_per_execution": 2},
        {"steps_per_execution": 8},
    ],
    ids=str,
)
def test_a_history_is_the_mean_over_all_rows(options):
    """The last batch's loss, or the mean over batches, misleads EarlyStopping."""
    model = distiller(**options)
    history = model.fit(ROWS, validation_data=ROWS, epochs=2, verbose=0).history
    expected = reference()
    assert set(history) == {f"{each}{n}" for n in expected for each in ("", "val_")}
    for name, value in expected.items():
        for key in (name, f"val_{name}"):
            assert history[key] == pytest.approx([value, value], abs=2e-6), key
    evaluated = model.evaluate(ROWS, return_dict=True, verbose=0)
    assert evaluated == pytest.approx(expected, abs=2e-6)
    assert model.evaluate(ROWS, verbose=0)[0] == evaluated["loss"]


def test_a_token_counts_as_often_as_it_weighs():
    """Of long sentences a batch has more tokens: a mean over batches favours short."""
    x = RANDOM.normal(size=(5, 6, 3)).astype("float32")
    labels, teacher = RANDOM.integers(4, size=(5, 6)), RANDOM.normal(size=(5, 6, 4))
    weight = (np.arange(6) < np.array([6, 5, 1, 2, 1])[:, None]).astype("float32")
    rows = {"x": x, "labels": labels, "teacher": teacher, "weight": weight}

    def next_token(student, batch, training):
        logits = student(batch["x"], training=training)
        rest = batch["labels"], batch["teacher"], batch["weight"]
        return Outcome({"token": Decisions(logits, *rest)}, {})

    student = keras.Sequential([keras.Input((None, 3)), keras.layers.Dense(4)])
    model = Distiller(student, OBJECTIVE, decide=next_token)
    model.compile("sgd")
    found = model.evaluate(
        tf.data.Dataset.from_tensor_slices(rows).batch(2), return_dict=True, verbose=0
    )
    assert found == pytest.approx(terms(student(x), labels, teacher, weight), abs=2e-6)


def vectors(student, batch, training):
    """Two decisions a row, and a feature term over the rows."""
    own = student(batch["x"], training=training)
    logits = ops.matmul(own, ops.transpose(batch["pivot"]))
    labels = ops.arange(ops.shape(logits)[0])
    return Outcome(
        {
            "to_pivot": Decisions(logits, labels),
            "from_pivot": Decisions(ops.transpose(logits), labels),
        },
        {"embedding_match": (own, batch["pivot"])},
    )


def test_a_feature_term_is_the_mean_over_rows():
    """With an incomplete batch a term of its own drifts from the total it is in."""
    pivots = RANDOM.normal(size=(11, 4)).astype("float32")
    rows = tf.data.Dataset.from_tensor_slices({"x": X, "pivot": pivots}).batch(4)
    term = FeatureTerm(EmbeddingMatch(4, 4), 10.0)
    student = classifier()
    model = Distiller(student, Objective(1.0), decide=vectors, feature_terms=[term])
    model.compile("sgd", metrics={"to_pivot": ["accuracy"]})
    found = model.evaluate(rows, return_dict=True, verbose=0)
    own = np.asarray(student(X), np.float64)
    lengths = np.linalg.norm(own, axis=1) * np.linalg.norm(pivots, axis=1)
    expected = np.mean(1 - (own * pivots).sum(1) / lengths)
    assert found["embedding_match"] == pytest.approx(expected, abs=1e-6)
    total = found["hard_label"] + 10 * expected
    assert found["loss"] == pytest.approx(total, abs=1e-5)
    right = [
        np.argmax(own[i : i + 4] @ pivots[i : i + 4].T, axis=1)
        == np.arange(4)[: 11 - i]
        for i in (0, 4, 8)
    ]
    accuracy = np.concatenate(right).mean()
    assert found["to_pivot_accuracy"] == pytest.approx(accuracy)


def test_metrics_compare_labels_with_the_students_logits():
    """Metrics that Keras accepts and never updates stay 0 without a word."""
    model = distiller(metrics=["accuracy"], weighted_metrics=["accuracy"])
    found = model.evaluate(ROWS, return_dict=True, verbose=0)
    right = np.argmax(np.asarray(classifier()(X)), axis=1) == LABELS
    assert found["accuracy"] == pytest.approx(right.mean())
    weighted = np.average(right, weights=WEIGHTS)
    assert found["weighted_accuracy"] == pytest.approx(weighted)
    hidden = {"label": LABELS, "label_weight": (LABELS != 3).astype("float32")}
    found = model.evaluate(X, hidden, batch_size=4, return_dict=True, verbose=0)
    seen = right[LABELS != 3].mean()
    assert found["weighted_accuracy"] == pytest.approx(seen)


def test_another_loss_is_refused():
    """Keras would show its tracker, which nothing feeds, as the loss: 0."""
    with pytest.raises(ValueError, match="Received: loss='mse'"):
        distiller(loss="mse")


def test_regularisers_of_the_student_count():
    """A Keras user's weight decay that is dropped shows nowhere."""
    layer = keras.layers.Dense(4, kernel_regularizer=keras.regularizers.L2(0.1))
    student = keras.Sequential([keras.Input((3,)), layer])
    losses = Distiller(student, Objective(1.0)).losses_of((X, LABELS), training=True)
    penalty = 0.1 * np.square(student.get_weights()[0].astype(np.float64)).sum()
    found = float(losses.terms["loss"] - losses.terms["hard_label"])
    assert found == pytest.approx(penalty, abs=1e-6)


def test_float16_is_trained_by_fit():
    """Of a student in mixed_float16 the loss is scaled, or gradients underflow."""
    half, full = distiller(0.1, dtype="mixed_float16"), distiller(0.1)
    assert isinstance(half.optimizer, keras.optimizers.LossScaleOptimizer)
    histories = [
        model.fit(ROWS, epochs=3, verbose=0).history["loss"] for model in (half, full)
    ]
    assert histories[0] == pytest.approx(histories[1], rel=5e-3)
    assert histories[0][-1] < histories[0][0]


def teacher_with_state():
    """In training its dropout would draw, and its norm would move."""
    keras.utils.set_random_seed(53)
    layers = [
        keras.Input((3,)),
        keras.layers.BatchNormalization(name="norm"),
        keras.layers.Dropout(0.5),
        keras.layers.Dense(4, name="secret"),
    ]
    return keras.Sequential(layers, name="the_teacher")


def test_a_live_teacher_stays_as_it_is():
    """One that trains along drifts to the student; one with dropout is noise."""
    teacher = teacher_with_state()
    before = teacher.get_weights()
    model = distiller(0.1, teacher)
    expected = terms(classifier()(X), LABELS, teacher(X), WEIGHTS)
    first = model.fit(X, LABELS, sample_weight=WEIGHTS, batch_size=11, verbose=0)
    assert first.history["loss"] == [pytest.approx(expected["loss"], abs=2e-6)]
    for now, then in zip(teacher.get_weights(), before, strict=True):
        np.testing.assert_array_equal(now, then)
    names = [v.path for v in model.student.trainable_variables]
    assert [v.path for v in model.trainable_variables] == names
    assert [v.path for v in model.variables] == names
    with tf.GradientTape() as tape:
        loss = model.losses_of((X, LABELS), training=True).terms["loss"]
    watched = [v.value for v in teacher.trainable_variables]
    assert tape.gradient(loss, watched) == [None] * len(watched)


def test_a_decide_of_ones_own_gets_the_live_teacher():
    """A teacher that is accepted and never asked teaches nothing."""

    def halved(student, batch, training, teacher):
        logits = student(batch["x"], training=training)
        return Outcome({"class": Decisions(logits, None, teacher(batch["x"]) / 2)}, {})

    teacher = teacher_with_state()
    model = Distiller(classifier(), Objective(0.0, 2.0), teacher, halved)
    found = model.losses_of({"x": X}, training=True).terms["loss"]
    expected = terms(classifier()(X), LABELS, teacher(X) / 2, None)["soft_label"]
    assert float(found) == pytest.approx(expected, abs=2e-6)


def contents(file, folder):
    """Returns the configuration, and the arrays with a number in them."""
    with zipfile.ZipFile(file) as archive:
        config = archive.read("config.json").decode()
        weights = archive.extract("model.weights.h5", folder)
    arrays = []
    with h5py.File(weights) as opened:
        opened.visititems(
            lambda name, each: (
                arrays.append((name, each.size))
                if isinstance(each, h5py.Dataset)
                else None
            )
        )
    return config, arrays


@pytest.mark.parametrize("part", ["distiller", "student"])
def test_a_saved_file_holds_no_teacher(part, tmp_path):
    """A file of the teacher's size, or the teacher's licence, on every phone."""
    model = distiller(0.1, teacher_with_state())
    model.fit(ROWS, verbose=0)
    saved = model if part == "distiller" else model.student
    saved.save(tmp_path / "saved.keras")
    config, arrays = contents(tmp_path / "saved.keras", tmp_path)
    assert "of_51" in config
    assert "secret" not in config and "the_teacher" not in config
    # No trackers either: kernel, bias, and of the optimizer steps and rate.
    own = [size for name, size in arrays if not name.startswith("optimizer")]
    assert own == [12, 4]
    assert [size for name, size in arrays if name.startswith("optimizer")] == (
        [1, 1] if part == "distiller" else []
    )


def test_a_saved_distiller_goes_on(tmp_path):
    """ModelCheckpoint's file without objective or optimizer starts another training."""
    teacher = classifier(seed=52)
    logits = np.asarray(teacher(X))
    y = {"label": LABELS, "teacher_logits": logits}
    model = Distiller(classifier(), OBJECTIVE, teacher)
    model.compile(keras.optimizers.Adam(0.1), metrics=["accuracy"])
    model.fit(X, y, verbose=0)
    model.save(tmp_path / "distiller.keras")
    loaded = keras.saving.load_model(tmp_path / "distiller.keras")
    assert loaded.objective == OBJECTIVE
    found, again = (each.train_on_batch(X, y) for each in (model, loaded))
    np.testing.assert_allclose(again, found, atol=1e-6)
    for ours, theirs in zip(loaded.variables, model.variables, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)


@keras.saving.register_keras_serializable("tests")
def registered(student, batch, training):
    return vectors(student, batch, training)


def test_a_saved_distiller_keeps_its_feature_terms(tmp_path):
    """A projection made anew at each restart never learns."""
    term = FeatureTerm(EmbeddingMatch(4, 7), 3.0)
    model = Distiller(
        classifier(), Objective(1.0), decide=registered, feature_terms=[term]
    )
    model.compile("sgd")
    model.save(tmp_path / "distiller.keras")
    loaded = keras.saving.load_model(tmp_path / "distiller.keras")
    assert loaded.decide is registered
    assert loaded.feature_weights == {"embedding_match": 3.0}
    np.testing.assert_array_equal(
        loaded.feature_layers[0].projection.kernel, term.layer.projection.kernel
    )


def test_feature_terms_need_a_decide():
    """A classifier's batch has nothing for them to compare."""
    term = FeatureTerm(EmbeddingMatch(4, 4), 3.0)
    with pytest.raises(ValueError, match="Received: decide=None"):
        Distiller(classifier(), feature_terms=[term])
