"""A teacher of classes: tuned on the labels, or given; and what it says of the text."""

import itertools
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import numpy as np

from babelet.data.labelled_batches import LabelledBatches
from babelet.data.splits import TEST, TRAIN, VALIDATION
from babelet.evaluation.calibration import (
    calibration_error,
    fitted_temperature,
    to_scores,
)
from babelet.evaluation.classification import LabelledSet
from babelet.export.predict import keras_predict
from babelet.model.linear_head import empty_linear_head
from babelet.model.precision import preferred_precision
from babelet.model.teachers.class_scores import ClassTeacher
from babelet.tasks import given_classifier, teacher_tuning
from babelet.tasks.labelled_text import LabelledText
from babelet.training.encoder_teacher import CACHE, EncoderTeacher, lost_from
from babelet.training.logit_cache import LogitCache, NamedFunction
from babelet.training.steps import Step
from babelet.training.student_vocabulary import StudentVocabulary
from babelet.training.workdir import Workdir

FOLDER, LOGITS = "tuning", "teacher_logits"
WEIGHTS = f"{FOLDER}/{teacher_tuning.WEIGHTS}"


class TunedTeacher:
    """Does the steps of the teacher, and opens its logits."""

    def __init__(
        self,
        workdir: Workdir,
        text: LabelledText,
        encoder: EncoderTeacher,
        vocabulary: StudentVocabulary,
    ) -> None:
        """Takes the run's folder, its text, and the teacher before it is tuned."""
        self._workdir = workdir
        self._path, self._config = workdir.path, workdir.config
        self._text, self._encoder, self._vocabulary = text, encoder, vocabulary
        # It is a classifier already.
        self._given = workdir.config.tuning.scope == "none"

    @property
    def step(self) -> str:
        """The step after which the teacher knows the classes."""
        return "classes" if self._given else "tuning"

    @cached_property
    def _outputs(self) -> list[str]:
        """The names of a given classifier's outputs, in their order."""
        return given_classifier.class_names(Path(self._config.teacher.path))

    @cached_property
    def logits(self) -> LogitCache:
        """The logits of the teacher that knows the classes."""
        return LogitCache(self._tuned(), self._path / LOGITS)

    @property
    def temperature(self) -> float:
        """What the teacher's logits are divided by, fitted on visible validation."""
        return self._workdir.manifest["steps"]["teacher"]["facts"]["temperature"]

    def check(self) -> None:
        """Refuses, before anything long, a teacher that cannot teach these classes.

        Raises:
            BabeletError: Layers that it does not have, or other classes.
        """
        self._encoder.require_layers()
        if self._given:
            self._tuned()

    def steps(self) -> list[Step]:
        """Returns the step in which it learns the classes, and the step "teacher"."""
        given = {"outputs": self._outputs} if self._given else {}
        learned = Step(
            "tuning",
            self._tune,
            reads=(
                "corpus",
                "tokens",
                "settings.tuning",
                "settings.labels",
                "settings.training.validation_pairs",
            ),
            but=("settings.labels.rejected_share", *self._unread_labels()),
            beside=self._encoder.fingerprints,
            leaves=(WEIGHTS,),
            shares=(CACHE,),
        )
        if self._given:
            learned = Step(
                "classes",
                lambda _: self._encoder.fingerprints() | given,
                reads=("corpus",),
                beside=lambda: self._encoder.fingerprints() | given,
            )
        return [
            learned,
            Step(
                "teacher",
                self._ask,
                reads=(
                    self.step,
                    "corpus",
                    "settings.evaluation.pairs_per_language",
                    "settings.training.validation_pairs",
                ),
                shares=(LOGITS,),
                lost=lost_from(lambda: self.logits, "logits"),
            ),
        ]

    def _unread_labels(self) -> tuple[str, ...]:
        few_shot = self._config.labels.setting == "few_shot"
        return () if few_shot else ("settings.labels.per_class",)

    def _tune(self, identity: str) -> dict:
        config, text, folder = self._config, self._text, self._path / FOLDER
        folder.mkdir(exist_ok=True)
        corpus, rows = text.corpus, np.flatnonzero(text.visible)
        facts = {"identity": identity, "labels": len(rows)}
        if config.tuning.scope == "head":
            texts = corpus.sentences.texts(rows)
            cache = self._encoder.cache
            teacher_tuning.tune_head(
                config,
                lambda texts: cache.encode(texts, "Teacher, labelled text"),
                LabelledSet("", texts, corpus.labels[rows]),
                text.weights[rows],
                text.validation(),
                len(corpus.classes),
                folder,
            )
            return facts
        batches = LabelledBatches(
            self._vocabulary.tokens,
            rows,
            corpus.labels,
            text.weights,
            None,
            batch_size=config.tuning.batch_size,
            seed=config.tuning.seed,
        )
        state = teacher_tuning.tune_layers(
            config,
            self._encoder.model,
            self._vocabulary.teacher_ids(),
            batches,
            corpus.sentences.__getitem__,
            self._vocabulary.tokenizer,
            text.validation(),
            corpus.classes,
            folder,
            identity,
        )
        return state | facts

    def _tuned(self) -> NamedFunction:
        """Returns the teacher as it was tuned, or as it was given."""
        classes = self._text.corpus.classes
        if self._given:
            teacher = cast(ClassTeacher, self._encoder.model)
            return given_classifier.matched(teacher, self._outputs, classes)
        weights, count = self._path / WEIGHTS, len(classes)
        if self._config.tuning.scope == "head":
            head = empty_linear_head(self._encoder.model.dim, count)
            head.load_weights(weights)

            def of_head(texts: Sequence[str]) -> np.ndarray:
                vectors = self._encoder.cache.encode(texts)
                return head.predict(vectors, 4096, verbose=0)

            encode: Callable[[Sequence[str]], np.ndarray] = of_head
        else:
            model = teacher_tuning.initial_teacher(
                self._config,
                self._encoder.model,
                self._vocabulary.teacher_ids(),
                count,
                preferred_precision(),
            )
            model.load_weights(weights)
            encode = keras_predict(model, self._vocabulary.tokenizer)
        identity = self._workdir.manifest["steps"]["tuning"]["facts"]["identity"]
        name = teacher_tuning.fingerprint(identity, weights)
        return NamedFunction(name, count, encode)

    def _ask(self, _: str) -> dict:
        """Caches the logits of all that is trained on, validated on and tested."""
        config, corpus = self._config, self._text.corpus
        rows = np.flatnonzero(corpus.split == TRAIN)
        training = corpus.sentences.texts(rows)
        limits = {
            VALIDATION: config.training.validation_pairs * len(corpus.languages),
            TEST: config.evaluation.pairs_per_language,
        }
        held_out = {
            split: [t for g in self._text.held_out(split, limit) for t in g.texts]
            for split, limit in limits.items()
        }
        self._encoder.model.require(itertools.chain(training, *held_out.values()))
        self.logits.ensure(training, "Teacher, training text")
        for texts in held_out.values():
            self.logits.ensure(texts, "Teacher, held-out text")
        return {"logits": len(self.logits)} | self._calibrate()

    def _calibrate(self) -> dict[str, Any]:
        """Fits the teacher's temperature; returns it, and its error before and after.

        Soft labels are only as good as the probabilities are true.
        """
        sets = self._text.validation()
        labels = np.concatenate([group.labels for group in sets])
        logits = self.logits.encode([text for group in sets for text in group.texts])
        if self._given:
            classes = self._text.corpus.classes
            given_classifier.require_order(logits, labels, classes)
        temperature = fitted_temperature(logits, labels)
        errors = {
            name: calibration_error(to_scores(logits, value), labels)
            for name, value in (("raw", 1.0), ("calibrated", temperature))
        }
        print(
            f"Teacher's calibration error: {errors['raw']:.1%}, "
            f"{errors['calibrated']:.1%} at the fitted temperature {temperature:.2f}"
        )
        return {"temperature": temperature, "calibration_error": errors}
