"""Any text encoder that KerasHub loads: a preset, or a folder; see presets.py."""

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import keras
import keras_hub
import numpy as np
import tensorflow as tf

from configs.schema import TeacherConfig
from model.precision import preferred_precision
from model.teachers.base import (
    Teacher,
    by_length,
    digest,
    refuse_unused,
    require_at_most,
)
from model.teachers.bert import pool, sentence_encoder
from model.teachers.presets import open_preset

# Of the layer normalisations of KerasHub's BERT.
_EPSILON = 1e-12


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
        model, self._preprocessor = open_preset(preset)
        backbone = getattr(model, "backbone", model)
        limit = getattr(backbone, "max_sequence_length", config.max_length)
        require_at_most("max_length", config.max_length, limit)
        self._preprocessor.sequence_length = config.max_length
        self._tokens_per_batch = config.tokens_per_batch
        self.prefix = "" if config.prefix == "auto" else config.prefix
        pooling = config.pooling
        if isinstance(backbone, keras_hub.models.BertBackbone):
            if pooling == "auto":
                pooling = getattr(model, "pooling_mode", "mean")
            self.backbone = backbone
            self._forward = _bert_forward(backbone, precision, pooling)
        else:
            if pooling == "auto" and model is backbone:
                pooling = "mean"
            precision = "float32"
            self._forward = _forward(model, pooling)
        self.parameters = backbone.count_params()
        self.dim = self._encode(["a"]).shape[1]
        self.fingerprint = digest(
            *contents(model, self._preprocessor), self.prefix, pooling, precision
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
    for batch in by_length(mask.sum(axis=1), tokens_per_batch):
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
    backbone: keras.Model, precision: str, pooling: str
) -> Callable[[dict[str, np.ndarray]], np.ndarray]:
    """Returns the fast forward, with the exact GELU that such models trained with.

    KerasHub's own approximates it.
    """
    encode = sentence_encoder(backbone, _EPSILON, precision, pooling)

    def forward(batch: dict[str, np.ndarray]) -> np.ndarray:
        token_ids = batch["token_ids"].astype(np.int32)
        return encode(token_ids, batch["padding_mask"].astype(bool)).numpy()

    return forward


def _forward(
    model: keras.Model, pooling: str
) -> Callable[[dict[str, np.ndarray]], np.ndarray]:
    """Returns a function from inputs (B, L) to unit vectors, float32 (B, dim).

    Args:
        model: A `TextEmbedder` or a backbone.
        pooling: "auto" leaves it to the embedder.
    """
    whole = model if pooling == "auto" else getattr(model, "backbone", model)
    compiled = tf.function(
        lambda inputs: whole(inputs, training=False), reduce_retracing=True
    )

    def forward(batch: dict[str, np.ndarray]) -> np.ndarray:
        output = compiled({name: tf.constant(batch[name]) for name in whole.input})
        if pooling != "auto":
            tokens = output["sequence_output"] if isinstance(output, dict) else output
            output = pool(tokens, tf.cast(batch["padding_mask"], tf.float32), pooling)
        return tf.math.l2_normalize(output, axis=-1).numpy()

    return forward
