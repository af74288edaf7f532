"""Muon against singular value decompositions and NumPy, step by step."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from babelet.model.muon import EVERY, MOMENTUM, ROOT_MEAN_SQUARE, Muon, orthogonal
from babelet.model.optimizer import FusedAdamW

RATE = 0.01
each_shape = pytest.mark.parametrize("shape", [(8, 8), (8, 24), (24, 8)])


def random(shape, seed):
    return np.random.default_rng(seed).standard_normal(shape).astype("float32")


class Layer(keras.layers.Layer):
    """A kernel, and what lies beside kernels in a Transformer."""

    def build(self, shape):
        self.kernel = self.add_weight(shape=shape, name="kernel")
        self.bias = self.add_weight(shape=(shape[1],), name="bias")
        self.tokens = self.add_weight(shape=shape, name="tokens")
        self.built = True


def layer(name="feedforward_output", shape=(8, 24)):
    made = Layer(name=name)
    made.build(shape)
    for seed, variable in enumerate(made.trainable_variables):
        variable.assign(random(variable.shape, seed))
    return made


def gradients(made, step):
    return [
        tf.constant(random(variable.shape, (step, seed)))
        for seed, variable in enumerate(made.trainable_variables)
    ]


def train(made, steps, optimizer=None):
    optimizer = optimizer or Muon(RATE, weight_decay=0.0)
    for step in steps:
        optimizer.apply(gradients(made, step), made.trainable_variables)
    return [np.asarray(variable) for variable in made.trainable_variables]


@each_shape
def test_every_direction_gets_the_same_step(shape):
    """A wrong coefficient still trains, like gradient descent with a fixed length."""
    # Singular values a thousandfold apart, as gradients have them.
    u, _, v = np.linalg.svd(random(shape, 1), full_matrices=False)
    matrix = (u * np.geomspace(1, 1e-3, 8)) @ v
    got = orthogonal(tf.constant(matrix, tf.float32)).numpy()
    scale = ROOT_MEAN_SQUARE * max(shape) ** 0.5
    values = np.linalg.svd(got, compute_uv=False) / scale
    assert values.max() < 1.25
    # The smallest, of 0.0008 of the norm, has not come all the way.
    assert (values[:6] > 0.65).all()
    directions = np.einsum("ni,nm,im->i", u, got / scale, v)
    assert (directions[:6] > 0.65).all()


@each_shape
def test_its_step_is_as_large_as_adams(shape):
    """Of another scale, rates known from AdamW would be wrong by it."""
    step = orthogonal(tf.constant(random(shape, 2))).numpy()
    assert np.sqrt(np.mean(step**2)) == pytest.approx(ROOT_MEAN_SQUARE, rel=0.2)


def test_steps_by_hand():
    """A sum of gradients that is forgotten, or a turn left out, trains more slowly."""
    steps = 2 * EVERY + 1
    made = layer()
    expected = np.asarray(made.kernel).astype(float)
    total = np.zeros_like(expected)
    for step in range(steps):
        gradient = gradients(made, step)[0].numpy()
        total = MOMENTUM * total + gradient
        if step % EVERY == 0:
            ahead = tf.constant(gradient + MOMENTUM * total, tf.float32)
            expected -= EVERY * RATE * orthogonal(ahead).numpy()
    np.testing.assert_allclose(train(made, range(steps))[0], expected, atol=1e-5)


def test_matrices_take_turns():
    """All at once, one step in four would take as long as the four."""
    made = [layer() for _ in range(EVERY)]
    kernels = [each.kernel for each in made]
    optimizer = Muon(RATE, weight_decay=0.0)
    moved = []
    for step in range(EVERY):
        before = [np.asarray(kernel) for kernel in kernels]
        optimizer.apply([gradients(each, step)[0] for each in made], kernels)
        changed = zip(before, kernels, strict=True)
        moved.append([not np.array_equal(old, new) for old, new in changed])
    assert np.array_equal(np.sum(moved, axis=0), np.ones(EVERY))
    assert np.array_equal(np.sum(moved, axis=1), np.ones(EVERY))


def test_all_else_is_left_to_adamw():
    """Orthogonal rows of a token table move seldom tokens as far as frequent ones."""
    ours = train(layer(), range(6))
    reference = train(layer(), range(6), FusedAdamW(RATE, weight_decay=0.0))
    for got, expected in zip(ours[1:], reference[1:], strict=True):
        np.testing.assert_array_equal(got, expected)
    assert not np.allclose(ours[0], reference[0], atol=1e-3)


@pytest.mark.parametrize(("name", "parts"), [("query_key_value", 3), ("dense", 1)])
def test_matrices_side_by_side_are_told_apart(name, parts):
    """The queries' gradient is the smallest of three, and drowned by the values'."""
    made = layer(name)
    gradient, start = gradients(made, 0)[0], np.asarray(made.kernel)
    steps = [orthogonal(part) for part in tf.split((1 + MOMENTUM) * gradient, parts, 1)]
    got = (start - train(made, [0])[0]) / (EVERY * RATE)
    np.testing.assert_allclose(got, np.concatenate(steps, 1), atol=1e-4)


def test_a_graph_takes_the_same_steps():
    """A turn baked in while tracing would be every step's, or none's."""
    traced, optimizer = layer(), Muon(RATE, weight_decay=0.0)
    optimizer.build(traced.trainable_variables)

    @tf.function
    def apply(given):
        optimizer.apply(given, traced.trainable_variables)

    for step in range(2 * EVERY):
        apply(gradients(traced, step))
    expected = train(layer(), range(2 * EVERY))
    for ours, reference in zip(traced.trainable_variables, expected, strict=True):
        np.testing.assert_allclose(np.asarray(ours), reference, atol=1e-5)


def test_resuming_is_bit_identical():
    """A turn or a sum lost in a checkpoint gives other weights after each kill."""
    whole = train(layer(), range(11))
    first, weights = Muon(RATE, weight_decay=0.0), layer()
    train(weights, range(6), first)
    second, restored = Muon(RATE, weight_decay=0.0), layer()
    second.build(restored.trainable_variables)
    saved = [*weights.trainable_variables, *first.variables]
    targets = [*restored.trainable_variables, *second.variables]
    for target, value in zip(targets, saved, strict=True):
        target.assign(value)
    continued = train(restored, range(6, 11), second)
    for ours, reference in zip(continued, whole, strict=True):
        np.testing.assert_array_equal(ours, reference)


def test_its_settings_survive_serialisation():
    """A reloaded optimizer of another kind would go on to other weights."""
    optimizer = Muon(0.02, beta_2=0.98, weight_decay=0.1, global_clipnorm=2.0)
    again = keras.optimizers.deserialize(keras.optimizers.serialize(optimizer))
    assert type(again) is Muon
    assert again.get_config() == optimizer.get_config()
