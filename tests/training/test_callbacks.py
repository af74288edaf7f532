"""What happens around the steps, on a model whose loss is the number in its batch."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from babelet.core.errors import BabeletError
from babelet.training.callbacks import Checkpoints, Scalars, StopAtNonFinite, Validation


class Counter(keras.Model):
    """Its loss is the batch's number; its one weight counts the steps."""

    def __init__(self):
        super().__init__()
        self.student = keras.Sequential(
            [
                keras.Input((1,)),
                keras.layers.Dense(1, kernel_initializer="zeros", name="counted"),
            ],
            name="counter",
        )
        self.built = True
        self.compile(optimizer=keras.optimizers.SGD(0.5))

    def train_step(self, loss):
        kernel = self.student.layers[0].kernel
        kernel.assign_add([[1.0]])
        return {"loss": loss, "soft_label": 2 * loss}

    @property
    def steps(self):
        return float(self.student.get_weights()[0][0, 0])


def fit(model, losses, *callbacks):
    data = tf.data.Dataset.from_tensor_slices(np.array(losses, np.float32)).repeat()
    model.fit(data, steps_per_epoch=len(losses), callbacks=list(callbacks), verbose=0)


def validation(scores, folder, **changes):
    """Each validation takes the next of `scores`."""
    remaining = iter(scores)
    settings = {
        "first_step": 0,
        "last_step": len(scores) * 2,
        "every": 2,
        "metric": "retrieval",
        "patience": 2,
        "state": {},
    }
    return Validation(
        lambda: {"retrieval": next(remaining), "retrieval/de": 0.1},
        tf.summary.create_file_writer(str(folder / "logs")),
        folder / "best.weights.h5",
        **settings | changes,
    )


def scalars(folder):
    """Returns {name: {step: value}} of the event files in `folder`."""
    found = {}
    for file in sorted(folder.glob("events*")):
        for record in tf.data.TFRecordDataset(str(file)):
            event = tf.compat.v1.Event.FromString(record.numpy())
            for value in event.summary.value:
                number = float(tf.make_ndarray(value.tensor))
                found.setdefault(value.tag, {})[event.step] = number
    return found


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_loss_that_is_not_finite_stops_at_its_step(bad):
    """Training on after NaN saves a checkpoint from which nobody can continue."""
    model = Counter()
    rows = {103: ["'lampe' <- 'lamp'", "'tür' <- 'door'"]}
    stop = StopAtNonFinite(100, rows.__getitem__)
    with pytest.raises(BabeletError) as caught:
        fit(model, [1.0, 1.0, 1.0, bad, 1.0], stop)
    message = str(caught.value)
    assert f"not finite at step 103: loss={bad}" in message
    assert "a batch of 2 rows, among them 'lampe' <- 'lamp'; 'tür' <- 'door'" in message
    assert "Remedy: lower training.learning_rate" in message
    assert model.steps == 4


def test_one_term_alone_is_enough():
    """A feature term of weight 0 may be NaN beside a fine total; its curve is not."""
    stop = StopAtNonFinite(0, lambda step: [f"row {i}" for i in range(9)])
    with pytest.raises(BabeletError, match="step 7: embedding_match=nan") as caught:
        stop.on_train_batch_end(7, {"loss": 1.0, "embedding_match": float("nan")})
    assert "a batch of 9 rows, among them row 0; " in str(caught.value)
    assert "row 5" not in str(caught.value)
    stop.on_train_batch_end(8, {"loss": 1.0, "embedding_match": 0.0})


def test_the_best_weights_are_kept(tmp_path):
    """The last weights in the best ones' place lose what early stopping is for."""
    model = Counter()
    validate = validation([0.5, 0.8, 0.7, 0.6], tmp_path, patience=9)
    fit(model, [1.0] * 8, validate)
    assert (validate.state["best"], validate.state["best_step"]) == (0.8, 4)
    assert model.steps == 8
    model.student.load_weights(tmp_path / "best.weights.h5")
    assert model.steps == 4
    assert [p.name for p in tmp_path.glob("*best*")] == ["best.weights.h5"]


def test_of_equal_ones_the_last_is_kept(tmp_path):
    """With few labels the first of many perfect scores has learned the least."""
    model = Counter()
    validate = validation([0.5, 1.0, 1.0, 0.9], tmp_path, patience=9)
    fit(model, [1.0] * 8, validate)
    assert validate.state["best_step"] == 6
    model.student.load_weights(tmp_path / "best.weights.h5")
    assert model.steps == 6


def test_patience_stops_the_run(tmp_path):
    """Two validations without improvement, not two in all, nor two equal ones."""
    model = Counter()
    scores = [0.5, 0.4, 0.6, 0.6, 0.5, 0.9]
    validate = validation(scores, tmp_path, patience=2)
    fit(model, [1.0] * 12, validate)
    assert model.steps == 10
    assert validate.state["best_step"] == 8
    assert [point["step"] for point in validate.state["curve"]] == [2, 4, 6, 8, 10]


def test_the_last_step_is_validated(tmp_path):
    """Five steps, every two: the end would go unseen, though it may be the best."""
    model = Counter()
    validate = validation([0.1, 0.2, 0.3], tmp_path, last_step=5)
    fit(model, [1.0] * 5, validate)
    assert validate.state["best_step"] == model.steps == 5


def test_an_unknown_metric_is_one_clear_error(tmp_path):
    """A KeyError after two hundred steps does not say which names there are."""
    validate = validation([0.5], tmp_path, metric="accuracy")
    with pytest.raises(BabeletError, match="one of retrieval, retrieval/de"):
        fit(Counter(), [1.0, 1.0], validate)


def test_validation_continues_from_its_state(tmp_path):
    """A best score forgotten at a restart is replaced by the first one after it."""
    model, scores = Counter(), [0.8, 0.7, 0.75, 0.6]
    whole = validation(scores, tmp_path / "whole", patience=9)
    fit(model, [3.0] * 8, whole)

    model = Counter()
    first = validation(scores[:2], tmp_path / "parts", last_step=8, patience=9)
    fit(model, [3.0] * 4, first)
    state = json.loads(json.dumps(first.state))
    second = validation(
        scores[2:],
        tmp_path / "parts",
        first_step=4,
        last_step=8,
        patience=9,
        state=state,
    )
    fit(model, [3.0] * 4, second)
    assert second.state == whole.state
    assert second.state["waited"] == 3
    model.student.load_weights(tmp_path / "parts" / "best.weights.h5")
    assert model.steps == 2


def test_the_curve_and_tensorboard_hold_the_same_numbers(tmp_path):
    """A curve shifted by one step shows the loss of other weights."""
    validate = validation([0.5, 0.6], tmp_path)
    fit(Counter(), [1.0, 2.0, 3.0, 4.0], validate)
    assert validate.state["curve"][1] == {
        "step": 4,
        "validation/retrieval": 0.6,
        "validation/retrieval/de": 0.1,
    }
    logged = scalars(tmp_path / "logs")["validation/retrieval"]
    assert logged == pytest.approx({2: 0.5, 4: 0.6})


def test_the_report_has_a_loss_curve_between_validations(tmp_path):
    """Three points, one for each validation, are drawn as a straight fall."""
    validate = validation([0.5, 0.6], tmp_path, every=30)
    fit(Counter(), [float(i) for i in range(41)], validate)
    losses = {
        point["step"]: point["train/loss"]
        for point in validate.state["curve"]
        if "train/loss" in point
    }
    assert losses == {20: 19.0, 40: 39.0}


def test_scalars_name_the_step_of_the_whole_run(tmp_path):
    """A resumed run that counts from zero draws its curve over the first one's."""
    writer = tf.summary.create_file_writer(str(tmp_path))
    fit(Counter(), [float(i) for i in range(20)], Scalars(writer, 35, 16))
    writer.close()
    found = scalars(tmp_path)
    assert found["train/loss"] == {40: 4.0, 50: 14.0}
    assert found["train/soft_label"] == {40: 8.0, 50: 28.0}
    assert set(found["train/learning_rate"].values()) == {0.5}
    assert min(found["train/examples_per_second"].values()) > 0


def test_checkpoints_come_in_time_and_at_the_end(tmp_path):
    """A run stopped early without its last state validates again after a restart."""
    saved = []

    def save(step, model, state):
        saved.append((step, model.steps, state["stopped"], state["best_step"]))

    model = Counter()
    scores = [0.5, 0.4, 0.3, 0.9]
    validate = validation(scores, tmp_path, patience=2, first_step=10, last_step=99)
    keep = Checkpoints(save, validate, first_step=10, last_step=99, every=4)
    fit(model, [1.0] * 9, validate, keep)
    assert saved == [(12, 2, False, 12), (16, 6, True, 12)]

    saved.clear()
    model = Counter()
    whole = validation([0.5, 0.6], tmp_path, last_step=3)
    keep = Checkpoints(save, whole, first_step=0, last_step=3, every=100)
    fit(model, [1.0] * 3, whole, keep)
    assert saved == [(3, 3, True, 3)]
