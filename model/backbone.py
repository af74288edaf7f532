"""The Transformer encoder: embeddings and post-norm layers, as in BERT.

Devlin et al. 2019, after Vaswani et al. 2017. The projections to queries, keys and
values are one matrix and attention is two plain matrix products: on a CPU this is
faster than the general einsum, and it converts to LiteRT's builtin operations.
"""

import keras
from keras import ops

from babelet.model.gradients import add_bias, fused_gelu

# Added to the scores of padding. Large enough for exp() to give 0 beside any real
# score, small enough for float16, whose largest number is 65504.
MASKED_SCORE = -3e4


@keras.saving.register_keras_serializable("babelet")
class TokenEmbedding(keras.layers.Layer):
    """Sum of token and position vectors, normalised."""

    def __init__(
        self,
        vocabulary_size: int,
        max_length: int,
        hidden_dim: int,
        dropout: float,
        **kwargs: object,
    ) -> None:
        super().__init__(**kwargs)
        self.vocabulary_size = vocabulary_size
        self.max_length = max_length
        self.hidden_dim = hidden_dim
        self.dropout = keras.layers.Dropout(
            dropout, dtype=self.dtype_policy, name="dropout"
        )
        self.norm = keras.layers.LayerNormalization(
            epsilon=1e-12, dtype=self.dtype_policy, name="norm"
        )

    def build(self, input_shape: tuple) -> None:
        """Creates the two tables; `input_shape` is (batch, length)."""
        initializer = _narrow()
        self.tokens = self.add_weight(
            name="tokens",
            shape=(self.vocabulary_size, self.hidden_dim),
            initializer=initializer,
        )
        self.positions = self.add_weight(
            name="positions",
            shape=(self.max_length, self.hidden_dim),
            initializer=initializer,
        )
        self.norm.build((*input_shape, self.hidden_dim))

    def call(
        self, token_ids: object, training: bool = False, first_position: object = 0
    ) -> object:
        """Returns (batch, length, hidden_dim) for token_ids int32 (batch, length).

        The first column is at `first_position`, an int32 scalar.
        """
        length = ops.shape(token_ids)[1]
        tokens = self.vectors(token_ids)
        places = ops.arange(length) + first_position
        positions = ops.take(self.positions, places, axis=0)
        hidden = ops.cast(tokens, self.compute_dtype) + ops.cast(
            positions, self.compute_dtype
        )
        return self.dropout(self.norm(hidden), training=training)

    def vectors(self, token_ids: object) -> object:
        """Returns the table's rows, token_ids.shape + (hidden_dim,)."""
        return ops.take(self.tokens, token_ids, axis=0)

    def get_config(self) -> dict:
        """Returns the constructor's arguments."""
        return super().get_config() | {
            "vocabulary_size": self.vocabulary_size,
            "max_length": self.max_length,
            "hidden_dim": self.hidden_dim,
            "dropout": self.dropout.rate,
        }


@keras.saving.register_keras_serializable("babelet")
class EncoderLayer(keras.layers.Layer):
    """Self-attention and feed-forward, each with a residual and a norm.

    The norm comes after the sum, as in BERT, or with `norm_first` before the sublayer;
    the last layer's output then wants one more. `kernel_initializer` is a name of
    Keras's; None is BERT's.
    """

    def __init__(
        self,
        hidden_dim: int,
        num_heads: int,
        intermediate_dim: int,
        dropout: float,
        norm_first: bool = False,
        kernel_initializer: str | None = None,
        **kwargs: object,
    ) -> None:
        super().__init__(**kwargs)
        self.hidden_dim = hidden_dim
        self.num_heads = num_heads
        self.intermediate_dim = intermediate_dim
        self.norm_first = norm_first
        self.kernel_initializer = kernel_initializer
        self.query_key_value = self._dense(3 * hidden_dim, "query_key_value")
        self.attention_output = self._dense(hidden_dim, "attention_output")
        self.attention_norm = self._norm("attention_norm")
        self.feedforward_intermediate = self._dense(
            intermediate_dim, "feedforward_intermediate"
        )
        self.feedforward_output = self._dense(hidden_dim, "feedforward_output")
        self.feedforward_norm = self._norm("feedforward_norm")
        self.dropout = keras.layers.Dropout(
            dropout, dtype=self.dtype_policy, name="dropout"
        )

    def build(self, hidden_shape: tuple, padding_mask_shape: tuple) -> None:
        """Builds the sublayers; `hidden_shape` is (batch, length, hidden_dim)."""
        rows, wide = (None, self.hidden_dim), (None, self.intermediate_dim)
        self.query_key_value.build(rows)
        self.attention_output.build(rows)
        self.attention_norm.build(rows)
        self.feedforward_intermediate.build(rows)
        self.feedforward_output.build(wide)
        self.feedforward_norm.build(rows)

    def call(
        self, hidden: object, padding_mask: object, training: bool = False
    ) -> object:
        """Returns the next hidden states, (batch, length, hidden_dim).

        Args:
            hidden: (batch, length, hidden_dim).
            padding_mask: bool (batch, length), False at padding.
            training: Whether dropout is on.
        """
        shape = ops.shape(hidden)
        # Rows of one matrix: TensorFlow fuses product, bias and GELU only in two
        # dimensions, and encodes four times as many sentences that way.
        rows = ops.reshape(hidden, (-1, self.hidden_dim))
        read = self._before(self.attention_norm, rows)
        mixed = self._attend(read, padding_mask, training)
        attended = project(self.attention_output, mixed, training)
        attended = self.dropout(attended, training=training)
        rows = self._after(self.attention_norm, rows + attended)
        rows = self._feed_forward(rows, training)
        return ops.reshape(rows, (shape[0], shape[1], self.hidden_dim))

    def _before(self, norm: keras.layers.Layer, rows: object) -> object:
        return norm(rows) if self.norm_first else rows

    def _after(self, norm: keras.layers.Layer, rows: object) -> object:
        return rows if self.norm_first else norm(rows)

    def _feed_forward(self, rows: object, training: bool) -> object:
        read = self._before(self.feedforward_norm, rows)
        wide = project(self.feedforward_intermediate, read, training)
        fed = fused_gelu(wide) if training else ops.gelu(wide, approximate=False)
        fed = project(self.feedforward_output, fed, training)
        fed = self.dropout(fed, training=training)
        return self._after(self.feedforward_norm, rows + fed)

    def _attend(self, rows: object, padding_mask: object, training: bool) -> object:
        """Returns the mixed values, (batch * length, hidden_dim), for such rows."""
        batch, length = ops.shape(padding_mask)
        head_dim = self.hidden_dim // self.num_heads
        projected = project(self.query_key_value, rows, training)
        heads = ops.reshape(projected, (batch, length, 3, self.num_heads, head_dim))
        # (3, batch, heads, length, head_dim)
        query, key, value = ops.unstack(ops.transpose(heads, (2, 0, 3, 1, 4)), 3, 0)
        scores = ops.matmul(query * head_dim**-0.5, ops.transpose(key, (0, 1, 3, 2)))
        visible = ops.cast(padding_mask, self.compute_dtype)
        penalty = (1 - visible) * MASKED_SCORE
        penalty = ops.expand_dims(ops.expand_dims(penalty, 1), 1)
        mixed = ops.matmul(ops.softmax(scores + penalty, axis=-1), value)
        return ops.reshape(ops.transpose(mixed, (0, 2, 1, 3)), (-1, self.hidden_dim))

    def _dense(self, units: int, name: str) -> keras.layers.Dense:
        drawn = self.kernel_initializer or _narrow()
        return keras.layers.Dense(
            units,
            kernel_initializer=drawn,
            dtype=self.dtype_policy,
            name=name,
        )

    def _norm(self, name: str) -> keras.layers.LayerNormalization:
        return keras.layers.LayerNormalization(
            epsilon=1e-12, dtype=self.dtype_policy, name=name
        )

    def get_config(self) -> dict:
        """Returns the constructor's arguments."""
        return super().get_config() | {
            "hidden_dim": self.hidden_dim,
            "num_heads": self.num_heads,
            "intermediate_dim": self.intermediate_dim,
            "dropout": self.dropout.rate,
            "norm_first": self.norm_first,
            "kernel_initializer": self.kernel_initializer,
        }


def require_heads(hidden_dim: int, num_heads: int) -> None:
    """Raises a ValueError unless the heads divide the width."""
    if hidden_dim % num_heads:
        raise ValueError(
            "hidden_dim must be a multiple of num_heads. "
            f"Received: hidden_dim={hidden_dim}, num_heads={num_heads}"
        )


def _narrow() -> keras.initializers.Initializer:
    """Returns BERT's initial weights; each has random numbers of its own."""
    return keras.initializers.TruncatedNormal(stddev=0.02)


def project(layer: keras.layers.Dense, rows: object, training: bool) -> object:
    """Returns layer(rows); in training with the exact gradient of the bias."""
    if not training:
        return layer(rows)
    return add_bias(ops.matmul(rows, layer.kernel), layer.bias)
