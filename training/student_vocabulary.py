"""The student's tokenizer, made from the run's text; token ids, and what it covers."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property

import keras
import numpy as np

from babelet.core.atomic import atomic_path
from babelet.core.errors import BabeletError
from babelet.core.run_files import write_json
from babelet.data import trained_vocabulary, vocabulary
from babelet.data.tokenizer import Tokenizer
from babelet.data.tokens import TokenStore
from babelet.export.predict import keras_predict
from babelet.model.initialisation import initialise_from_teacher
from babelet.model.precision import preferred_precision
from babelet.model.student import build_encoder
from babelet.training.encoder_teacher import EncoderTeacher
from babelet.training.steps import Step
from babelet.training.workdir import Workdir

TOKENIZER, TEACHER_IDS, TOKENS = "tokenizer.model", "teacher_ids.npy", "tokens"
COVERAGE = "vocabulary_report.json"
Predict = Callable[[Sequence[str]], np.ndarray]


class StudentVocabulary:
    """Trims the vocabulary of a teacher, or makes one from the text alone."""

    def __init__(
        self,
        workdir: Workdir,
        training_sentences: Callable[[], Iterator[tuple[str, str]]],
        all_sentences: Callable[[], Sequence[str]],
        encoder: EncoderTeacher | None = None,
    ) -> None:
        """Takes the run's folder and its text.

        Args:
            workdir: The run's.
            training_sentences: To language and text of each sentence to train on.
            all_sentences: To the text of the whole corpus.
            encoder: Whose vocabulary may be trimmed; None: a translator's digits are
                tokens each.
        """
        self._path, self._config = workdir.path, workdir.config
        self._training_sentences = training_sentences
        self._all_sentences = all_sentences
        self._encoder = encoder
        self._trims = encoder is not None and workdir.config.vocabulary.method == "trim"

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """The student's."""
        return Tokenizer(self._path / TOKENIZER, self._config.student.max_length)

    @cached_property
    def tokens(self) -> TokenStore:
        """Token ids of every sentence of the corpus."""
        return TokenStore(self._path / TOKENS)

    def teacher_ids(self) -> np.ndarray | None:
        """Returns the origin's id of each student token, int32 (vocabulary,).

        None if the vocabulary was not trimmed from the origin's.
        """
        return np.load(self._path / TEACHER_IDS) if self._trims else None

    def steps(self) -> list[Step]:
        """Returns the steps "vocabulary" and "tokens"."""
        reads = ["corpus", "settings.vocabulary.size"]
        if self._encoder:
            reads.append("settings.vocabulary.method")
        encoder = self._encoder if self._trims else None
        return [
            Step(
                "vocabulary",
                (lambda _: self._trim(encoder)) if encoder else self._train,
                reads=reads,
                beside=encoder.fingerprints if encoder else dict,
                leaves=(TOKENIZER, TEACHER_IDS) if encoder else (TOKENIZER,),
            ),
            Step(
                "tokens",
                self._tokenize,
                reads=("corpus", "vocabulary", "settings.student.max_length"),
                leaves=(TOKENS,),
            ),
        ]

    def _trim(self, encoder: EncoderTeacher) -> dict:
        if encoder.origin.tokenizer_model is None:
            raise BabeletError(
                "This teacher has no vocabulary to trim",
                expected="a teacher with a SentencePiece tokenizer",
                received=self._config.student.init_from or self._config.teacher.kind,
                remedy="set vocabulary.method=train, or student.init_from to another "
                "teacher, such as packaged_e5",
            )
        trimmed = vocabulary.trim(
            encoder.origin.tokenizer_model,
            self._training_sentences(),
            self._config.vocabulary.size,
        )
        with atomic_path(self._path / TEACHER_IDS) as path, path.open("wb") as file:
            np.save(file, trimmed.teacher_ids)
        with atomic_path(self._path / TOKENIZER) as path:
            path.write_bytes(trimmed.model)
        return {"size": len(trimmed.teacher_ids)}

    def _train(self, _: str) -> dict:
        size, alone = self._config.vocabulary.size, self._encoder is None
        model = trained_vocabulary.train(
            self._training_sentences(), size, split_digits=alone
        )
        with atomic_path(self._path / TOKENIZER) as path:
            path.write_bytes(model)
        return {"size": size}

    def _tokenize(self, identity: str) -> dict:
        sentences = self._all_sentences()
        store = TokenStore.build(
            self.tokenizer,
            (sentences[i] for i in range(len(sentences))),
            self._path / TOKENS,
            identity,
        )
        mean = float(np.mean(store.lengths))
        return {"sentences": len(store), "mean_tokens": round(mean, 2)}


class Coverage:
    """How well the student's vocabulary covers each language, told in a report."""

    def __init__(
        self,
        workdir: Workdir,
        own: StudentVocabulary,
        encoder: EncoderTeacher,
        texts: Callable[[], Mapping[str, Sequence[str]]],
        whole: Callable[[], Predict],
    ) -> None:
        """Takes the vocabulary and what it is compared with.

        Args:
            workdir: The run's.
            own: The student's vocabulary.
            encoder: Whose vocabulary it may be trimmed from.
            texts: To the validation texts of each language.
            whole: Opens the origin on its own vocabulary.
        """
        self._path, self._config = workdir.path, workdir.config
        self._own, self._encoder = own, encoder
        self._texts, self._whole = texts, whole

    def step(self) -> Step:
        """Returns the step "coverage"."""
        return Step(
            "coverage",
            self._cover,
            reads=(
                "corpus",
                "vocabulary",
                "settings.vocabulary.report_sentences",
                "settings.training.validation_pairs",
            ),
            beside=self._encoder.fingerprints,
            leaves=(COVERAGE,),
            after=lambda: vocabulary.warnings(self.rows(), self._config.vocabulary),
        )

    def rows(self) -> list[dict]:
        """Returns the rows of the report."""
        return json.loads((self._path / COVERAGE).read_text("utf-8"))

    def _cover(self, _: str) -> dict:
        limit = self._config.vocabulary.report_sentences
        texts = {name: rows[:limit] for name, rows in self._texts().items()}
        full, proto = None, self._encoder.origin.tokenizer_model
        if proto is not None:
            full = Tokenizer(proto, self._config.teacher.max_length)
        rows = vocabulary.coverage(full, self._own.tokenizer, texts)
        facts = self._measure_agreement(rows, texts)
        write_json(self._path / COVERAGE, rows)
        _print_coverage(rows)
        return facts

    def _measure_agreement(
        self, rows: list[dict], texts: Mapping[str, Sequence[str]]
    ) -> dict:
        """Adds "agreement" to each row, if the vocabulary was trimmed.

        It is the mean cosine of the origin on the student's vocabulary with itself.
        """
        ids, backbone = self._own.teacher_ids(), self._encoder.origin.backbone
        if ids is None or backbone is None:
            return {}
        whole, predict = self._whole(), self._trimmed_origin(backbone, ids)
        for row in rows:
            own = texts[row["language"]]
            row["agreement"] = float(np.sum(whole(own) * predict(own), axis=1).mean())
        return {"mean_agreement": float(np.mean([row["agreement"] for row in rows]))}

    def _trimmed_origin(self, backbone: keras.Model, ids: np.ndarray) -> Predict:
        """Returns `predict` of the whole origin on the student's vocabulary."""
        prefix, length = self._encoder.origin.prefix, self._config.teacher.max_length
        model = build_encoder(
            vocabulary_size=len(ids),
            num_layers=backbone.num_layers,
            hidden_dim=backbone.hidden_dim,
            num_heads=backbone.num_heads,
            intermediate_dim=backbone.intermediate_dim,
            max_length=length,
            pooling="mean",
            output_dim=backbone.hidden_dim,
            dropout=0.0,
            dtype=preferred_precision(),
        )
        layers = range(backbone.num_layers)
        initialise_from_teacher(model, backbone, layers=layers, teacher_ids=ids)
        predict = keras_predict(
            model, Tokenizer(self._own.tokenizer.model_bytes, length)
        )
        return lambda texts: predict([prefix + text for text in texts])


def _print_coverage(rows: list[dict]) -> None:
    columns = {
        "tokens_per_word_before": ("tokens/word before", "{:.2f}"),
        "tokens_per_word_after": ("tokens/word", "{:.2f}"),
        "unknown_rate_before": ("unknown before", "{:.2%}"),
        "unknown_rate_after": ("unknown", "{:.2%}"),
        "agreement": ("agreement", "{:.3f}"),
    }
    columns = {key: value for key, value in columns.items() if key in rows[0]}
    print("  ".join(["language", *(title for title, _ in columns.values())]))
    for row in rows:
        cells = (
            style.format(row[key]).rjust(len(title))
            for key, (title, style) in columns.items()
        )
        print("  ".join([f"{row['language']:8}", *cells]))
