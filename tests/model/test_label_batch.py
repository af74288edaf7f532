"""A classifier's batches, in every form that Keras users have them."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from babelet.core.errors import BabeletError
from babelet.model.distiller import Distiller
from babelet.model.objective import Objective

RANDOM = np.random.default_rng(40)
X = RANDOM.normal(size=(6, 3)).astype("float32")
LABELS = np.array([0, 3, 1, 2, 3, 1])
WEIGHTS = np.array([1.0, 0.5, 2.0, 0.0, 1.0, 3.0], np.float32)
SMOOTHED = (0.9 * np.eye(4)[LABELS] + 0.025).astype("float32")


def classifier(outputs=4, activation=None, seed=41):
    keras.utils.set_random_seed(seed)
    return keras.Sequential(
        [keras.Input((3,)), keras.layers.Dense(outputs, activation=activation)]
    )


STUDENT, TEACHER = classifier(), classifier(seed=42)
LOGITS = np.asarray(TEACHER(X))


def loss(batch, alpha=0.4, teacher=TEACHER, margin=0.0):
    objective = Objective(alpha, temperature=2.0, margin=margin)
    model = Distiller(STUDENT, objective, teacher=teacher)
    return float(model.losses_of(batch, training=False).terms["loss"])


def log_softmax(logits):
    shifted = logits - logits.max(-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))


def expected(probabilities, weights, alpha=0.4):
    """The objective in float64."""
    student = np.asarray(STUDENT(X), np.float64)
    hard = -(probabilities * log_softmax(student)).sum(-1)
    s, t = log_softmax(student / 2), log_softmax(LOGITS.astype(np.float64) / 2)
    soft = 4 * (np.exp(t) * (t - s)).sum(-1)
    return np.average(alpha * hard + (1 - alpha) * soft, weights=weights)


@pytest.mark.parametrize(
    "y",
    [
        LABELS,
        LABELS.astype("float32"),
        LABELS[:, None],
        np.eye(4)[LABELS],
        np.eye(4, dtype="int32")[LABELS],
        {"label": LABELS},
        {"label": LABELS, "label_weight": np.ones((6, 1))},
    ],
    ids=["ids", "float", "column", "one-hot", "one-hot int", "dict", "label weight"],
)
@pytest.mark.parametrize("weight", [None, WEIGHTS, WEIGHTS[:, None]])
def test_every_form_of_a_label_is_the_same_label(y, weight):
    """A column of ids broadcast against a row of losses has a plausible mean."""
    batch = (X, y) if weight is None else (X, y, weight)
    weights = np.ones(6) if weight is None else WEIGHTS
    assert loss(batch) == pytest.approx(expected(np.eye(4)[LABELS], weights), abs=1e-6)


def test_probabilities_are_learned_whole():
    """The likeliest class alone throws smoothing and mixing away, unnoticed."""
    assert loss((X, SMOOTHED)) == pytest.approx(expected(SMOOTHED, None), abs=1e-6)
    dirty = SMOOTHED.copy()
    dirty[3] = np.nan
    found = loss((X, dirty, WEIGHTS))
    assert found == pytest.approx(expected(SMOOTHED, WEIGHTS), abs=1e-6)


def test_a_row_without_a_label_is_learned_from_the_teacher():
    """Label 0 of unlabelled rows, learned as if it were true."""
    y = {"label": LABELS, "label_weight": np.array([1, 0, 1, 1, 1, 1])}
    shown = np.eye(4)[LABELS] * y["label_weight"][:, None]
    assert loss((X, y)) == pytest.approx(expected(shown, None), abs=1e-6)
    assert loss((X,), alpha=0.0) == pytest.approx(expected(shown, None, 0.0), abs=1e-6)


def test_logits_in_the_batch_are_the_teachers():
    """The two ways to have a teacher are one objective."""
    y = {"label": LABELS, "teacher_logits": LOGITS}
    assert loss((X, y), teacher=None) == pytest.approx(loss((X, LABELS)), abs=1e-7)


def test_a_function_can_be_the_teacher():
    """It takes no `training`; only Keras's layers do."""

    def teacher(x):
        return tf.constant(LOGITS)

    assert loss((X, LABELS), teacher=teacher) == pytest.approx(
        loss((X, LABELS)), abs=1e-7
    )


def test_a_missing_answer_is_one_clear_error():
    """A TypeError about None does not say that there is no teacher."""
    with pytest.raises(BabeletError, match=r"alpha=0\.4.*Distiller\(teacher=.*alpha=1"):
        loss((X, LABELS), teacher=None)
    with pytest.raises(BabeletError, match=r"hard labels.*alpha=0"):
        loss((X,))
    assert loss((X, LABELS), alpha=1.0, teacher=None) > 0


def test_a_teacher_of_other_classes_is_refused():
    """One that had a single class would broadcast."""
    for classes in (1, 5):
        with pytest.raises(BabeletError, match=r"\(\.\.\., 4\).*\(\.\.\., [15]\)"):
            loss((X, LABELS), teacher=classifier(classes))


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (np.eye(5)[LABELS], r"\(6, 4\).*Received: y of shape \(6, 5\)"),
        (np.zeros((6, 2, 4)), r"Received: y of shape \(6, 2, 4\)"),
        ({"labels": LABELS}, r"label, label_weight.*Received: \['labels'\]"),
    ],
)
def test_other_shapes_are_refused(y, message):
    """What broadcasts is trained on; a key misspelt is a label less."""
    with pytest.raises(ValueError, match=message):
        loss((X, y))


def test_one_output_is_no_choice():
    """The softmax of one number is 1: the loss is 0 from the first step on."""
    with pytest.raises(ValueError, match="for two classes 2"):
        Distiller(classifier(1), Objective(1.0)).losses_of((X, LABELS), False)


def test_a_margin_needs_ids():
    """The log-odds of a distribution's label are not defined."""
    with pytest.raises(ValueError, match="margin=2.0 and probabilities"):
        loss((X, SMOOTHED), margin=2.0)
    assert loss((X, LABELS), margin=2.0) != loss((X, LABELS))


@pytest.mark.parametrize("role", ["student", "teacher"])
@pytest.mark.parametrize("nested", [False, True])
def test_probabilities_in_the_place_of_logits_are_refused(role, nested):
    """The softmax of a softmax is nearly uniform, and the loss falls all the same."""
    model = classifier(activation="softmax")
    if nested:
        model = keras.Sequential([classifier(), keras.layers.Softmax()])
        model = keras.Sequential([keras.Input((3,)), model])
    models = {"student": STUDENT, "teacher": TEACHER, role: model}
    with pytest.raises(ValueError, match=f"The {role} must return logits"):
        Distiller(**models)
