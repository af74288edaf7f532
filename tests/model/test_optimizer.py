"""The fused AdamW against Keras's, step by step."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from babelet.model.optimizer import FusedAdamW

STEPS = 20
SETTINGS = {
    "plain": {"learning_rate": 0.01, "weight_decay": 0.0},
    "weight decay": {"learning_rate": 0.01, "weight_decay": 0.1},
    "global clipnorm": {"learning_rate": 0.01, "global_clipnorm": 0.5},
    "clipnorm": {"learning_rate": 0.01, "clipnorm": 0.5},
    "betas, epsilon": {
        "learning_rate": 0.01,
        "beta_1": 0.7,
        "beta_2": 0.98,
        "epsilon": 0.01,
    },
    "schedule": {
        "learning_rate": keras.optimizers.schedules.CosineDecay(
            0.0, STEPS - 5, warmup_target=0.02, warmup_steps=5
        ),
        "weight_decay": 0.01,
    },
}
each_setting = pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)


def variables():
    random = np.random.default_rng(9)
    return [
        keras.Variable(random.standard_normal((6, 3)).astype("float32"), name="table"),
        keras.Variable(random.standard_normal(3).astype("float32"), name="bias"),
    ]


def gradients(step):
    """Row 4 of the table twice, as a token that occurs twice in a batch; 5 never."""
    random = np.random.default_rng((10, step))
    rows = tf.constant([0, 1, 4, 4, 2, 3])
    values = tf.constant(random.standard_normal((6, 3)), tf.float32)
    bias = tf.constant(random.standard_normal(3), tf.float32)
    return [tf.IndexedSlices(values, rows, (6, 3)), bias]


def dense(gradient):
    """The sum over equal rows, in NumPy."""
    if not isinstance(gradient, tf.IndexedSlices):
        return gradient
    table = np.zeros((6, 3), np.float32)
    np.add.at(table, gradient.indices.numpy(), gradient.values.numpy())
    return tf.constant(table)


def train(optimizer, table_and_bias, steps, prepare=lambda gradient: gradient):
    for step in steps:
        grads = [prepare(gradient) for gradient in gradients(step)]
        optimizer.apply(grads, table_and_bias)
    return [np.asarray(variable) for variable in table_and_bias]


def assert_close(got, expected):
    for ours, reference in zip(got, expected, strict=True):
        error = np.abs(ours - reference) / np.maximum(1, np.abs(reference))
        assert error.max() <= 1e-6, f"off by {error.max():.2g}"


@each_setting
def test_twenty_steps_equal_keras(settings):
    """Another place for epsilon or decay trains too, to another result."""
    reference = keras.optimizers.AdamW(**settings)
    expected = train(reference, variables(), range(STEPS), dense)
    assert_close(train(FusedAdamW(**settings), variables(), range(STEPS)), expected)
    start = [np.asarray(variable) for variable in variables()]
    assert np.abs(expected[0] - start[0]).max() > 0.05


def test_the_first_step_by_hand():
    """Without the bias correction the first step is a tenth of its size."""
    weight = keras.Variable([1.0, 1.0])
    optimizer = FusedAdamW(learning_rate=0.1, weight_decay=0.5, epsilon=1e-12)
    optimizer.apply([tf.constant([3.0, -0.001])], [weight])
    # Decay 0.1·0.5·1 and a step of the learning rate against the gradient's sign.
    np.testing.assert_allclose(np.asarray(weight), [0.85, 1.05], atol=1e-6)


def test_variables_kept_from_weight_decay():
    """Decay on a norm's gain pulls every layer towards silence."""
    settings = {"learning_rate": 0.01, "weight_decay": 0.5}
    results = []
    for kind, prepare in [(keras.optimizers.AdamW, dense), (FusedAdamW, lambda g: g)]:
        optimizer = kind(**settings)
        optimizer.exclude_from_weight_decay(var_names=["bias"])
        results.append(train(optimizer, variables(), range(5), prepare))
    assert_close(results[1], results[0])
    assert not np.allclose(
        results[1][1], train(FusedAdamW(**settings), variables(), range(5))[1]
    )


@each_setting
def test_a_graph_takes_the_same_steps(settings):
    """A step count baked in while tracing would correct every step like the first."""
    optimizer, traced = FusedAdamW(**settings), variables()
    optimizer.build(traced)

    @tf.function
    def apply(values, rows, bias):
        optimizer.apply([tf.IndexedSlices(values, rows, (6, 3)), bias], traced)

    for step in range(STEPS):
        table, bias = gradients(step)
        apply(table.values, table.indices, bias)
    expected = train(FusedAdamW(**settings), variables(), range(STEPS))
    assert_close([np.asarray(variable) for variable in traced], expected)


def test_resuming_is_bit_identical():
    """Moments left out of a checkpoint restart the warm-up of every weight."""
    settings = SETTINGS["schedule"]
    whole = train(FusedAdamW(**settings), variables(), range(STEPS))

    first, weights = FusedAdamW(**settings), variables()
    train(first, weights, range(10))
    second, restored = FusedAdamW(**settings), variables()
    second.build(restored)
    saved = [*weights, *first.variables]
    for target, value in zip([*restored, *second.variables], saved, strict=True):
        target.assign(value)
    continued = train(second, restored, range(10, STEPS))
    for ours, reference in zip(continued, whole, strict=True):
        np.testing.assert_array_equal(ours, reference)


def test_a_variable_without_a_gradient_stays():
    """A feature layer that a batch did not use must not stop the clipping."""
    optimizer = FusedAdamW(0.1, global_clipnorm=1.0, weight_decay=0.0)
    weights = variables()
    before = np.asarray(weights[1])
    optimizer.apply([gradients(0)[0], None], weights)
    np.testing.assert_array_equal(np.asarray(weights[1]), before)


def test_its_settings_survive_serialisation():
    """A reloaded optimizer with default betas would go on to other weights."""
    optimizer = FusedAdamW(0.02, beta_2=0.98, weight_decay=0.1, global_clipnorm=2.0)
    again = keras.optimizers.deserialize(keras.optimizers.serialize(optimizer))
    assert type(again) is FusedAdamW
    assert again.get_config() == optimizer.get_config()
