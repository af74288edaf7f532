"""Which step's weights a finished training is left with."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from babelet.configs.embedding import TrainingConfig
from babelet.model.objective import Decisions, Objective, Outcome
from babelet.training.loop import StepDistiller, TrainingData, train

# Of the validations after steps 2, 4, 6 and 8: the first one is the best.
SCORES = (0.9, 0.5, 0.4, 0.3)


class Rows:
    """Eight rows of three classes, the same at every step."""

    def dataset(self, first_step):
        rng = np.random.default_rng(0)
        batch = {"x": rng.normal(size=(8, 4)).astype("float32"), "labels": [0, 1] * 4}
        return tf.data.Dataset.from_tensors(batch).repeat()


def decide(student, batch, training):
    """Learns those labels."""
    logits = student(batch["x"], training=training)
    return Outcome({"class": Decisions(logits, batch["labels"])}, {})


def distiller(student):
    return StepDistiller(student, Objective(alpha=1.0), decide=decide)


def scored(seen):
    """Each validation takes the next of SCORES, and notes the student's weights."""

    def validate(student):
        seen.append(student.get_weights()[0])
        return {"accuracy": SCORES[len(seen) - 1]}

    return TrainingData(Rows(), lambda step: [], validate)


@pytest.mark.parametrize(("keep", "patience"), [("best", 9), ("best", 1), ("last", 1)])
def test_the_weights_kept_are_those_asked_for(keep, patience, tmp_path):
    """The best of many uncertain scores, or a rate half decayed, in place of the last.

    Nothing shows it but the test scores: either way the files are whole.
    """
    student = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    settings = {"metric": "accuracy", "validate_every": 2, "warmup_steps": 0}
    config = TrainingConfig(steps=8, keep=keep, patience=patience, **settings)
    seen = []
    state = train(distiller(student), scored(seen), config, tmp_path, "this")
    assert state["best_step"] == 2
    # Patience ends a training only where the best weights are kept.
    assert len(seen) == (2 if patience == 1 and keep == "best" else 4)
    kept = seen[0] if keep == "best" else seen[-1]
    np.testing.assert_array_equal(student.get_weights()[0], kept)
    assert not np.array_equal(seen[0], seen[-1])
    # The same command again, after the end, is left with the same.
    student.set_weights([np.zeros_like(w) for w in student.get_weights()])
    train(distiller(student), scored(seen), config, tmp_path, "this")
    np.testing.assert_array_equal(student.get_weights()[0], kept)


@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
def test_the_optimizer_asked_for_trains(optimizer, tmp_path):
    """With the other one a run ends as well, some BLEU lower."""
    keras.utils.set_random_seed(0)
    student = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    before = student.get_weights()[0]
    config = TrainingConfig(
        steps=1,
        optimizer=optimizer,
        metric="accuracy",
        validate_every=1,
        warmup_steps=0,
    )
    train(distiller(student), scored([]), config, tmp_path, "this")
    moved = before - student.get_weights()[0]
    # AdamW's first step is as long in each element, Muon's in each direction: of two,
    # as the three classes' gradients add up to zero.
    elements, lengths = np.abs(moved), np.linalg.svd(moved, compute_uv=False)
    assert (elements.max() < 1.01 * elements.min()) == (optimizer == "adamw")
    assert optimizer == "adamw" or lengths[0] < 1.9 * lengths[1]
