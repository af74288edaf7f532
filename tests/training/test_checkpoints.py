"""Checkpoints: all of the state, or one clear error."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from babelet.core.errors import BabeletError
from babelet.model.distiller import Distiller
from babelet.model.objective import Decisions, Objective, Outcome
from babelet.training import checkpoints

BATCH = {
    "x": np.random.default_rng(20).standard_normal((8, 4)).astype("float32"),
    "labels": np.arange(8) % 3,
}
RUN = "settings and inputs of this run"


def decide(student, batch, training):
    decisions = Decisions(student(batch["x"], training=training), batch["labels"])
    return Outcome({"class": decisions}, {})


def distiller(width=6, policy="float32", seed=21):
    """Dropout, so that its random state has to be kept; Adam, for its moments."""
    keras.utils.set_random_seed(seed)
    student = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(width, dtype=policy, name="first"),
            keras.layers.Dropout(0.5, dtype=policy, name="dropout"),
            keras.layers.Dense(3, dtype=policy, name="second"),
        ],
        name="student",
    )
    model = Distiller(student, Objective(alpha=1.0), decide=decide, dtype=policy)
    model.compile(optimizer=keras.optimizers.AdamW(0.05))
    model.optimizer.build(model.trainable_variables)
    return model


def train(model, steps):
    return [float(model.learn(BATCH).terms["loss"]) for _ in range(steps)]


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16", "mixed_float16"])
def test_continuing_equals_never_stopping(tmp_path, policy):
    """Moments, dropout state or loss scale left out diverge in the last bits first."""
    model = distiller(policy=policy)
    train(model, 3)
    checkpoints.save(tmp_path, RUN, 3, model, {"best": 0.5, "curve": [{"step": 3}]})
    losses, weights = train(model, 3), model.student.get_weights()

    continued = distiller(policy=policy, seed=99)
    step, state = checkpoints.restore(tmp_path, RUN, continued)
    assert (step, state) == (3, {"best": 0.5, "curve": [{"step": 3}]})
    assert train(continued, 3) == losses
    for ours, theirs in zip(continued.student.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_no_checkpoint_means_the_start(tmp_path):
    """A first run must not be asked for a file that only a second one has."""
    model = distiller()
    before = model.student.get_weights()
    assert checkpoints.restore(tmp_path / "absent", RUN, model) == (0, {})
    for ours, theirs in zip(model.student.get_weights(), before, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_other_settings_start_anew(tmp_path):
    """A changed learning rate would be "trained" by loading the old result."""
    model = distiller()
    checkpoints.save(tmp_path, "learning rate 0.1", 3, model, {})
    assert checkpoints.restore(tmp_path, "learning rate 0.2", model) == (0, {})


def test_layers_made_before_do_not_matter(tmp_path):
    """A resumed process skips steps, so Keras numbers its random states otherwise."""
    checkpoints.save(tmp_path, RUN, 1, distiller(), {})
    keras.layers.Dropout(0.5)
    assert checkpoints.restore(tmp_path, RUN, distiller())[0] == 1


def test_another_model_is_refused_untouched(tmp_path):
    """Half of the variables set from a checkpoint of another width."""
    checkpoints.save(tmp_path, RUN, 3, distiller(width=7), {})
    model = distiller(width=6)
    before = model.student.get_weights()
    with pytest.raises(BabeletError, match="another model.*Remedy: delete"):
        checkpoints.restore(tmp_path, RUN, model)
    for ours, theirs in zip(model.student.get_weights(), before, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("kept", [0.0, 0.1, 0.5, 0.99])
def test_a_truncated_file_is_one_clear_error(tmp_path, kept):
    """A traceback from inside a zip reader names neither the file nor the remedy."""
    checkpoints.save(tmp_path, RUN, 3, distiller(), {})
    file = tmp_path / checkpoints.NAME
    content = file.read_bytes()
    file.write_bytes(content[: int(kept * len(content))])
    with pytest.raises(BabeletError, match=r"state\.npz.*Remedy: delete"):
        checkpoints.restore(tmp_path, RUN, distiller())


def test_a_flipped_byte_is_one_clear_error(tmp_path):
    """Weights that differ in one bit train on, and nobody can repeat the result."""
    checkpoints.save(tmp_path, RUN, 3, distiller(), {})
    file = tmp_path / checkpoints.NAME
    content = bytearray(file.read_bytes())
    place = content.find(b"variable_0.npy") + 200
    content[place] ^= 0xFF
    file.write_bytes(bytes(content))
    with pytest.raises(BabeletError, match="Remedy: delete"):
        checkpoints.restore(tmp_path, RUN, distiller())


def test_a_failed_save_keeps_the_checkpoint_before(tmp_path):
    """A kill while saving must not cost the whole run."""
    model = distiller()
    checkpoints.save(tmp_path, RUN, 1, model, {})
    with pytest.raises(TypeError):
        checkpoints.save(tmp_path, RUN, 2, model, {"best": tf.constant(1.0)})
    assert checkpoints.restore(tmp_path, RUN, model) == (1, {})
    assert [path.name for path in tmp_path.iterdir()] == [checkpoints.NAME]
