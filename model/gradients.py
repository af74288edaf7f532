"""Training operations that TensorFlow computes slowly or inexactly on a CPU.

GELU takes eight passes over the widest tensor of the model as separate operations, and
cost as much time as all matrix products together (measured, bfloat16); XLA fuses each
direction into one loop. The gradient of a bias is summed in bfloat16 by TensorFlow's
own kernel, which over 1,800 rows of noise is off by a third of the sum's size
(measured), and is slow. Inference keeps Keras's operations, which LiteRT converts.
"""

import math

import tensorflow as tf


@tf.custom_gradient
def fused_gelu(x: tf.Tensor) -> tuple:
    """Returns x·Φ(x), exact (Hendrycks & Gimpel 2016), of the shape and dtype of x."""

    def gradient(upstream: tf.Tensor) -> tf.Tensor:
        return _backward(x, upstream)

    return _forward(x), gradient


def add_bias(rows: tf.Tensor, bias: object) -> tf.Tensor:
    """Returns rows + bias for (N, dim) and (dim,), of the dtype of `rows`.

    The bias's gradient is the sum of the upstream rows, added up in float32.
    """
    return _add_bias(rows, tf.cast(tf.convert_to_tensor(bias), rows.dtype))


@tf.custom_gradient
def _add_bias(rows: tf.Tensor, bias: tf.Tensor) -> tuple:
    def gradient(upstream: tf.Tensor) -> tuple:
        return upstream, tf.reduce_sum(upstream, axis=0)

    return tf.nn.bias_add(rows, bias), gradient


@tf.function(jit_compile=True)
def _forward(x: tf.Tensor) -> tf.Tensor:
    wide = tf.cast(x, tf.float32)
    return tf.cast(wide * _cumulative(wide), x.dtype)


@tf.function(jit_compile=True)
def _backward(x: tf.Tensor, upstream: tf.Tensor) -> tf.Tensor:
    wide = tf.cast(x, tf.float32)
    density = tf.exp(-0.5 * wide * wide) / math.sqrt(2 * math.pi)
    slope = _cumulative(wide) + wide * density
    return tf.cast(tf.cast(upstream, tf.float32) * slope, x.dtype)


def _cumulative(x: tf.Tensor) -> tf.Tensor:
    return 0.5 * (1.0 + tf.math.erf(x / math.sqrt(2)))
