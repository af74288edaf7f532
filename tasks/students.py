"""The student, and a translator's teacher, that a run's settings describe."""

import keras

from babelet.configs.embedding import StudentConfig as EmbeddingStudentConfig
from babelet.configs.schema import EncoderStudentConfig
from babelet.configs.translation import TranslationConfig
from babelet.model.encoder_decoder import EncoderDecoder
from babelet.model.student import build_classifier, build_encoder, build_translator


def configured_encoder(
    settings: EmbeddingStudentConfig, vocabulary_size: int, precision: str = "float32"
) -> keras.Model:
    """Returns `build_encoder` for the settings, under a Keras precision policy."""
    return build_encoder(
        vocabulary_size=vocabulary_size,
        num_layers=settings.num_layers,
        hidden_dim=settings.hidden_dim,
        num_heads=settings.num_heads,
        intermediate_dim=settings.intermediate_dim,
        max_length=settings.max_length,
        pooling=settings.pooling,
        output_dim=settings.output_dim,
        dropout=settings.dropout,
        dtype=precision,
    )


def configured_classifier(
    settings: EncoderStudentConfig,
    vocabulary_size: int,
    classes: int,
    precision: str = "float32",
) -> keras.Model:
    """Returns `build_classifier` for the settings, under a Keras precision policy."""
    return build_classifier(
        classes=classes,
        vocabulary_size=vocabulary_size,
        num_layers=settings.num_layers,
        hidden_dim=settings.hidden_dim,
        num_heads=settings.num_heads,
        intermediate_dim=settings.intermediate_dim,
        max_length=settings.max_length,
        pooling=settings.pooling,
        dropout=settings.dropout,
        dtype=precision,
    )


def configured_translator(
    config: TranslationConfig, vocabulary_size: int, precision: str = "float32"
) -> EncoderDecoder:
    """Returns the student of the settings, under a Keras precision policy."""
    shape = config.student
    return build_translator(
        vocabulary_size=vocabulary_size,
        encoder_layers=shape.num_layers,
        decoder_layers=shape.decoder_layers,
        hidden_dim=shape.hidden_dim,
        num_heads=shape.num_heads,
        intermediate_dim=shape.intermediate_dim,
        max_length=shape.max_length,
        dropout=shape.dropout,
        dtype=precision,
    )


def configured_teacher(
    config: TranslationConfig,
    vocabulary_size: int,
    precision: str = "float32",
    context_dim: int = 0,
) -> EncoderDecoder:
    """Returns the teacher of the settings, under a Keras precision policy."""
    shape = config.translation.teacher
    return EncoderDecoder(
        vocabulary_size=vocabulary_size,
        encoder_layers=shape.encoder_layers,
        decoder_layers=shape.decoder_layers,
        hidden_dim=shape.hidden_dim,
        num_heads=shape.num_heads,
        intermediate_dim=shape.intermediate_dim,
        max_length=config.student.max_length,
        dropout=shape.dropout,
        context_dim=context_dim,
        dtype=keras.dtype_policies.get(precision),
        name="teacher",
    )
