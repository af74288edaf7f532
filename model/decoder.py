"""The Transformer decoder's layer, with causal and cross attention.

Vaswani et al. 2017. Like the encoder's layer it works on the rows of one matrix. A
sentence is decoded token by token with caches of a fixed number of positions: no shape
changes from step to step, which LiteRT's loops ask for.
"""

from typing import Any, NamedTuple

import keras
from keras import ops

from babelet.model.backbone import MASKED_SCORE, EncoderLayer, project


class KeysValues(NamedTuple):
    """What attention reads: `keys` and `values`, (batch, heads, length, head_dim)."""

    keys: object
    values: object


@keras.saving.register_keras_serializable("babelet")
class DecoderLayer(EncoderLayer):
    """Self-attention, attention to the source, feed-forward, each with a norm.

    Arguments as `EncoderLayer`.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.source_query = self._dense(self.hidden_dim, "source_query")
        self.source_key_value = self._dense(2 * self.hidden_dim, "source_key_value")
        self.source_output = self._dense(self.hidden_dim, "source_output")
        self.source_norm = self._norm("source_norm")

    def build(self, hidden_shape: tuple, *shapes: object) -> None:
        """Builds the sublayers; `hidden_shape` is (batch, length, hidden_dim)."""
        super().build(hidden_shape, None)
        rows = (None, self.hidden_dim)
        for layer in (
            self.source_query,
            self.source_key_value,
            self.source_output,
            self.source_norm,
        ):
            layer.build(rows)

    def read(self, encoded: object, training: bool = False) -> KeysValues:
        """Returns keys and values of the source, (batch, length, hidden_dim)."""
        batch, length, _ = ops.shape(encoded)
        rows = ops.reshape(encoded, (-1, self.hidden_dim))
        projected = project(self.source_key_value, rows, training)
        return KeysValues(*self._split(projected, batch, length, 2))

    def call(
        self,
        hidden: object,
        source: KeysValues,
        source_mask: object,
        training: bool = False,
    ) -> object:
        """Returns the next hidden states of whole target sentences.

        Args:
            hidden: (batch, length, hidden_dim).
            source: What `read` returned.
            source_mask: bool (batch, 1, 1, source length), False at padding.
            training: Whether dropout is on.
        """
        batch, length, _ = ops.shape(hidden)
        rows = ops.reshape(hidden, (-1, self.hidden_dim))
        read = self._before(self.attention_norm, rows)
        projected = project(self.query_key_value, read, training)
        query, key, value = self._split(projected, batch, length, 3)
        places = ops.arange(length)
        visible = ops.expand_dims(places, 0) <= ops.expand_dims(places, 1)
        mixed = attention(query, KeysValues(key, value), visible)
        shape = batch, length
        rows = self._finish(rows, mixed, source, source_mask, shape, training)
        return ops.reshape(rows, (batch, length, self.hidden_dim))

    def step(
        self,
        rows: object,
        cache: KeysValues,
        position: object,
        source: KeysValues,
        source_mask: object,
    ) -> tuple[object, KeysValues]:
        """Returns the hidden states of one further token, and the cache with it.

        Args:
            rows: (batch, hidden_dim).
            cache: Of the tokens before it; its length is the same at every step.
            position: int32 scalar, that of the token.
            source: What `read` returned.
            source_mask: bool (batch, 1, 1, source length), False at padding.
        """
        batch = ops.shape(rows)[0]
        projected = self.query_key_value(self._before(self.attention_norm, rows))
        query, key, value = self._split(projected, batch, 1, 3)
        places = ops.arange(ops.shape(cache.keys)[2])
        here = ops.reshape(places == position, (1, 1, -1, 1))
        cache = KeysValues(
            ops.where(here, key, cache.keys), ops.where(here, value, cache.values)
        )
        mixed = attention(query, cache, places <= position)
        shape = batch, 1
        rows = self._finish(rows, mixed, source, source_mask, shape, False)
        return rows, cache

    def _finish(
        self,
        rows: object,
        mixed: object,
        source: KeysValues,
        source_mask: object,
        shape: tuple[object, object],
        training: bool,
    ) -> object:
        """Returns all that follows self-attention, (batch * length, hidden_dim)."""
        attended = project(self.attention_output, mixed, training)
        attended = self.dropout(attended, training=training)
        rows = self._after(self.attention_norm, rows + attended)
        read = self._before(self.source_norm, rows)
        query = project(self.source_query, read, training)
        (query,) = self._split(query, *shape, 1)
        mixed = attention(query, source, source_mask)
        attended = project(self.source_output, mixed, training)
        attended = self.dropout(attended, training=training)
        rows = self._after(self.source_norm, rows + attended)
        return self._feed_forward(rows, training)

    def _split(
        self, rows: object, batch: object, length: object, parts: int
    ) -> list[object]:
        """Returns `parts` tensors (batch, heads, length, head_dim) of the rows."""
        head_dim = self.hidden_dim // self.num_heads
        shape = (batch, length, parts, self.num_heads, head_dim)
        heads = ops.transpose(ops.reshape(rows, shape), (2, 0, 3, 1, 4))
        return ops.unstack(heads, parts, 0)


def attention(query: keras.KerasTensor, read: KeysValues, visible: object) -> object:
    """Returns the mixed values, (batch * queries, heads * head_dim).

    Args:
        query: (batch, heads, queries, head_dim).
        read: Keys and values, of another length or the same.
        visible: bool, broadcasts to the scores (batch, heads, queries, length).
    """
    _, heads, _, head_dim = query.shape
    keys = ops.transpose(read.keys, (0, 1, 3, 2))
    scores = ops.matmul(query * head_dim**-0.5, keys)
    # Chosen, not added: TensorFlow fuses product and sum, and inside a loop whose
    # summand does not change the fused operation gives nothing, and the loop nothing.
    scores = ops.where(visible, scores, MASKED_SCORE)
    mixed = ops.matmul(ops.softmax(scores, axis=-1), read.values)
    return ops.reshape(ops.transpose(mixed, (0, 2, 1, 3)), (-1, heads * head_dim))
