"""A fourth task, as a user would add it: which language a sentence is in.

Registered as an entry point of the group "babelet.tasks", and nowhere else.
"""

import dataclasses
from typing import Any, Literal

import keras
import numpy as np

from babelet.configs import schema
from babelet.configs.data import PairDataConfig
from babelet.data.labelled_batches import LabelledBatches
from babelet.data.splits import TEST, TRAIN, VALIDATION
from babelet.evaluation import export_sections, run_sections
from babelet.evaluation.calibration import scores_of
from babelet.evaluation.classification import LabelledSet, classification
from babelet.evaluation.finished_run import FinishedRun, Metric, write_samples
from babelet.evaluation.samples import answers
from babelet.evaluation.sections import Page, Section
from babelet.export.predict import keras_predict
from babelet.export.rebuild import shared_student
from babelet.export.run import export_run
from babelet.export.score_gate import ScoreExport
from babelet.model.student import build_classifier
from babelet.tasks.labelled_text import decide_labelled, readable_rows
from babelet.tasks.parallel_text import ParallelText
from babelet.training.loop import TrainingData
from babelet.training.student_vocabulary import StudentVocabulary
from babelet.training.task import Task


@dataclasses.dataclass(frozen=True)
class LanguageConfig(schema.Config):
    data: PairDataConfig
    task: Literal["sentence_language"] = "sentence_language"
    objective: schema.ObjectiveConfig = schema.ObjectiveConfig(alpha=1.0)
    training: schema.TrainingConfig = schema.TrainingConfig(metric="accuracy")


def classifier(config: Any, pieces: int, precision: str = "float32") -> keras.Model:
    shape = dataclasses.asdict(config.student) | {"dtype": precision}
    classes = 1 + len(config.data.languages)
    return build_classifier(
        classes=classes, vocabulary_size=pieces, pooling="mean", **shape
    )


class LanguageTask(Task):
    trained_on = ("tokens", "settings.student", "settings.training")

    def __init__(self, workdir: Any) -> None:
        super().__init__(workdir)
        text = self.text = ParallelText(workdir)
        self.vocabulary = StudentVocabulary(
            workdir, text.training_sentences, lambda: text.corpus.sentences
        )

    def preparation(self) -> list:
        return [self.text.step(), *self.vocabulary.steps()]

    def initial_student(self, precision: str) -> keras.Model:
        pieces = self.vocabulary.tokenizer.vocabulary_size
        return classifier(self.config, pieces, precision)

    decide = staticmethod(decide_labelled)

    def data(self) -> TrainingData:
        corpus, training = self.text.corpus, self.config.training
        rows = np.unique(corpus.pairs[corpus.pair_split == TRAIN]).astype(np.int64)
        labels = np.asarray(corpus.sentence_language, np.int32)
        known = np.ones(len(labels), np.float32)
        batches = LabelledBatches(
            self.vocabulary.tokens,
            rows,
            labels,
            known,
            None,
            batch_size=training.batch_size,
            seed=self.config.seed,
        )
        sets = self.sets(VALIDATION, training.validation_pairs)

        def validate(student: keras.Model) -> dict[str, float]:
            predict = scores_of(keras_predict(student, self.vocabulary.tokenizer))
            return dict(classification(predict, sets, corpus.languages)["mean"])

        named = readable_rows(batches, corpus.sentences.__getitem__)
        return TrainingData(batches, named, validate)

    def sets(self, split: int, limit: int) -> list[LabelledSet]:
        held_out = self.text.held_out(split, limit)
        texts = {group.language: group.texts for group in held_out}
        texts[self.config.data.pivot] = held_out[0].pivot_texts
        number = self.text.corpus.languages.index
        return [
            LabelledSet(x, own, np.full(len(own), number(x)))
            for x, own in texts.items()
        ]

    def evaluate(self) -> dict[str, Any]:
        student, languages = shared_student(self.path), self.text.corpus.languages
        predict = scores_of(keras_predict(student.student, student.tokenizer))
        sets = self.sets(TEST, self.config.evaluation.pairs_per_language)
        examples = answers({"student": predict}, sets, languages)
        write_samples(self.path, examples=examples)
        return {"student": classification(predict, sets, languages)}

    def headline(self, metrics: dict[str, Any]) -> str:
        return f"Languages told: {metrics['student']['mean']['accuracy']:.1%}"

    def export(self) -> dict[str, Any]:
        sets = self.sets(TEST, 200)
        pairs = {each.language: [(t, t) for t in each.texts] for each in sets}
        return export_run(self.path, pairs)


class LanguageExport(ScoreExport):
    def student(self, config: Any, vocabulary_size: int, workdir: Any) -> keras.Model:
        return classifier(config, vocabulary_size)

    def described(self, config: Any, workdir: Any) -> dict[str, Any]:
        labels = [config.data.pivot, *config.data.languages]
        return {"labels": labels, "threshold": 0.0}


METRICS = (Metric("test accuracy", ("{model}", "mean", "accuracy"), primary=True),)


def page(run: FinishedRun) -> Page:
    accuracy, same = Metric("", ("accuracy",)), Metric("same, %", ("same_answer",))
    shares = run_sections.by_language(run, (), [accuracy], "Percent.")
    sections = [
        Section("By language", [shares], card=True),
        run_sections.examples(run, "The language with its score."),
        run_sections.curves(run, {"training": ""}, ("accuracy",)),
        export_sections.files(run),
        export_sections.exports(run, [same]),
        *run_sections.reproduce(run),
    ]
    figures = run_sections.beside_teacher(run, {"Accuracy": METRICS[0]})
    lead = "It tells in which language a sentence is."
    return Page(run.name, "a model that tells languages apart", lead, sections, figures)


CONFIG, TASK, EXPORT = LanguageConfig, LanguageTask, LanguageExport()
