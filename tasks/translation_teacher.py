"""A translator's teacher: trained on the run's own text, or known by its answers."""

import dataclasses
import json
from functools import cached_property
from pathlib import Path
from typing import Any

import keras
import numpy as np

from babelet.configs.record import digest
from babelet.configs.translation import TrainingConfig, TranslationConfig
from babelet.core.checksums import broken_seal
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
from babelet.tasks import translation_targets
from babelet.tasks.given_translations import fingerprint, given_translate
from babelet.tasks.next_token import decide_next_token, keras_translate
from babelet.tasks.students import configured_teacher
from babelet.tasks.translation_text import TranslationText
from babelet.training.loop import StepDistiller, train
from babelet.training.saving import save_weights
from babelet.training.steps import Step
from babelet.training.teachers import open_teacher
from babelet.training.workdir import Workdir, identity_of

# Within the run's folder.
WEIGHTS = "teacher/teacher.weights.h5"
TRANSLATIONS, CONTEXT = "teacher_translations", "context"
# Validation BLEU below which translations say little of their sources.
_POOR = 10.0


class TranslationTeacher:
    """Trains the teacher, and asks it what it has not been asked before."""

    def __init__(self, workdir: Workdir, text: TranslationText) -> None:
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

    @cached_property
    def context(self) -> ContextStore | None:
        """What the teacher's reader makes of all sources; None if it has none."""
        reader, text = self.reader, self._text
        if reader is None:
            return None
        named = [reader.fingerprint, text.corpus.fingerprint, text.additions_named]
        folder = self._path / CONTEXT / digest(json.dumps(named))[:16]
        if folder.is_dir() and not broken_seal(folder):
            return ContextStore(folder)
        rows = text.source_rows()
        texts = [text.source_text(row) for row in rows]
        encode, width = reader.encode_tokens, reader.token_dim or 0
        return ContextStore.build(encode, rows, texts, width, folder)

    def steps(self) -> list[Step]:
        """Returns the step "teacher"; none where it is not trained here."""
        if self._config.translation.teacher.path:
            return []
        return [
            Step(
                "teacher",
                self._train,
                reads=("tokens",),
                beside=self._trained_on,
                leaves=(WEIGHTS,),
                shares=(CONTEXT,),
                after=self.warnings,
            )
        ]

    def named(self) -> dict[str, Any]:
        """Returns what its translations depend on beside sources and beams."""
        path = self._config.translation.teacher.path
        if path:
            return {"path": fingerprint(Path(path))}
        return {"teacher": self._workdir.manifest["steps"]["teacher"]["inputs"]}

    def _trained_on(self) -> dict[str, Any]:
        """Returns what it depends on beside the text, as JSON values."""
        settings = self._config.translation
        named: dict[str, Any] = dataclasses.asdict(settings.teacher)
        if settings.renamed:
            # It reads these, and not the sentences that it translates afterwards.
            named["renamed"] = settings.renamed
        if self.reader is not None:
            named["reads"] = self.reader.fingerprint
        return named | dataclasses.asdict(self._training())

    def _train(self, identity: str) -> dict[str, Any]:
        """Trains the model and writes its weights; goes on where it was killed."""
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
            context=self.context,
        )
        data = text.training_data(batches, self._encode_tokens)
        distiller = StepDistiller(
            teacher, Objective(alpha=1.0), decide=decide_next_token, dtype=precision
        )
        print(f"teacher: {teacher.count_params():,} parameters, {precision}")
        folder = (self._path / WEIGHTS).parent
        state = train(distiller, data, settings, folder, identity)
        save_weights(teacher, self._path / WEIGHTS)
        # Those of the encoder that it reads are the teacher's too.
        read = 0 if self.reader is None else self.reader.parameters or 0
        return state | {"parameters": teacher.count_params() + read}

    def warnings(self) -> list[str]:
        """Returns what is wrong with the trained teacher, nothing if not known."""
        curve = self._workdir.manifest["steps"]["teacher"]["facts"]["curve"]
        best = max(point.get("validation/bleu", 0.0) for point in curve)
        if best >= _POOR:
            return []
        return [
            f"The teacher has {best:.1f} BLEU on the validation split at its best: "
            "its student would learn nonsense. Remedy: lower "
            "translation.teacher.learning_rate, or raise translation.teacher.steps"
        ]

    def translate(
        self, beams: int, encode_tokens: EncodeTokens | None = None
    ) -> Translate:
        """Returns it as a function of texts.

        Args:
            beams: 1 is greedy search.
            encode_tokens: In the place of its reader.
        """
        settings = self._config.translation
        if settings.teacher.path:
            return given_translate(Path(settings.teacher.path))
        return keras_translate(
            self.model,
            self._text.tokenizer,
            beams,
            settings.length_penalty,
            encode_tokens=encode_tokens or self._encode_tokens,
        )

    def translated(self, rows: list[int], named: dict) -> list[tuple[int, str]]:
        """Returns number and translation of sources, by beam search.

        Args:
            rows: Numbers of the sources.
            named: What these sources depend on beside the corpus.
        """
        settings, known = self._config.translation, None
        texts = [self._text.source_text(row) for row in rows]
        if self.context is not None:
            known = self.context.remembered(texts, rows)
        if settings.renamed:
            named = named | {"renamed": settings.renamed}
        found = self._asked(texts, named, settings.beam_size, known)
        return list(zip(rows, found, strict=True))

    def tested(self, beams: int, limit: int) -> Translate:
        """Returns it as a function of the test's sources.

        What it said is kept: runs that share a teacher, and a run that was killed
        in its evaluation, ask it once.

        Args:
            beams: 1 is greedy search.
            limit: That of `TranslationText.held_out`.
        """
        return lambda texts: self._asked(list(texts), {"test": limit}, beams)

    def _asked(
        self,
        texts: list[str],
        named: dict,
        beams: int,
        encode_tokens: EncodeTokens | None = None,
    ) -> list[str]:
        """Returns its translations, kept so that it is asked once.

        Args:
            texts: Sources.
            named: What they depend on beside the corpus.
            beams: As those of `translate`.
            encode_tokens: The same.
        """
        penalty = self._config.translation.length_penalty
        named = named | self.named() | {"beams": [beams, penalty]}
        named["sources"] = self._text.corpus.fingerprint
        return translation_targets.translate_all(
            self.translate(beams, encode_tokens),
            texts,
            self._path / TRANSLATIONS / identity_of(named)[:16],
        )

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
