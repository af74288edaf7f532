"""A run of classification, from labelled text to a student and its files."""

import json
from functools import cached_property
from pathlib import Path

import keras
import numpy as np

from babelet.core.atomic import atomic_path
from babelet.data.class_names import LABELS
from babelet.data.label_visibility import visibility_warnings
from babelet.data.labelled_batches import LabelledBatches
from babelet.data.labelled_corpus import class_warnings
from babelet.data.splits import TEST
from babelet.evaluation.calibration import (
    fitted_temperature,
    refusal_threshold,
    scores_of,
    to_scores,
)
from babelet.evaluation.classification import classification
from babelet.evaluation.finished_run import METRICS, write_samples
from babelet.evaluation.samples import answers
from babelet.export.parity import sentences_a_language
from babelet.export.rebuild import built_student, rebuild_student
from babelet.export.run import export_run
from babelet.model.precision import resolved_precision
from babelet.tasks.base import TrainingData, configured_objective
from babelet.tasks.classification import (
    ClassificationTask,
    configured_classifier,
    readable_rows,
)
from babelet.tasks.embedding import student_predict
from babelet.tasks.students import CALIBRATION, read_calibration
from babelet.training.labelled_preparation import LabelledPreparation
from babelet.training.pipelines.base import Pipeline
from babelet.training.student_start import start_from_teacher


class ClassificationPipeline(Pipeline):
    """Distils a classifier; its test is the accuracy by language."""

    companions = ("tokenizer.model", LABELS, CALIBRATION)
    hparams = ("labels.setting", "tuning.scope")

    @cached_property
    def _preparation(self) -> LabelledPreparation:
        return LabelledPreparation(self.workdir)

    def prepare(self, other: str) -> None:
        """Builds corpus, vocabulary, token ids and a tuned teacher's logits."""
        if other:
            self._preparation.adopt(Path(other))
        self._preparation.run()

    def training_inputs(self) -> dict:
        """Returns all that the trained weights depend on."""
        steps = self.workdir.manifest["steps"]
        names = ("seed", "task", "student", "objective", "training", "labels")
        found = {name: self.workdir.section(name) for name in names}
        # Without a teacher, what it knows changes nothing.
        alone = self.workdir.config.objective.alpha == 1
        step = "tokens" if alone else self._preparation.teacher_step
        return {step: steps[step]["inputs"]} | found

    def train(self) -> dict:
        """Trains the student and writes it in float32, with its calibration."""
        config, preparation = self.workdir.config, self._preparation
        precision = resolved_precision(config.training.precision)
        # Steps that are done draw no random numbers; what follows must not depend on
        # it.
        keras.utils.set_random_seed(config.seed)
        student = configured_classifier(
            config.student,
            preparation.tokenizer.vocabulary_size,
            len(preparation.corpus.classes),
            precision,
        )
        start_from_teacher(student, config.student, preparation)
        task = ClassificationTask(configured_objective(config.objective))
        facts = self._distil(student, task, self._data(), config.training, precision)
        return facts | self._calibrate(built_student(self.workdir.path).student)

    def evaluate(self) -> dict:
        """Scores teacher and student on the test split."""
        preparation, config = self._preparation, self.workdir.config
        classes = preparation.corpus.classes
        sets = preparation.held_out(TEST, config.evaluation.pairs_per_language)
        rebuilt = rebuild_student(self.workdir.path)
        calibration = read_calibration(self.workdir.path)
        encode = student_predict(rebuilt.student, rebuilt.tokenizer)
        teacher = scores_of(preparation.logits.encode, preparation.temperature)
        student = scores_of(encode, calibration["temperature"])
        metrics = {
            "teacher": classification(teacher, sets, classes),
            "student": classification(student, sets, classes, calibration["threshold"]),
        }
        with atomic_path(self.workdir.path / METRICS) as file:
            file.write_text(json.dumps(metrics, indent=1) + "\n", "utf-8")
        models = {"teacher": teacher, "student": student}
        corpus = preparation.corpus
        warnings = class_warnings(corpus.report)
        warnings += visibility_warnings(corpus, preparation.visible)
        examples = answers(models, sets, classes)
        write_samples(self.workdir.path, examples=examples, warnings=warnings)
        scores = {name: row["mean"]["accuracy"] for name, row in metrics.items()}
        return scores | {"teacher_parameters": preparation.teacher.parameters}

    def export(self) -> dict:
        """Exports the student, proven on test sentences of every language."""
        limit = sentences_a_language(len(self._preparation.corpus.languages))
        texts = {
            group.language: [(text, text) for text in group.texts]
            for group in self._preparation.held_out(TEST, limit)
        }
        return export_run(self.workdir.path, texts)

    def headline(self, scores: dict) -> str:
        """Returns teacher and student in one sentence."""
        return (
            f"Test accuracy, mean over languages: teacher {scores['teacher']:.1%}, "
            f"student {scores['student']:.1%}"
        )

    def _data(self) -> TrainingData:
        preparation = self._preparation
        classes, sets = preparation.corpus.classes, preparation.validation()

        def validate(model: keras.Model) -> dict[str, float]:
            predict = scores_of(student_predict(model, preparation.tokenizer))
            found = classification(predict, sets, classes)
            languages = found["languages"].items()
            each = {f"accuracy/{name}": row["accuracy"] for name, row in languages}
            return dict(found["mean"]) | each

        batches = self._batches()
        rows = readable_rows(batches, preparation.corpus.sentences.__getitem__)
        return TrainingData(batches, rows, validate)

    def _batches(self) -> LabelledBatches:
        config, preparation = self.workdir.config, self._preparation
        corpus = preparation.corpus
        rows = preparation.training_rows(config.objective)
        logits = None
        if config.objective.alpha < 1:
            logits = np.zeros((len(corpus.labels), len(corpus.classes)), np.float32)
            found = preparation.logits.encode(corpus.sentences.texts(rows))
            logits[rows] = found / preparation.temperature
        return LabelledBatches(
            preparation.tokens,
            rows,
            corpus.labels,
            preparation.weights,
            logits,
            batch_size=config.training.batch_size,
            seed=config.seed,
        )

    def _calibrate(self, student: keras.Model) -> dict:
        """Fits temperature and threshold on visible validation, and writes them."""
        sets = self._preparation.validation()
        labels = np.concatenate([group.labels for group in sets])
        texts = [text for group in sets for text in group.texts]
        logits = student_predict(student, self._preparation.tokenizer)(texts)
        temperature = fitted_temperature(logits, labels)
        share = self.workdir.config.labels.rejected_share
        threshold = refusal_threshold(to_scores(logits, temperature), share)
        found = {"temperature": temperature, "threshold": threshold}
        with atomic_path(self.workdir.path / CALIBRATION) as file:
            file.write_text(json.dumps(found) + "\n", "utf-8")
        return found
