"""Classification, from labelled text to a student and its files.

Where a label is hidden the teacher's class probabilities teach alone.
"""

from typing import Any

import keras
import numpy as np

from babelet.core.run_files import write_json
from babelet.data.class_names import LABELS
from babelet.data.labelled_batches import LabelledBatches
from babelet.data.splits import TEST
from babelet.evaluation.calibration import (
    fitted_temperature,
    refusal_threshold,
    scores_of,
    to_scores,
)
from babelet.evaluation.classification import classification
from babelet.evaluation.finished_run import write_samples
from babelet.evaluation.samples import answers
from babelet.export.predict import keras_predict
from babelet.export.rebuild import shared_student
from babelet.export.run import export_run
from babelet.model.objective import Outcome
from babelet.tasks.exported import (
    CALIBRATION,
    ClassificationExport,
    read_calibration,
    sentences_a_language,
)
from babelet.tasks.given_classifier import load_class_teacher
from babelet.tasks.labelled_text import LabelledText, decide_labelled, readable_rows
from babelet.tasks.students import configured_classifier
from babelet.tasks.tuned_teacher import TunedTeacher
from babelet.training.encoder_teacher import EncoderTeacher
from babelet.training.loop import TrainingData
from babelet.training.steps import Step
from babelet.training.student_vocabulary import Coverage, StudentVocabulary
from babelet.training.task import Task
from babelet.training.workdir import Workdir

_MODELS = ("teacher", "student")


class ClassificationTask(Task):
    """Distils a classifier; its test is the accuracy by language."""

    companions = ("tokenizer.model", LABELS, CALIBRATION)

    def __init__(self, workdir: Workdir) -> None:
        """Takes the run's folder; no step is done yet."""
        super().__init__(workdir)
        text = self.text = LabelledText(workdir)
        given = workdir.config.tuning.scope == "none"
        encoder = self.encoder = EncoderTeacher(
            workdir, load_class_teacher if given else None
        )
        self.vocabulary = StudentVocabulary(
            workdir, text.training_sentences, lambda: text.corpus.sentences, encoder
        )
        self.teacher = TunedTeacher(workdir, text, encoder, self.vocabulary)
        self.coverage = Coverage(
            workdir,
            self.vocabulary,
            encoder,
            text.validation_texts,
            lambda: encoder.origin.encode,
        )

    @property
    def trained_on(self) -> tuple[str, ...]:  # type: ignore[override]
        """Without a teacher, what it knows changes nothing."""
        alone = self.config.objective.alpha == 1
        groups = ("student", "objective", "training", "labels")
        settings = (f"settings.{group}" for group in groups)
        return ("tokens" if alone else self.teacher.step, *settings)

    def preparation(self) -> list[Step]:
        """Returns the steps from labelled text to a tuned teacher's logits."""
        vocabulary, tokens = self.vocabulary.steps()
        learned, asked = self.teacher.steps()

        def checked() -> dict[str, Any]:
            # Before the long steps: layers, and whether its classes are the text's.
            self.teacher.check()
            return vocabulary.beside()

        return [
            self.text.step(),
            vocabulary._replace(beside=checked),
            tokens,
            self.coverage.step(),
            learned,
            asked,
        ]

    def initial_student(self, precision: str) -> keras.Model:
        """Returns the student at random weights, or at layers of its origin."""
        size = self.vocabulary.tokenizer.vocabulary_size
        classes = len(self.text.corpus.classes)
        student = configured_classifier(self.config.student, size, classes, precision)
        self.encoder.start(student, self.vocabulary.teacher_ids)
        return student

    def decide(self, student: keras.Model, batch: dict, training: bool) -> Outcome:
        """Returns the sentences' decisions, each among the classes."""
        return decide_labelled(student, batch, training)

    def data(self) -> TrainingData:
        """Returns labelled sentences, and the accuracy on held-out ones."""
        classes, sets = self.text.corpus.classes, self.text.validation()

        def validate(model: keras.Model) -> dict[str, float]:
            predict = scores_of(keras_predict(model, self.vocabulary.tokenizer))
            found = classification(predict, sets, classes)
            languages = found["languages"].items()
            each = {f"accuracy/{name}": row["accuracy"] for name, row in languages}
            return dict(found["mean"]) | each

        batches, text_of = self._batches(), self.text.corpus.sentences.__getitem__
        return TrainingData(batches, readable_rows(batches, text_of), validate)

    def _batches(self) -> LabelledBatches:
        config, corpus = self.config, self.text.corpus
        rows = self.text.training_rows()
        logits = None
        if config.objective.alpha < 1:
            logits = np.zeros((len(corpus.labels), len(corpus.classes)), np.float32)
            found = self.teacher.logits.encode(corpus.sentences.texts(rows))
            logits[rows] = found / self.teacher.temperature
        return LabelledBatches(
            self.vocabulary.tokens,
            rows,
            corpus.labels,
            self.text.weights,
            logits,
            batch_size=config.training.batch_size,
            seed=config.seed,
        )

    def finish(self, student: keras.Model) -> dict[str, Any]:
        """Fits temperature and threshold on visible validation, and writes them."""
        sets = self.text.validation()
        labels = np.concatenate([group.labels for group in sets])
        texts = [text for group in sets for text in group.texts]
        logits = keras_predict(student, self.vocabulary.tokenizer)(texts)
        temperature = fitted_temperature(logits, labels)
        share = self.config.labels.rejected_share
        threshold = refusal_threshold(to_scores(logits, temperature), share)
        found = {"temperature": temperature, "threshold": threshold}
        write_json(self.path / CALIBRATION, found)
        return found

    def evaluate(self) -> dict[str, Any]:
        """Scores teacher and student on the test split."""
        classes = self.text.corpus.classes
        sets = self.text.held_out(TEST, self.config.evaluation.pairs_per_language)
        rebuilt = shared_student(self.path)
        calibration = read_calibration(self.path)
        encode = keras_predict(rebuilt.student, rebuilt.tokenizer)
        teacher = scores_of(self.teacher.logits.encode, self.teacher.temperature)
        student = scores_of(encode, calibration["temperature"])
        models = {"teacher": teacher, "student": student}
        examples = answers(models, sets, classes)
        write_samples(self.path, examples=examples, warnings=self.text.warnings())
        return {
            "teacher": classification(teacher, sets, classes),
            "student": classification(student, sets, classes, calibration["threshold"]),
        }

    def headline(self, metrics: dict[str, Any]) -> str:
        """Returns teacher and student in one sentence."""
        teacher, student = (metrics[x]["mean"]["accuracy"] for x in _MODELS)
        return (
            f"Test accuracy, mean over languages: teacher {teacher:.1%}, "
            f"student {student:.1%}"
        )

    def export(self) -> dict[str, Any]:
        """Exports the student, proven on test sentences of every language."""
        limit = sentences_a_language(len(self.text.corpus.languages))
        texts = {
            group.language: [(text, text) for text in group.texts]
            for group in self.text.held_out(TEST, limit)
        }
        return export_run(self.path, texts)

    def teacher_parameters(self) -> int | None:
        """Returns how large the teacher is."""
        return self.encoder.model.parameters


TASK, EXPORT = ClassificationTask, ClassificationExport()
