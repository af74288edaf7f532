"""A choice among a whole vocabulary, told by a few tokens and all others as one.

The probabilities of the named tokens are those of the full softmax, exactly, and so is
the cross-entropy of one of them. The KL divergence treats all others as one event, so
it is at most the full one, and nearly equal where the named tokens hold nearly all that
the teacher believes. What it spares is a dozen passes over (positions, vocabulary).
"""

import tensorflow as tf


def named_and_rest(logits: tf.Tensor, candidates: tf.Tensor) -> tf.Tensor:
    """Returns float32 (N, K + 1): logits of the candidates, then of the rest as one.

    The rest's is the log of the sum of its exponentials. With (N, vocabulary) logits in
    bfloat16, as in training, every sum is still in float32.

    Args:
        logits: (N, vocabulary).
        candidates: int32 (N, K), no token twice in a row.
    """
    return _named_and_rest(logits, candidates)


@tf.custom_gradient
def _named_and_rest(logits: tf.Tensor, candidates: tf.Tensor) -> tuple:
    places = _places(candidates)
    named = tf.cast(tf.gather_nd(logits, places), tf.float32)
    # Left out before summing: the sum of all less theirs would be rounding alone
    # where they hold nearly everything.
    others = tf.tensor_scatter_nd_update(
        logits, places, tf.fill(tf.shape(candidates), logits.dtype.min)
    )
    rest = _log_sum(others)

    def gradient(upstream: tf.Tensor) -> tuple:
        shares = _shares(others, rest, upstream[:, -1:])
        update = tf.cast(upstream[:, :-1], logits.dtype)
        return tf.tensor_scatter_nd_update(shares, places, update), None

    return tf.concat([named, rest], 1), gradient


def _places(candidates: tf.Tensor) -> tf.Tensor:
    """Returns int32 (N, K, 2): row and token of each candidate."""
    rows = tf.range(tf.shape(candidates)[0])
    return tf.stack([tf.expand_dims(rows, 1) + 0 * candidates, candidates], -1)


# XLA makes one loop of what TensorFlow takes five passes over the vocabulary for.
@tf.function(jit_compile=True)
def _log_sum(logits: tf.Tensor) -> tf.Tensor:
    """Returns the log of the sum of exponentials, float32 (N, 1)."""
    wide = tf.cast(logits, tf.float32)
    largest = tf.reduce_max(wide, axis=1, keepdims=True)
    total = tf.reduce_sum(tf.exp(wide - largest), axis=1, keepdims=True)
    return largest + tf.math.log(total)


@tf.function(jit_compile=True)
def _shares(logits: tf.Tensor, rest: tf.Tensor, upstream: tf.Tensor) -> tf.Tensor:
    wide = tf.cast(logits, tf.float32)
    return tf.cast(upstream * tf.exp(wide - rest), logits.dtype)
