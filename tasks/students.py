"""The student that a run's settings describe, and what is shipped of it, by task."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras

from babelet.configs.classification import ClassificationConfig
from babelet.configs.embedding import EmbeddingConfig
from babelet.configs.schema import Config
from babelet.configs.translation import TranslationConfig
from babelet.core.boundary import run_folder
from babelet.core.run_files import read_json
from babelet.data.class_names import LABELS, read_labels
from babelet.model.heads import Scores
from babelet.tasks.classification import configured_classifier
from babelet.tasks.embedding import configured_student
from babelet.tasks.translation import configured_student as configured_translator

CALIBRATION = "calibration.json"


def _encoder(
    config: EmbeddingConfig, vocabulary_size: int, workdir: Path
) -> keras.Model:
    del workdir
    return configured_student(config.student, vocabulary_size)


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
