"""The student that a run's settings describe, and what is shipped of it, by task."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras

from babelet.configs.classification import ClassificationConfig
from babelet.configs.embedding import EmbeddingConfig
from babelet.configs.embedding import StudentConfig as EmbeddingStudentConfig
from babelet.configs.schema import Config, EncoderStudentConfig
from babelet.configs.translation import TranslationConfig
from babelet.core.boundary import run_folder
from babelet.core.run_files import read_json
from babelet.data.class_names import LABELS, read_labels
from babelet.model.encoder_decoder import EncoderDecoder
from babelet.model.heads import Scores
from babelet.model.student import build_classifier, build_encoder, build_translator

CALIBRATION = "calibration.json"


def _encoder(
    config: EmbeddingConfig, vocabulary_size: int, workdir: Path
) -> keras.Model:
    del workdir
    return configured_encoder(config.student, vocabulary_size)


def _classifier(
    config: ClassificationConfig, vocabulary_size: int, workdir: Path
) -> keras.Model:
    classes = read_labels(workdir / LABELS)
    return configured_classifier(config.student, vocabulary_size, len(classes))


def _translator(
    config: TranslationConfig, vocabulary_size: int, workdir: Path
) -> keras.Model:
    del workdir
    return configured_translator(config, vocabulary_size)


# (settings, pieces of the tokenizer, the run's folder) -> a student in float32, at
# random weights.
STUDENTS: dict[str, Callable[[Any, int, Path], keras.Model]] = {
    "classification": _classifier,
    "embedding": _encoder,
    "translation": _translator,
}


def served(student: keras.Model, config: Config, workdir: Path) -> keras.Model:
    """Returns what files are exported from: with calibrated scores, of a classifier.

    Args:
        student: With the trained weights.
        config: Of the run.
        workdir: The run's folder.
    """
    if config.task != "classification":
        return student
    temperature = read_calibration(workdir)["temperature"]
    scores = Scores(temperature, dtype="float32", name="scores")(student.output)
    return keras.Model(student.input, scores, name="classifier")


def described(config: Config, workdir: Path) -> dict[str, Any]:
    """Returns what a reader of an exported file must know of its task.

    Of a classifier: `labels` by the scores' order, `threshold` of the highest score
    below which a text is of none of them, and the calibration's `temperature`.
    """
    if config.task != "classification":
        return {}
    return {"labels": read_labels(workdir / LABELS)} | read_calibration(workdir)


def read_calibration(workdir: Path) -> dict[str, float]:
    """Returns `temperature` and `threshold` of a trained classifier.

    Raises:
        BabeletError: The run has none yet, or it is damaged.
    """
    file = workdir / CALIBRATION
    found = read_json(file, ("temperature", "threshold"))
    with run_folder(file):
        return {name: float(value) for name, value in found.items()}


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
