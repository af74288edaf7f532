"""A KerasHub `BertBackbone` filled from an E5S1 file, and a fast forward over it."""

from collections.abc import Callable, Sequence

import keras
import keras_hub
import numpy as np
import tensorflow as tf

from babelet.model.teachers.e5s1 import E5S1File

# Keras's path inside a layer, and the file's name.
_LAYER = (
    ("self_attention_layer/query/kernel", "q.w"),
    ("self_attention_layer/query/bias", "q.b"),
    ("self_attention_layer/key/kernel", "k.w"),
    ("self_attention_layer/key/bias", "k.b"),
    ("self_attention_layer/value/kernel", "v.w"),
    ("self_attention_layer/value/bias", "v.b"),
    ("self_attention_layer/attention_output/kernel", "ao.w"),
    ("self_attention_layer/attention_output/bias", "ao.b"),
    ("self_attention_layer_norm/gamma", "aln.w"),
    ("self_attention_layer_norm/beta", "aln.b"),
    ("feedforward_intermediate_dense/kernel", "fi.w"),
    ("feedforward_intermediate_dense/bias", "fi.b"),
    ("feedforward_output_dense/kernel", "fo.w"),
    ("feedforward_output_dense/bias", "fo.b"),
    ("feedforward_layer_norm/gamma", "oln.w"),
    ("feedforward_layer_norm/beta", "oln.b"),
)
Head = Sequence[Callable[[tf.Tensor], tf.Tensor]]
_SIGNATURE = (
    tf.TensorSpec([None, None], tf.int32),
    tf.TensorSpec([None, None], tf.bool),
)
_EMBEDDINGS = (
    ("token_embedding/embeddings", "emb.word"),
    ("position_embedding/embeddings", "emb.pos"),
    ("segment_embedding/embeddings", "emb.type"),
    ("embeddings_layer_norm/gamma", "emb.ln.w"),
    ("embeddings_layer_norm/beta", "emb.ln.b"),
)


def build_backbone(file: E5S1File, num_layers: int) -> keras.Model:
    """Returns a float32 `BertBackbone` with the file's first `num_layers` layers.

    Its pooler, which the file does not have, is zero. It computes GELU by the tanh
    approximation, as all BertBackbones do; the model was trained with the exact one,
    which `sentence_encoder` uses.

    Raises:
        BabeletError: A tensor is missing from the file or has another size.
    """
    shape = file.shape
    backbone = keras_hub.models.BertBackbone(
        vocabulary_size=shape.vocabulary_size,
        num_layers=num_layers,
        num_heads=shape.num_heads,
        hidden_dim=shape.hidden_dim,
        intermediate_dim=shape.intermediate_dim,
        max_sequence_length=shape.max_positions,
        num_segments=shape.num_segments,
        dropout=0.0,
        dtype="float32",
    )
    variables = {variable.path: variable for variable in backbone.variables}
    for path, name in _EMBEDDINGS:
        variable = variables.pop(path)
        variable.assign(file.tensor(name))
    for layer in range(num_layers):
        for path, name in _LAYER:
            variable = variables.pop(f"transformer_layer_{layer}/{path}")
            # The file's matrices are (out, in); Keras's are (in, out), with the side
            # that belongs to attention split into (heads, head width).
            variable.assign(file.tensor(f"l{layer}.{name}").T.reshape(variable.shape))
    for variable in variables.values():
        variable.assign(np.zeros(variable.shape, np.float32))
    return backbone


def sentence_encoder(
    backbone: keras.Model,
    epsilon: float,
    precision: str,
    pooling: str = "mean",
    head: Head = (),
) -> Callable[[tf.Tensor, tf.Tensor], tf.Tensor]:
    """Returns a compiled function from tokens to unit vectors of sentences.

    The same network as `backbone` with exact GELU, written for throughput: one matrix
    product for queries, keys and values, attention as batched products over heads in
    front, all tokens of the batch as rows. Matrix products run in the precision's
    compute dtype; normalisation, pooling and L2 in float32.

    Args:
        backbone: A `BertBackbone`; its weights are copied, the embedding table is
            shared.
        epsilon: Of the layer normalisations.
        precision: "float32" or "mixed_bfloat16".
        pooling: That of `pool`, over the tokens.
        head: See `sentence_vectors`.

    Returns:
        A function of token_ids int32 (B, L) and padding_mask bool (B, L) that returns
        float32 (B, dim), dim being hidden_dim or what the head gives. It is traced
        once for all B and L.
    """
    hidden_states = _hidden_states(backbone, epsilon, precision)

    @tf.function(input_signature=_SIGNATURE)
    def encode(token_ids: tf.Tensor, padding_mask: tf.Tensor) -> tf.Tensor:
        last = tf.cast(hidden_states(token_ids, padding_mask)[-1], tf.float32)
        kept = tf.cast(padding_mask, tf.float32)
        return sentence_vectors(last, kept, pooling, head)

    return encode


def token_encoder(
    backbone: keras.Model, epsilon: float, precision: str, layers: Sequence[int]
) -> Callable[[tf.Tensor, tf.Tensor], tf.Tensor]:
    """Returns a compiled function from tokens to a vector of each, in its context.

    As `sentence_encoder`, but that it returns float16 (B, L, len(layers) * hidden_dim):
    what the `layers` give, counted from 1, beside each other.
    """
    hidden_states = _hidden_states(backbone, epsilon, precision)

    @tf.function(input_signature=_SIGNATURE)
    def encode(token_ids: tf.Tensor, padding_mask: tf.Tensor) -> tf.Tensor:
        states = hidden_states(token_ids, padding_mask)
        chosen = tf.concat([states[layer - 1] for layer in layers], -1)
        return tf.cast(chosen, tf.float16)

    return encode


def _hidden_states(
    backbone: keras.Model, epsilon: float, precision: str
) -> Callable[[tf.Tensor, tf.Tensor], list[tf.Tensor]]:
    """Returns a function to what each layer gives, (B, L, hidden_dim)."""
    dtype = tf.as_dtype(keras.DTypePolicy(precision).compute_dtype)
    variables = {variable.path: variable for variable in backbone.variables}
    heads, width = backbone.num_heads, backbone.hidden_dim
    table = variables["token_embedding/embeddings"].value
    positions = tf.constant(
        variables["position_embedding/embeddings"].value
        + variables["segment_embedding/embeddings"].value[0]
    )
    normalise_embeddings = _normalisation(variables, "embeddings_layer_norm", epsilon)
    layers = [
        _layer(variables, f"transformer_layer_{i}", heads, epsilon, dtype)
        for i in range(backbone.num_layers)
    ]

    def hidden_states(token_ids: tf.Tensor, padding_mask: tf.Tensor) -> list[tf.Tensor]:
        length = tf.shape(token_ids)[1]
        kept = tf.cast(padding_mask, tf.float32)
        bias = tf.cast((1.0 - kept) * -1e9, dtype)[:, tf.newaxis, tf.newaxis, :]
        x = tf.gather(table, token_ids) + positions[:length]
        x = tf.cast(normalise_embeddings(tf.reshape(x, [-1, width])), dtype)
        states = []
        for layer in layers:
            x = layer(x, bias, length)
            states.append(tf.reshape(x, [-1, length, width]))
        return states

    return hidden_states


def sentence_vectors(
    tokens: tf.Tensor, kept: tf.Tensor, pooling: str, head: Head = ()
) -> tf.Tensor:
    """Returns a unit vector a sentence, float32 (B, dim).

    Args:
        tokens: As those of `pool`.
        kept: The same.
        pooling: The same.
        head: Layers between pooling and normalisation, from float32 (B, width) each.
    """
    pooled = pool(tokens, kept, pooling)
    if head and pooling == "mean":
        pooled /= tf.reduce_sum(kept, axis=1, keepdims=True)
    for layer in head:
        pooled = layer(pooled)
    return tf.math.l2_normalize(pooled, axis=-1)


def pool(tokens: tf.Tensor, kept: tf.Tensor, pooling: str) -> tf.Tensor:
    """Returns one vector a sentence, float32 (B, width), of any length.

    Args:
        tokens: float32 (B, L, width).
        kept: float32 (B, L), 1 on tokens and 0 on padding.
        pooling: "mean", "cls" (the first token), "last" or "max".
    """
    if pooling == "cls":
        return tokens[:, 0]
    if pooling == "last":
        positions = tf.cast(tf.range(tf.shape(kept)[1]), tf.float32)
        last = tf.cast(tf.argmax(kept * positions, axis=1), tf.int32)
        return tf.gather(tokens, last, axis=1, batch_dims=1)
    if pooling == "max":
        return tf.reduce_max(tokens - (1.0 - kept[..., tf.newaxis]) * 1e9, axis=1)
    # The sum points the same way as the mean.
    return tf.einsum("bld,bl->bd", tokens, kept)


def _layer(
    variables: dict[str, keras.Variable],
    name: str,
    heads: int,
    epsilon: float,
    dtype: tf.DType,
) -> Callable[[tf.Tensor, tf.Tensor, tf.Tensor], tf.Tensor]:
    """Returns one Transformer layer over rows (B·L, width), weights copied."""
    attention = f"{name}/self_attention_layer"

    def flat(path: str, rows: int) -> np.ndarray:
        value = variables[path].numpy()
        return value.reshape(rows, -1) if path.endswith("kernel") else value.reshape(-1)

    def constant(value: np.ndarray) -> tf.Tensor:
        return tf.cast(tf.constant(value), dtype)

    width = int(variables[f"{attention}/query/kernel"].shape[0])
    head_width = width // heads
    # Queries are scaled in their weights, not at every call.
    scales = {"query": head_width**-0.5, "key": 1.0, "value": 1.0}
    kernel, bias = (
        constant(
            np.concatenate(
                [flat(f"{attention}/{n}/{kind}", width) * s for n, s in scales.items()],
                axis=-1,
            )
        )
        for kind in ("kernel", "bias")
    )
    out = _dense(variables, f"{attention}/attention_output", width, dtype)
    inner = f"{name}/feedforward_intermediate_dense"
    widen = _dense(variables, inner, width, dtype)
    narrow = _dense(
        variables,
        f"{name}/feedforward_output_dense",
        int(variables[f"{inner}/bias"].shape[0]),
        dtype,
    )
    normalise = _normalisation(variables, f"{name}/self_attention_layer_norm", epsilon)
    normalise_out = _normalisation(variables, f"{name}/feedforward_layer_norm", epsilon)

    def call(x: tf.Tensor, mask: tf.Tensor, length: tf.Tensor) -> tf.Tensor:
        fused = tf.nn.bias_add(tf.matmul(x, kernel), bias)
        fused = tf.reshape(fused, [-1, length, 3, heads, head_width])
        query, key, value = tf.unstack(tf.transpose(fused, [2, 0, 3, 1, 4]))
        weights = tf.nn.softmax(tf.matmul(query, key, transpose_b=True) + mask)
        mixed = tf.transpose(tf.matmul(weights, value), [0, 2, 1, 3])
        x = tf.cast(normalise(x + out(tf.reshape(mixed, [-1, width]))), dtype)
        inner = tf.nn.gelu(widen(x), approximate=False)
        return tf.cast(normalise_out(x + narrow(inner)), dtype)

    return call


def _dense(
    variables: dict[str, keras.Variable], name: str, inputs: int, dtype: tf.DType
) -> Callable[[tf.Tensor], tf.Tensor]:
    kernel = variables[f"{name}/kernel"].numpy().reshape(inputs, -1)
    kernel = tf.cast(tf.constant(kernel), dtype)
    bias = tf.cast(tf.constant(variables[f"{name}/bias"].numpy()), dtype)
    return lambda x: tf.nn.bias_add(tf.matmul(x, kernel), bias)


def _normalisation(
    variables: dict[str, keras.Variable], name: str, epsilon: float
) -> Callable[[tf.Tensor], tf.Tensor]:
    """Returns layer normalisation of rows, in float32."""
    gamma = tf.constant(variables[f"{name}/gamma"].numpy())
    beta = tf.constant(variables[f"{name}/beta"].numpy())

    def call(x: tf.Tensor) -> tf.Tensor:
        x = tf.cast(x, tf.float32)
        centred = x - tf.reduce_mean(x, axis=-1, keepdims=True)
        variance = tf.reduce_mean(tf.square(centred), axis=-1, keepdims=True)
        return centred * tf.math.rsqrt(variance + epsilon) * gamma + beta

    return call
