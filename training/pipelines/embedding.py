"""A run of sentence embeddings, from parallel text to a student and its files."""

import dataclasses
import json
from functools import cached_property
from pathlib import Path

import keras
import numpy as np

from babelet.configs.schema import Config
from babelet.core.atomic import atomic_path
from babelet.core.errors import BabeletError
from babelet.data.pipeline import PairBatches
from babelet.data.splits import TEST, TRAIN, VALIDATION
from babelet.evaluation.agreement import agreement_alone
from babelet.evaluation.encoding import Predict
from babelet.evaluation.evaluate import evaluate, headline
from babelet.evaluation.finished_run import METRICS, write_samples
from babelet.evaluation.retrieval import mean_over_languages, retrieval
from babelet.evaluation.samples import nearest, sentence_map
from babelet.export.rebuild import built_student, rebuild_student
from babelet.export.run import export_run
from babelet.model.initialisation import initialise_from_teacher
from babelet.model.precision import resolved_precision
from babelet.tasks.base import TrainingData
from babelet.tasks.embedding import (
    EmbeddingTask,
    configured_student,
    readable_rows,
    student_predict,
)
from babelet.training import tensorboard
from babelet.training.pipelines.base import Pipeline
from babelet.training.preparation import Preparation

# Test pairs a language on which the parity gate compares the exported files.
PARITY_PAIRS = 40


class EmbeddingPipeline(Pipeline):
    """Distils a sentence encoder; its test is retrieval of translations."""

    hparams = ("objective.scale", "objective.embedding_match", "objective.candidates")

    @cached_property
    def _preparation(self) -> Preparation:
        return Preparation(self.workdir)

    def prepare(self, other: str) -> None:
        """Builds corpus, vocabulary, token ids and teacher vectors, or takes them."""
        if other:
            self._preparation.adopt(Path(other))
        self._preparation.run()

    def training_inputs(self) -> dict:
        """Returns all that the trained weights depend on."""
        tokens = self.workdir.manifest["steps"]["tokens"]["inputs"]
        names = ("seed", "task", "student", "objective", "training")
        inputs = {"tokens": tokens} | {n: self.workdir.section(n) for n in names}
        weights = self.workdir.config.data.weights
        return inputs | ({"weights": weights} if weights else {})

    def train(self) -> dict:
        """Trains the student and writes it in float32."""
        config = self.workdir.config
        precision = resolved_precision(config.training.precision)
        student = initial_student(config, self._preparation, precision)
        settings = config.training
        if not self._preparation.held_out(VALIDATION, 1):
            settings = dataclasses.replace(settings, metric="agreement")
        data = self._data()
        task = EmbeddingTask(config.objective, self._preparation.teacher.dim)
        facts = self._distil(student, task, data, settings, precision)
        self._show_vectors()
        return facts

    def evaluate(self) -> dict:
        """Scores teacher and student on the test split and the sets given."""
        settings = self.workdir.config.evaluation
        sets = self._preparation.held_out(TEST, settings.pairs_per_language)
        alone = self._preparation.alone(TEST, settings.pairs_per_language)
        rebuilt = rebuild_student(self.workdir.path)
        encode = self._preparation.cache.encode
        models = {
            "teacher": encode,
            "student": student_predict(rebuilt.student, rebuilt.tokenizer),
        }
        metrics = {
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
        with atomic_path(self.workdir.path / METRICS) as file:
            file.write_text(json.dumps(metrics, indent=1) + "\n", "utf-8")
        drawn = sentence_map(models, sets, self._preparation.corpus.languages[0])
        examples = nearest(models, sets)
        write_samples(self.workdir.path, examples=examples, map=drawn)
        scores = {name: headline(values) for name, values in metrics.items()}
        return scores | {"teacher_parameters": self._preparation.teacher.parameters}

    def export(self) -> dict:
        """Exports the student, proven on test pairs of every language."""
        texts = {
            group.language: list(zip(group.pivot_texts, group.texts, strict=True))
            for group in self._preparation.held_out(TEST, PARITY_PAIRS)
        }
        for language, alone in self._preparation.alone(TEST, PARITY_PAIRS).items():
            texts[language] = [("", text) for text in alone]
        return export_run(self.workdir.path, texts)

    def headline(self, scores: dict) -> str:
        """Returns teacher and student in one sentence."""
        if scores["teacher"] is None:
            return f"Test agreement with the teacher: {scores['student']:.3f}"
        return (
            f"Test retrieval, mean over languages: teacher {scores['teacher']:.1%}, "
            f"student {scores['student']:.1%}"
        )

    def _data(self) -> TrainingData:
        config, preparation = self.workdir.config, self._preparation
        limit = config.training.validation_pairs
        sets = preparation.held_out(VALIDATION, limit)
        alone = preparation.alone(VALIDATION, limit)
        if not sets and not alone:
            raise BabeletError(
                "No text is left to validate with",
                expected="a pair, or three sentences of one language, held out",
                received=f"{len(preparation.corpus.pairs)} rows in all",
                remedy="give more text, or raise data.validation_fraction",
            )
        encode = preparation.cache.encode

        def found(predict: Predict) -> dict[str, float]:
            result = retrieval(predict, sets)
            scores = {f"retrieval/{x}": row["mean"] for x, row in result.items()}
            mean = {"retrieval": mean_over_languages(result)["mean"]} if sets else {}
            return mean | scores

        logs = self.workdir.path / "logs"
        tensorboard.log_teacher(logs, found(encode), config.training.steps)

        def validate(model: keras.Model) -> dict[str, float]:
            predict = student_predict(model, preparation.tokenizer)
            scores = found(predict)
            if alone:
                scores["agreement"] = agreement_alone(predict, encode, alone)["mean"]
            return scores

        batches = self._batches()
        rows = readable_rows(batches, preparation.corpus.sentences.__getitem__)
        return TrainingData(batches, rows, validate)

    def _batches(self) -> PairBatches:
        config, preparation = self.workdir.config, self._preparation
        corpus, cache = preparation.corpus, preparation.cache
        left_out = [corpus.languages.index(x) for x in config.training.leave_out]
        chosen = (corpus.pair_split == TRAIN) & ~np.isin(corpus.pair_language, left_out)
        # The teacher's vector of each pivot sentence, by sentence id.
        rows = np.full(len(corpus.sentences), -1, np.int64)
        pivots = preparation.training_pivots()
        rows[pivots] = cache.rows(corpus.sentences.texts(pivots))
        return PairBatches(
            preparation.tokens,
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

    def _show_vectors(self) -> None:
        """Writes the trained student's vectors for TensorBoard's projector."""
        path, preparation = self.workdir.path, self._preparation
        rebuilt = built_student(path).student
        limit = self.workdir.config.training.validation_pairs
        tensorboard.write_vectors(
            path / "logs" / "projector",
            student_predict(rebuilt, preparation.tokenizer),
            preparation.held_out_texts(VALIDATION, limit),
        )


def initial_student(
    config: Config, preparation: Preparation, precision: str
) -> keras.Model:
    """Returns the student before training, from teacher layers where configured."""
    # Steps that are done draw no random numbers; what follows must not depend on it.
    keras.utils.set_random_seed(config.seed)
    shape = config.student
    student = configured_student(
        shape, preparation.tokenizer.vocabulary_size, precision
    )
    if shape.init_layers:
        ids = preparation.teacher_ids()
        try:
            copied = initialise_from_teacher(
                student,
                preparation.origin_backbone(),
                layers=shape.init_layers,
                teacher_ids=ids,
            )
        except ValueError as error:
            raise BabeletError(
                str(error), remedy="change student.init_layers"
            ) from error
        trainable = len(student.trainable_variables)
        print(f"initialised {len(copied)} of {trainable} variables from the teacher")
    return student
