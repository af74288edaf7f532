"""The students: from token ids to a vector, to classes, or to a translation."""

from typing import Any

import keras

from babelet.model.backbone import EncoderLayer, TokenEmbedding, require_heads
from babelet.model.encoder_decoder import EncoderDecoder
from babelet.model.heads import SentencePooling, UnitLength


def build_encoder(
    *,
    vocabulary_size: int,
    num_layers: int,
    hidden_dim: int,
    num_heads: int,
    intermediate_dim: int,
    max_length: int,
    pooling: str,
    output_dim: int,
    dropout: float,
    dtype: str = "float32",
) -> keras.Model:
    """Returns the sentence encoder, at random weights.

    Its inputs are a dict of `token_ids` int32 (batch, length) and `padding_mask`
    bool (batch, length), length up to `max_length`; its output is float32
    (batch, output_dim) at unit length, whatever the precision policy.

    Args:
        vocabulary_size: Rows of the token table.
        num_layers: Encoder layers.
        hidden_dim: Width between layers, a multiple of `num_heads`.
        num_heads: Attention heads.
        intermediate_dim: Width inside the feed-forward.
        max_length: Rows of the position table.
        pooling: "mean", "cls" or "max".
        output_dim: Width of the result; a projection is added if not hidden_dim.
        dropout: Share of activations dropped in training.
        dtype: A Keras precision policy.

    Raises:
        ValueError: hidden_dim is not a multiple of num_heads.
    """
    inputs, vector = _pooled(
        vocabulary_size,
        num_layers,
        hidden_dim,
        num_heads,
        intermediate_dim,
        max_length,
        pooling,
        dropout,
        dtype,
    )
    if output_dim != hidden_dim:
        vector = keras.layers.Dense(output_dim, dtype="float32", name="projection")(
            vector
        )
    vector = UnitLength(dtype="float32", name="unit_length")(vector)
    return keras.Model(inputs, vector, name="student")


def build_classifier(*, classes: int, dropout: float, **shape: Any) -> keras.Model:
    """Returns the encoder with a linear layer to classes, at random weights.

    Inputs as those of `build_encoder`; the output is logits, float32 (batch, classes).

    Args:
        classes: Width of the result.
        dropout: Share of activations dropped in training.
        **shape: `vocabulary_size`, `num_layers`, `hidden_dim`, `num_heads`,
            `intermediate_dim`, `max_length`, `pooling` and `dtype` of `build_encoder`.
    """
    inputs, vector = _pooled(dropout=dropout, **shape)
    vector = keras.layers.Dropout(dropout, dtype="float32", name="dropout")(vector)
    logits = keras.layers.Dense(classes, dtype="float32", name="classes")(vector)
    return keras.Model(inputs, logits, name="classifier")


def build_translator(
    *,
    vocabulary_size: int,
    encoder_layers: int,
    decoder_layers: int,
    hidden_dim: int,
    num_heads: int,
    intermediate_dim: int,
    max_length: int,
    dropout: float,
    dtype: str = "float32",
) -> EncoderDecoder:
    """Returns the encoder and decoder, at random weights.

    Its inputs and outputs are those of `EncoderDecoder.call`.

    Args:
        vocabulary_size: Rows of the one token table.
        encoder_layers: Layers that read the source.
        decoder_layers: Layers that write the target.
        hidden_dim: Width between layers, a multiple of `num_heads`.
        num_heads: Attention heads.
        intermediate_dim: Width inside the feed-forward.
        max_length: Positions of source and of target.
        dropout: Share of activations dropped in training.
        dtype: A Keras precision policy.

    Raises:
        ValueError: hidden_dim is not a multiple of num_heads.
    """
    return EncoderDecoder(
        vocabulary_size=vocabulary_size,
        encoder_layers=encoder_layers,
        decoder_layers=decoder_layers,
        hidden_dim=hidden_dim,
        num_heads=num_heads,
        intermediate_dim=intermediate_dim,
        max_length=max_length,
        dropout=dropout,
        dtype=keras.dtype_policies.get(dtype),
        name="student",
    )


def _pooled(
    vocabulary_size: int,
    num_layers: int,
    hidden_dim: int,
    num_heads: int,
    intermediate_dim: int,
    max_length: int,
    pooling: str,
    dropout: float,
    dtype: str = "float32",
) -> tuple[dict, keras.KerasTensor]:
    """Returns the inputs, and the pooled vectors float32 (batch, hidden_dim)."""
    require_heads(hidden_dim, num_heads)
    policy = keras.dtype_policies.get(dtype)
    embedding = TokenEmbedding(
        vocabulary_size, max_length, hidden_dim, dropout, dtype=policy, name="embedding"
    )
    layers = [
        EncoderLayer(
            hidden_dim,
            num_heads,
            intermediate_dim,
            dropout,
            dtype=policy,
            name=f"layer_{index}",
        )
        for index in range(num_layers)
    ]
    token_ids = keras.Input((None,), dtype="int32", name="token_ids")
    padding_mask = keras.Input((None,), dtype="bool", name="padding_mask")
    hidden = embedding(token_ids)
    for layer in layers:
        hidden = layer(hidden, padding_mask)
    vector = SentencePooling(pooling, dtype="float32", name="pooling")(
        hidden, padding_mask
    )
    return {"token_ids": token_ids, "padding_mask": padding_mask}, vector
