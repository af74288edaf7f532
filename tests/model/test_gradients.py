"""The fused GELU against TensorFlow's, values and slopes."""

import math

import numpy as np
import pytest
import tensorflow as tf

from babelet.model.gradients import add_bias, fused_gelu

SHAPES = [(7,), (3, 5), (2, 3, 4), (1, 1, 1), (0, 4)]


def values(shape, dtype=tf.float32):
    random = np.random.default_rng(8)
    return tf.cast(3 * random.standard_normal(shape), dtype)


def value_and_gradient(activation, x, upstream):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = activation(x)
    return y, tape.gradient(y, x, output_gradients=upstream)


def assert_close(got, reference):
    got, reference = np.asarray(got, np.float64), np.asarray(reference, np.float64)
    assert got.shape == reference.shape
    error = np.abs(got - reference) / np.maximum(1, np.abs(reference))
    assert error.max(initial=0) <= 1e-6


def test_values_by_hand():
    """The tanh approximation is 5e-4 off: enough to move the teacher's layers."""
    x = tf.constant([0.0, 1.0, -1.0, 3.0])
    normal = [0.5 * (1 + math.erf(v / math.sqrt(2))) for v in (0, 1, -1, 3)]
    assert_close(fused_gelu(x), [0, normal[1], -normal[2], 3 * normal[3]])
    np.testing.assert_allclose(normal[1], 0.841344746, atol=1e-9)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_equal_to_tensorflows_in_float32(shape):
    """A slope written by hand may be wrong while every value is right."""
    x, upstream = values(shape), values(shape)[..., ::-1]
    got = value_and_gradient(fused_gelu, x, upstream)
    exact = value_and_gradient(
        lambda x: tf.nn.gelu(x, approximate=False),
        tf.cast(x, tf.float64),
        tf.cast(upstream, tf.float64),
    )
    for ours, reference in zip(got, exact, strict=True):
        assert ours.dtype == tf.float32
        assert_close(ours, reference)


@pytest.mark.parametrize("dtype", [tf.bfloat16, tf.float16], ids=lambda d: d.name)
def test_half_precision_rounds_once(dtype):
    """Φ(x) rounded to eight bits before the product doubles the error."""
    x, upstream = values((4, 6), dtype), values((4, 6), dtype)[::-1]
    got = value_and_gradient(fused_gelu, x, upstream)
    exact = value_and_gradient(
        lambda x: tf.nn.gelu(x, approximate=False),
        tf.cast(x, tf.float64),
        tf.cast(upstream, tf.float64),
    )
    half_ulp = {"bfloat16": 2**-8, "float16": 2**-11}[dtype.name]
    for ours, reference in zip(got, exact, strict=True):
        assert ours.dtype == dtype
        np.testing.assert_allclose(
            np.asarray(tf.cast(ours, tf.float64)),
            np.asarray(reference),
            rtol=1.01 * half_ulp,
            atol=1e-6,
        )


def test_far_tails_are_finite():
    """0·inf in the slope turns one large activation into a NaN step."""
    x = tf.constant([-1e4, -40.0, 40.0, 1e4])
    y, slope = value_and_gradient(fused_gelu, x, tf.ones(4))
    # To float32's rounding of Φ, which x multiplies.
    assert np.abs(y - np.array([0, 0, 40, 1e4])).max() <= 1e4 * 2e-7
    assert np.abs(slope - np.array([0, 0, 1, 1])).max() <= 2e-7


def test_one_traced_function_serves_every_shape():
    """A graph specialised to its first batch would fail on the next length."""
    step = tf.function(
        lambda x: value_and_gradient(fused_gelu, x, tf.ones_like(x)),
        input_signature=[tf.TensorSpec([None, None], tf.float32)],
    )
    for shape in [(2, 8), (2, 16), (1, 8)]:
        x = values(shape)
        for got, eager in zip(
            step(x), value_and_gradient(fused_gelu, x, tf.ones_like(x)), strict=True
        ):
            assert_close(got, eager)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_the_gradient_of_a_bias_is_the_sum_of_the_rows(dtype):
    """Summed in bfloat16, large batches train the biases on noise."""
    rows = np.random.default_rng(3).standard_normal((1792, 24))
    upstream = tf.cast(tf.constant(rows), dtype)
    bias = tf.zeros(24, dtype)
    with tf.GradientTape() as tape:
        tape.watch(bias)
        added = add_bias(tf.ones_like(upstream), bias)
        total = tf.reduce_sum(tf.cast(added * upstream, tf.float32))
    got = tf.cast(tape.gradient(total, bias), tf.float64).numpy()
    expected = tf.cast(upstream, tf.float64).numpy().sum(axis=0)
    # bfloat16 keeps 8 bits: the result is rounded, the sum is not.
    np.testing.assert_allclose(got, expected, rtol=2**-8, atol=0.02)
