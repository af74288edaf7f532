"""Any text encoder that KerasHub loads: a preset, or a folder; see presets.py."""

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import keras
import keras_hub
import numpy as np
import tensorflow as tf

from babelet.configs.schema import TeacherConfig
from babelet.core.by_length import by_length
from babelet.core.errors import BabeletError
from babelet.model.precision import preferred_precision
from babelet.model.teachers.base import Teacher, digest, refuse_unused, require_at_most
from babelet.model.teachers.bert import Head, sentence_encoder, sentence_vectors
from babelet.model.teachers.presets import EPSILON, open_preset
from babelet.model.teachers.sentence_modules import Modules, require_widths


def load(config: TeacherConfig, path: Path, precision: str | None = None) -> Teacher:
    """Returns the teacher; see `presets.open_preset` for what is loaded and raised.

    Args:
        config: All but `num_layers` and `normalization` are used.
        path: The folder; where there is none, `config.path` names a preset.
        precision: "float32" or "mixed_bfloat16" for BERT; None takes what this CPU
            is fast in. Other architectures compute in float32.
    """
    refuse_unused(config, "num_layers", "normalization")
    preset = str(path) if path.is_dir() else config.path
    return KerasHubTeacher(preset, config, precision or preferred_precision())


class KerasHubTeacher(Teacher):
    """A KerasHub `TextEmbedder`, or a backbone and the pooling of its tokens."""

    def __init__(self, preset: str, config: TeacherConfig, precision: str) -> None:
        model, self._preprocessor, modules, epsilon = open_preset(preset)
        backbone = getattr(model, "backbone", model)
        limit = getattr(backbone, "max_sequence_length", config.max_length)
        require_at_most(config, "max_length", limit)
        self._preprocessor.sequence_length = config.max_length
        self._tokens_per_batch = config.tokens_per_batch
        self.prefix = modules.prefix if config.prefix == "auto" else config.prefix
        _require_whole_prefix(preset, self.prefix, modules)
        require_widths(preset, backbone.hidden_dim, modules.head)
        pooling = config.pooling
        if isinstance(backbone, keras_hub.models.BertBackbone):
            if pooling == "auto":
                pooling = modules.pooling or getattr(model, "pooling_mode", "mean")
            self.backbone = backbone
            encoder = sentence_encoder(
                backbone, epsilon, precision, pooling, modules.head
            )
            self._forward = _bert_forward(encoder)
        else:
            if pooling == "auto" and (model is backbone or modules.head):
                pooling = modules.pooling or getattr(model, "pooling_mode", "mean")
            precision = "float32"
            self._forward = _forward(model, pooling, modules.head)
        self.parameters = backbone.count_params()
        self.dim = self._encode(["a"]).shape[1]
        self.fingerprint = digest(
            *contents(model, self._preprocessor),
            self.prefix,
            pooling,
            precision,
            *_further(modules, epsilon),
        )

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Returns the vectors of `texts`, float32 (N, dim), rows of unit length."""
        if not len(texts):
            return np.empty((0, self.dim), np.float32)
        return self._encode([self.prefix + text for text in texts])

    def _encode(self, texts: list[str]) -> np.ndarray:
        return encode_by_length(
            self._preprocessor, self._forward, texts, self._tokens_per_batch
        )


def _require_whole_prefix(preset: str, prefix: str, modules: Modules) -> None:
    if prefix and not modules.includes_prefix:
        raise BabeletError(
            f"{preset} leaves the prefix out of its pooling",
            expected="teacher.prefix empty",
            received=repr(prefix),
            remedy="set teacher.prefix=, or encode the texts with "
            "sentence-transformers: teacher.kind=vectors",
        )


def _further(modules: Modules, epsilon: float) -> Iterator[bytes | str]:
    """Yields what only some models have, so that the others' fingerprints stay."""
    if epsilon != EPSILON:
        yield str(epsilon)
    for layer in modules.head:
        yield from (layer.kernel.tobytes(), layer.bias.tobytes(), layer.activation)


def encode_by_length(
    preprocessor: keras_hub.models.Preprocessor,
    forward: Callable[[dict[str, np.ndarray]], np.ndarray],
    texts: list[str],
    tokens_per_batch: int,
) -> np.ndarray:
    """Returns what `forward` gives for `texts`, (N, dim), in batches of alike lengths.

    Args:
        preprocessor: Texts to inputs (N, L), `padding_mask` among them.
        forward: Inputs (B, L) to rows (B, dim), for any L.
        texts: One or more.
        tokens_per_batch: See `by_length`.
    """
    packed = preprocessor(tf.constant(texts))
    inputs = {name: np.asarray(value) for name, value in packed.items()}
    mask = inputs["padding_mask"].astype(bool)
    rows, parts = [], []
    for batch in by_length(mask.sum(axis=1), tokens=tokens_per_batch):
        used = mask[batch].any(axis=0)
        rows.append(batch)
        parts.append(forward({k: v[batch][:, used] for k, v in inputs.items()}))
    vectors = np.concatenate(parts)
    vectors[np.concatenate(rows)] = vectors.copy()
    return vectors


def contents(
    model: keras.Model, preprocessor: keras_hub.models.Preprocessor
) -> Iterator[bytes | str]:
    """Yields all that the outputs depend on, for `base.digest`."""
    # Not `variables`: dropout's random state is among them.
    yield from (weight.numpy().tobytes() for weight in model.weights)
    yield type(model).__name__
    yield from preprocessor.tokenizer.get_vocabulary()
    config = _nameless(preprocessor.get_config())
    yield json.dumps(config, sort_keys=True, default=str)


def _nameless(config: object) -> object:
    """Returns a layer's config without names, which count the layers made before."""
    if not isinstance(config, dict):
        return config
    return {key: _nameless(value) for key, value in config.items() if key != "name"}


def _bert_forward(
    encode: Callable[[tf.Tensor, tf.Tensor], tf.Tensor],
) -> Callable[[dict[str, np.ndarray]], np.ndarray]:
    """Returns the fast forward, with the exact GELU that such models trained with.

    KerasHub's own approximates it.

    Args:
        encode: Of `bert.sentence_encoder`.
    """

    def forward(batch: dict[str, np.ndarray]) -> np.ndarray:
        token_ids = batch["token_ids"].astype(np.int32)
        return encode(token_ids, batch["padding_mask"].astype(bool)).numpy()

    return forward


def _forward(
    model: keras.Model, pooling: str, head: Head
) -> Callable[[dict[str, np.ndarray]], np.ndarray]:
    """Returns a function from inputs (B, L) to unit vectors, float32 (B, dim).

    Args:
        model: A `TextEmbedder` or a backbone.
        pooling: "auto" leaves it to the embedder.
        head: See `bert.sentence_vectors`.
    """
    whole = model if pooling == "auto" else getattr(model, "backbone", model)
    compiled = tf.function(
        lambda inputs: whole(inputs, training=False), reduce_retracing=True
    )

    def forward(batch: dict[str, np.ndarray]) -> np.ndarray:
        output = compiled({name: tf.constant(batch[name]) for name in whole.input})
        if pooling != "auto":
            tokens = output["sequence_output"] if isinstance(output, dict) else output
            kept = tf.cast(batch["padding_mask"], tf.float32)
            return sentence_vectors(tokens, kept, pooling, head).numpy()
        return tf.math.l2_normalize(output, axis=-1).numpy()

    return forward
