"""The student, and a translator's teacher, that a run's settings describe."""

from collections.abc import Sequence
from typing import Any

import keras

from babelet.configs.embedding import StudentConfig as EmbeddingStudentConfig
from babelet.configs.schema import EncoderStudentConfig
from babelet.configs.translation import TranslationConfig
from babelet.model.encoder_decoder import EncoderDecoder
from babelet.model.student import build_classifier, build_encoder, build_translator

_SHAPE = ("hidden_dim", "num_heads", "intermediate_dim")
_ENCODER = (*_SHAPE, "num_layers", "max_length", "pooling", "dropout")


def configured_encoder(
    settings: EmbeddingStudentConfig, vocabulary_size: int, precision: str = "float32"
) -> keras.Model:
    """Returns `build_encoder` for the settings, under a Keras precision policy."""
    return build_encoder(
        vocabulary_size=vocabulary_size,
        output_dim=settings.output_dim,
        dtype=precision,
        **_chosen(settings, _ENCODER),
    )


def configured_classifier(
    settings: EncoderStudentConfig,
    vocabulary_size: int,
    classes: int,
    precision: str = "float32",
) -> keras.Model:
    """Returns `build_classifier` for the settings, under a Keras precision policy."""
    return build_classifier(
        vocabulary_size=vocabulary_size,
        classes=classes,
        dtype=precision,
        **_chosen(settings, _ENCODER),
    )


def configured_translator(
    config: TranslationConfig, vocabulary_size: int, precision: str = "float32"
) -> EncoderDecoder:
    """Returns the student of the settings, under a Keras precision policy."""
    return build_translator(
        vocabulary_size=vocabulary_size,
        encoder_layers=config.student.num_layers,
        dtype=precision,
        **_chosen(config.student, (*_SHAPE, "decoder_layers", "max_length", "dropout")),
    )


def configured_teacher(
    config: TranslationConfig,
    vocabulary_size: int,
    precision: str = "float32",
    context_dim: int = 0,
) -> EncoderDecoder:
    """Returns the teacher of the settings, under a Keras precision policy."""
    shape = (*_SHAPE, "encoder_layers", "decoder_layers", "dropout")
    return EncoderDecoder(
        vocabulary_size=vocabulary_size,
        max_length=config.student.max_length,
        context_dim=context_dim,
        dtype=keras.dtype_policies.get(precision),
        name="teacher",
        **_chosen(config.translation.teacher, shape),
    )


def _chosen(settings: Any, names: Sequence[str]) -> dict[str, Any]:
    return {name: getattr(settings, name) for name in names}
