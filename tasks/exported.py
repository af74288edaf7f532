"""What the export is told of each task: its student, its files and their gate."""

import math
from pathlib import Path
from typing import Any

import keras

from babelet.configs.classification import ClassificationConfig
from babelet.configs.embedding import EmbeddingConfig
from babelet.configs.translation import TranslationConfig
from babelet.core.boundary import run_folder
from babelet.core.run_files import read_json
from babelet.data.class_names import LABELS, read_labels
from babelet.data.tokenizer import Tokenizer
from babelet.export.formats import FORMATS
from babelet.export.litert_translate import LiteRTTranslator
from babelet.export.predict import saved_model_translate
from babelet.export.score_gate import ScoreExport
from babelet.export.task_export import (
    Format,
    Gate,
    Open,
    Rebuilt,
    TaskExport,
    Texts,
    Tier,
)
from babelet.export.translator_signatures import (
    DECODING,
    convert_translator,
    save_translator,
)
from babelet.tasks.embedding_gate import EmbeddingGate
from babelet.tasks.students import (
    configured_classifier,
    configured_encoder,
    configured_translator,
)
from babelet.tasks.translation_gate import TranslationGate

CALIBRATION = "calibration.json"


class EmbeddingExport(TaskExport):
    """Files that give vectors."""

    formats = FORMATS

    def student(
        self, config: EmbeddingConfig, vocabulary_size: int, workdir: Path
    ) -> keras.Model:
        """Returns the encoder of the settings."""
        del workdir
        return configured_encoder(config.student, vocabulary_size)

    def gate(self, built: Rebuilt, workdir: Path, texts: Texts) -> Gate:
        """Returns the gate of vectors and retrieval."""
        return EmbeddingGate(built, workdir, texts)


class ClassificationExport(ScoreExport):
    """Files that give calibrated scores, with the names of the classes inside."""

    companions = (LABELS,)

    def student(
        self, config: ClassificationConfig, vocabulary_size: int, workdir: Path
    ) -> keras.Model:
        """Returns the classifier of the settings, for the classes of the run."""
        classes = read_labels(workdir / LABELS)
        return configured_classifier(config.student, vocabulary_size, len(classes))

    def described(self, config: Any, workdir: Path) -> dict[str, Any]:
        """Returns how scores are read.

        `labels` by their order, `threshold` of the highest score below which a text is
        of none of them, and the calibration's `temperature`.
        """
        del config
        return {"labels": read_labels(workdir / LABELS)} | read_calibration(workdir)


def _litert_translate(path: Path, tokenizer: Tokenizer, _: int, __: int) -> Any:
    # The constants and not what the file says of itself, which is compared with them.
    translator = LiteRTTranslator(path, tokenizer, DECODING)
    return lambda texts: [translator.greedy(row) for row in tokenizer.encode(texts)]


def _translator(tier: Tier) -> Format:
    ways: dict[str, Open] = {"": _litert_translate}
    return Format(
        f"student_{tier}.tflite",
        tier,
        lambda built, path, metadata: convert_translator(
            built.student, built.tokenizer, path, tier, metadata
        ),
        ways,
    )


class TranslationExport(TaskExport):
    """Files that give translations, or the steps of a search."""

    formats = {
        "saved_model": Format(
            "saved_model",
            "fp32",
            lambda built, path, metadata: save_translator(
                built.student, built.tokenizer, path, metadata
            ),
            {"": lambda path, _, batch, __: saved_model_translate(path, batch)},
        ),
        "fp32": _translator("fp32"),
        "int8": _translator("int8"),
    }

    def student(
        self, config: TranslationConfig, vocabulary_size: int, workdir: Path
    ) -> keras.Model:
        """Returns the encoder-decoder of the settings."""
        del workdir
        return configured_translator(config, vocabulary_size)

    def described(self, config: Any, workdir: Path) -> dict[str, Any]:
        """Returns what a search of one's own must know."""
        del config, workdir
        return {"decoding": DECODING}

    def gate(self, built: Rebuilt, workdir: Path, texts: Texts) -> Gate:
        """Returns the gate of translations."""
        del workdir
        return TranslationGate(built, texts)


def read_calibration(workdir: Path) -> dict[str, float]:
    """Returns `temperature` and `threshold` of a trained classifier.

    Raises:
        BabeletError: The run has none yet, or it is damaged.
    """
    file = workdir / CALIBRATION
    found = read_json(file, ("temperature", "threshold"))
    with run_folder(file):
        return {name: float(value) for name, value in found.items()}


def sentences_a_language(languages: int) -> int:
    """Returns how many test sentences a language the gate of a classifier takes.

    A share of 99% is known to within a point from about a thousand texts on.
    """
    return max(20, math.ceil(1000 / max(languages, 1)))
