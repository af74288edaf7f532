"""A translator's teacher: trained on the run's own text, or known by its answers."""

import dataclasses
import json
from functools import cached_property
from pathlib import Path
from typing import Any

import keras
import numpy as np

from babelet.configs.translation import TrainingConfig, TranslationConfig
from babelet.core.errors import BabeletError
from babelet.data.context_store import ContextStore, EncodeTokens
from babelet.data.download import cache_folder
from babelet.data.translation_batches import TranslationBatches
from babelet.evaluation.translation import Translate
from babelet.model.encoder_decoder import EncoderDecoder
from babelet.model.objective import Objective
from babelet.model.precision import resolved_precision
from babelet.model.teachers.base import Teacher
from babelet.model.translator_initialisation import token_table
from babelet.tasks.base import TrainingData
from babelet.tasks.translation import (
    TranslationTask,
    configured_teacher,
    keras_translate,
    readable_rows,
)
from babelet.training import translation_targets
from babelet.training.foreign_teacher import fingerprint, foreign_translate
from babelet.training.loop import train
from babelet.training.prepared_pairs import PreparedPairs
from babelet.training.saving import save_weights
from babelet.training.teachers import open_teacher
from babelet.training.workdir import Workdir, digest

# Within the run's folder.
WEIGHTS = "teacher/teacher.weights.h5"
# Validation BLEU below which translations say little of their sources.
_POOR = 10.0


class TranslationTeacher:
    """Trains the teacher, and asks it what it has not been asked before."""

    def __init__(self, workdir: Workdir, text: PreparedPairs) -> None:
        """Takes the run's folder and its text; nothing need be there yet."""
        self._workdir = workdir
        self._path = workdir.path
        self._config: TranslationConfig = workdir.config
        self._text = text

    @cached_property
    def model(self) -> EncoderDecoder | None:
        """The trained teacher in float32; None where translation.teacher.path is."""
        if self._config.translation.teacher.path:
            return None
        teacher = self._configured("float32")
        teacher.load_weights(self._path / WEIGHTS)
        return teacher

    @cached_property
    def reader(self) -> Teacher | None:
        """The encoder whose vectors the trained teacher reads; None for none."""
        settings = self._config.translation
        if not settings.teacher.reads_encoder:
            return None
        return open_teacher(settings.encoder.as_teacher(), cache_folder())

    @property
    def _encode_tokens(self) -> EncodeTokens | None:
        return None if self.reader is None else self.reader.encode_tokens

    def inputs(self) -> dict:
        """Returns what it depends on beside the text, as JSON values."""
        settings = self._config.translation.teacher
        if settings.path:
            return {"path": fingerprint(Path(settings.path))}
        named: dict[str, Any] = dataclasses.asdict(settings)
        if self.reader is not None:
            named["reads"] = self.reader.fingerprint
        return named | dataclasses.asdict(self._training())

    def train(self, identity: str, context: ContextStore | None = None) -> dict:
        """Trains the model and writes its weights; goes on where it was killed.

        Args:
            identity: Of all it depends on: checkpoints of another are not used.
            context: What its `reader` makes of the training sources.

        Returns:
            The validation state of `training.loop.train`, and the parameters.
        """
        config, settings, text = self._config, self._training(), self._text
        seed = config.translation.teacher.seed
        keras.utils.set_random_seed(seed)
        precision = settings.precision
        teacher = self._configured(precision)
        if self.reader is not None:
            teacher.embedding.tokens.assign(self._token_table(self.reader))
        batches = TranslationBatches(
            text.sources,
            text.sources,
            text.translated_pairs(),
            batch_size=settings.batch_size,
            seed=seed,
            context=context,
        )
        validate = text.validation(self._encode_tokens)
        rows = readable_rows(batches, text.source_text)
        data = TrainingData(batches, rows, validate)
        task = TranslationTask(Objective(alpha=1.0))
        print(f"teacher: {teacher.count_params():,} parameters, {precision}")
        folder = (self._path / WEIGHTS).parent
        if folder.is_symlink():
            # Another run's, of other settings: it stays as it is.
            folder.unlink()
        state = train(task, data, teacher, settings, precision, folder, identity)
        save_weights(teacher, self._path / WEIGHTS)
        # Those of the encoder that it reads are the teacher's too.
        read = 0 if self.reader is None else self.reader.parameters or 0
        return state | {"parameters": teacher.count_params() + read}

    def warning(self) -> str:
        """Returns what is wrong with the trained teacher, "" if nothing is known."""
        curve = self._workdir.manifest["steps"]["teacher"]["facts"]["curve"]
        best = max(point.get("validation/bleu", 0.0) for point in curve)
        if best >= _POOR:
            return ""
        return (
            f"The teacher has {best:.1f} BLEU on the validation split at its best: "
            "its student would learn nonsense. Remedy: lower "
            "translation.teacher.learning_rate, or raise translation.teacher.steps"
        )

    def translate(
        self, beams: int | None = None, encode_tokens: EncodeTokens | None = None
    ) -> Translate:
        """Returns it as a function of texts.

        Args:
            beams: The config's by default.
            encode_tokens: In the place of its reader.
        """
        settings = self._config.translation
        if settings.teacher.path:
            return foreign_translate(Path(settings.teacher.path))
        return keras_translate(
            self.model,
            self._text.tokenizer,
            settings.beam_size if beams is None else beams,
            settings.length_penalty,
            encode_tokens=encode_tokens or self._encode_tokens,
        )

    def translations(
        self,
        texts: list[str],
        named: dict,
        beams: int | None = None,
        encode_tokens: EncodeTokens | None = None,
    ) -> list[str]:
        """Returns its translations, kept so that it is asked once.

        Args:
            texts: Sources.
            named: All that they and their translations depend on beside the corpus.
            beams: As those of `translate`.
            encode_tokens: The same.
        """
        named = {"sources": self._text.corpus.fingerprint} | named
        name = digest(json.dumps(named, sort_keys=True))[:16]
        folder = self._path / "teacher_translations" / name
        return translation_targets.translate_all(
            self.translate(beams, encode_tokens),
            texts,
            folder,
            "Teacher's translations",
        )

    def tested(self, beams: int, limit: int) -> Translate:
        """Returns it as a function of the test's sources.

        What it said is kept: runs that share a teacher, and a run that was killed
        in its evaluation, ask it once.

        Args:
            beams: 1 is greedy search.
            limit: That of `PreparedPairs.held_out`.
        """
        penalty = self._config.translation.length_penalty
        trained = self._workdir.manifest["steps"]["teacher"]["inputs"]
        named = {"teacher": trained, "beams": [beams, penalty], "test": limit}
        return lambda texts: self.translations(list(texts), named, beams)

    def _configured(self, precision: str) -> EncoderDecoder:
        """Returns the model at its initial weights."""
        size = self._text.tokenizer.vocabulary_size
        dim = 0 if self.reader is None else self.reader.token_dim or 0
        return configured_teacher(self._config, size, precision, dim)

    def _token_table(self, reader: Teacher) -> np.ndarray:
        """Returns the tokens as the reader knows them, float32 (tokens, hidden_dim)."""
        texts = self._text.tokenizer.piece_texts()
        # Without its start and end tokens.
        vectors = [own[1:-1].mean(0, np.float32) for own in reader.encode_tokens(texts)]
        layers = np.split(np.stack(vectors), vectors[0].size // reader.dim, axis=1)
        try:
            return token_table(layers, self._config.translation.teacher.hidden_dim)
        except ValueError as error:
            raise BabeletError(
                f"The teacher's tokens cannot start as its encoder knows them: {error}",
                remedy="lower translation.teacher.hidden_dim",
            ) from error

    def _training(self) -> TrainingConfig:
        training, settings = self._config.training, self._config.translation.teacher
        return dataclasses.replace(
            training,
            steps=settings.steps,
            learning_rate=settings.learning_rate,
            warmup_steps=settings.warmup_steps,
            precision=resolved_precision(training.precision),
        )
