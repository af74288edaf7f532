"""Sentence embeddings, from parallel text to a student and its files."""

import dataclasses
import itertools
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import keras
import numpy as np

from babelet.configs.embedding import TrainingConfig
from babelet.core.errors import BabeletError
from babelet.data.pair_batches import PairBatches
from babelet.data.splits import TEST, TRAIN, VALIDATION
from babelet.evaluation.agreement import agreement_alone
from babelet.evaluation.encoding import Predict
from babelet.evaluation.evaluate import evaluate, headline
from babelet.evaluation.finished_run import write_samples
from babelet.evaluation.retrieval import mean_over_languages, retrieval
from babelet.evaluation.samples import nearest, sentence_map
from babelet.export.predict import keras_predict
from babelet.export.rebuild import shared_student
from babelet.export.run import export_run
from babelet.model.features import FeatureTerm
from babelet.model.objective import Outcome
from babelet.tasks.exported import EmbeddingExport
from babelet.tasks.parallel_text import ParallelText
from babelet.tasks.ranking import Ranking, readable_rows, require_width
from babelet.tasks.students import configured_encoder
from babelet.training import tensorboard
from babelet.training.encoder_teacher import CACHE, EncoderTeacher, lost_from
from babelet.training.loop import TrainingData
from babelet.training.steps import Step
from babelet.training.student_vocabulary import Coverage, StudentVocabulary
from babelet.training.task import Task
from babelet.training.workdir import Workdir

# Test pairs a language on which the parity gate compares the exported files.
PARITY_PAIRS = 40


class EmbeddingTask(Task):
    """Distils a sentence encoder; its test is retrieval of translations."""

    trained_on = (
        "tokens",
        "settings.student",
        "settings.objective",
        "settings.training",
        "settings.data.weights",
    )

    def __init__(self, workdir: Workdir) -> None:
        """Takes the run's folder; no step is done yet."""
        super().__init__(workdir)
        text = self.text = ParallelText(workdir)
        encoder = self.encoder = EncoderTeacher(workdir)
        self.vocabulary = StudentVocabulary(
            workdir, text.training_sentences, lambda: text.corpus.sentences, encoder
        )
        self.coverage = Coverage(
            workdir,
            self.vocabulary,
            encoder,
            text.validation_texts,
            # The teacher's vectors are kept.
            lambda: (
                encoder.origin.encode
                if self.config.student.init_from
                else encoder.cache.encode
            ),
        )

    def preparation(self) -> list[Step]:
        """Returns the steps from raw text to token ids and teacher vectors."""
        vocabulary, tokens = self.vocabulary.steps()
        return [
            self.text.step(),
            # Before the teacher runs, which takes longest.
            vocabulary._replace(beside=lambda: self._checked(vocabulary)),
            tokens,
            Step(
                "teacher",
                self._encode,
                reads=(
                    "corpus",
                    "settings.evaluation.pairs_per_language",
                    "settings.training.validation_pairs",
                ),
                beside=self.encoder.fingerprints,
                shares=(CACHE,),
                lost=lost_from(lambda: self.encoder.cache, "vectors"),
            ),
            self.coverage.step(),
        ]

    def _checked(self, vocabulary: Step) -> dict[str, Any]:
        """Returns what the vocabulary depends on; refuses a student that cannot be."""
        settings, encoder = self.config, self.encoder
        encoder.require_layers()
        width = settings.student.output_dim
        require_width(settings.objective, width, encoder.model.dim)
        return vocabulary.beside()

    def _encode(self, _: str) -> dict:
        """Caches the vectors of all that is trained on, validated on and tested."""
        config, text = self.config, self.text
        sentences, pivots = text.corpus.sentences, text.training_pivots()
        limits = {
            VALIDATION: config.training.validation_pairs,
            TEST: config.evaluation.pairs_per_language,
        }
        held_out = [
            text
            for split, limit in limits.items()
            for group in self.text.held_out(split, limit)
            for side in (group.pivot_texts, group.texts)
            for text in side
        ]
        for split, limit in limits.items():
            held_out += itertools.chain(*text.alone(split, limit).values())
        training = (sentences[int(i)] for i in pivots)
        self.encoder.model.require(itertools.chain(training, held_out))
        training = (sentences[int(i)] for i in pivots)
        cache = self.encoder.cache
        cache.ensure(training, "Teacher, training text", len(pivots))
        cache.ensure(held_out, "Teacher, held-out text")
        return {"vectors": len(cache)}

    def trained_beside(self) -> dict[str, Any]:
        """Returns what names teacher and origin."""
        return self.encoder.fingerprints()

    @property
    def training_settings(self) -> TrainingConfig:
        """Steps and rates; without pairs to validate, agreement is the metric."""
        settings = self.config.training
        if self.text.held_out(VALIDATION, 1):
            return settings
        return dataclasses.replace(settings, metric="agreement")

    def initial_student(self, precision: str) -> keras.Model:
        """Returns the student at random weights, or at layers of its origin."""
        size = self.vocabulary.tokenizer.vocabulary_size
        student = configured_encoder(self.config.student, size, precision)
        self.encoder.start(student, self.vocabulary.teacher_ids)
        return student

    @cached_property
    def _ranking(self) -> Ranking:
        return Ranking(self.config.objective, self.encoder.model.dim)

    def decide(self, student: keras.Model, batch: dict, training: bool) -> Outcome:
        """Returns both directions' decisions, and what the embedding match reads."""
        return self._ranking.decide(student, batch, training)

    def feature_terms(self, student: keras.Model) -> Sequence[FeatureTerm]:
        """Returns the embedding match, where it counts."""
        return self._ranking.feature_terms(student)

    def data(self) -> TrainingData:
        """Returns pairs, and retrieval among held-out ones."""
        limit = self.config.training.validation_pairs
        sets = self.text.held_out(VALIDATION, limit)
        alone = self.text.alone(VALIDATION, limit)
        if not sets and not alone:
            raise BabeletError(
                "No text is left to validate with",
                expected="a pair, or three sentences of one language, held out",
                received=f"{len(self.text.corpus.pairs)} rows in all",
                remedy="give more text, or raise data.validation_fraction",
            )
        encode = self.encoder.cache.encode
        logs, steps = self.path / "logs", self.config.training.steps

        def found(predict: Predict) -> dict[str, float]:
            result = retrieval(predict, sets)
            scores = {f"retrieval/{x}": row["mean"] for x, row in result.items()}
            mean = {"retrieval": mean_over_languages(result)["mean"]} if sets else {}
            return mean | scores

        tensorboard.log_teacher(logs, found(encode), steps)

        def validate(model: keras.Model) -> dict[str, float]:
            predict = keras_predict(model, self.vocabulary.tokenizer)
            scores = found(predict)
            if alone:
                scores["agreement"] = agreement_alone(predict, encode, alone)["mean"]
            return scores

        batches, text_of = self._batches(), self.text.corpus.sentences.__getitem__
        return TrainingData(batches, readable_rows(batches, text_of), validate)

    def _batches(self) -> PairBatches:
        config, corpus, cache = self.config, self.text.corpus, self.encoder.cache
        left_out = [corpus.languages.index(x) for x in config.training.leave_out]
        chosen = (corpus.pair_split == TRAIN) & ~np.isin(corpus.pair_language, left_out)
        # The teacher's vector of each pivot sentence, by sentence id.
        rows = np.full(len(corpus.sentences), -1, np.int64)
        pivots = self.text.training_pivots()
        rows[pivots] = cache.rows(corpus.sentences.texts(pivots))
        return PairBatches(
            self.vocabulary.tokens,
            np.asarray(corpus.pairs[chosen]),
            corpus.sentence_language,
            cache.vectors,
            rows,
            batch_size=config.training.batch_size,
            pivot_share=config.training.pivot_share,
            bank_size=config.objective.bank_size,
            with_pivot_tokens=config.objective.candidates == "student",
            seed=config.seed,
            entries=None if corpus.pair_entry is None else corpus.pair_entry[chosen],
            weights=config.data.weights,
        )

    def finish(self, student: keras.Model) -> dict[str, Any]:
        """Writes the student's vectors for TensorBoard's projector."""
        tensorboard.write_vectors(
            self.path / "logs" / "projector",
            keras_predict(student, self.vocabulary.tokenizer),
            self.text.validation_texts(),
        )
        return {}

    def evaluate(self) -> dict[str, Any]:
        """Scores teacher and student on the test split and the sets given."""
        settings = self.config.evaluation
        limit = settings.pairs_per_language
        sets, alone = self.text.held_out(TEST, limit), self.text.alone(TEST, limit)
        rebuilt = shared_student(self.path)
        encode = self.encoder.cache.encode
        models = {
            "teacher": encode,
            "student": keras_predict(rebuilt.student, rebuilt.tokenizer),
        }
        write_samples(
            self.path,
            examples=nearest(models, sets),
            map=sentence_map(models, sets, self.text.corpus.languages[0]),
        )
        return {
            name: evaluate(
                predict,
                sets,
                tatoeba=settings.tatoeba,
                sts=settings.sts,
                teacher=None if name == "teacher" else encode,
                alone=alone,
                description=f"Evaluating the {name}",
            )
            for name, predict in models.items()
        }

    def headline(self, metrics: dict[str, Any]) -> str:
        """Returns teacher and student in one sentence."""
        teacher, student = (headline(metrics[x]) for x in ("teacher", "student"))
        if teacher is None:
            return f"Test agreement with the teacher: {student:.3f}"
        return (
            f"Test retrieval, mean over languages: teacher {teacher:.1%}, "
            f"student {student:.1%}"
        )

    def export(self) -> dict[str, Any]:
        """Exports the student, proven on test pairs of every language."""
        texts = {
            group.language: list(zip(group.pivot_texts, group.texts, strict=True))
            for group in self.text.held_out(TEST, PARITY_PAIRS)
        }
        for language, alone in self.text.alone(TEST, PARITY_PAIRS).items():
            texts[language] = [("", text) for text in alone]
        return export_run(self.path, texts)

    def teacher_parameters(self) -> int | None:
        """Returns how large the teacher is."""
        return self.encoder.model.parameters


TASK, EXPORT = EmbeddingTask, EmbeddingExport()
