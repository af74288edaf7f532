"""From labelled text to token ids and a tuned teacher's logits."""

import dataclasses
import itertools
import json
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import numpy as np

from babelet.configs import record
from babelet.configs.classification import LabelsConfig
from babelet.core.atomic import atomic_path
from babelet.core.errors import BabeletError
from babelet.data import vocabulary
from babelet.data.class_names import LABELS
from babelet.data.label_visibility import visibility_warnings
from babelet.data.labelled_batches import LabelledBatches
from babelet.data.labelled_corpus import class_warnings
from babelet.data.sources import labelled_files, parallel_files
from babelet.data.splits import TEST, TRAIN, VALIDATION
from babelet.evaluation.calibration import (
    calibration_error,
    fitted_temperature,
    to_scores,
)
from babelet.evaluation.classification import LabelledSet
from babelet.model.linear_head import empty_linear_head
from babelet.model.precision import preferred_precision
from babelet.model.teachers.base import Teacher
from babelet.model.teachers.class_scores import ClassTeacher
from babelet.tasks.embedding import student_predict
from babelet.training import class_teacher, teacher_tuning
from babelet.training.labelled_text import LabelledText
from babelet.training.logit_cache import LogitCache, TunedTeacher
from babelet.training.workdir import digest

# Of the settings `labels`, those that the corpus depends on.
_OF_CORPUS = ("classes", "sentences_per_template")


class LabelledPreparation(LabelledText):
    """Does the preparing steps of a run of classification, and opens what they left."""

    @cached_property
    def teacher(self) -> Teacher:
        """The teacher before it is tuned, or one that needs no tuning."""
        if self._config.tuning.scope == "none":
            return class_teacher.load_class_teacher(self._config.teacher)
        return super().teacher

    @cached_property
    def _outputs(self) -> list[str]:
        """The names of a given classifier's outputs, in their order."""
        return class_teacher.class_names(Path(self._config.teacher.path))

    @cached_property
    def logits(self) -> LogitCache:
        """The logits of the teacher that knows the classes."""
        return LogitCache(self._tuned(), self._path / "teacher_logits")

    @property
    def temperature(self) -> float:
        """What the teacher's logits are divided by, fitted on visible validation."""
        return self._workdir.manifest["steps"]["teacher"]["facts"]["temperature"]

    @property
    def teacher_step(self) -> str:
        """The step after which the teacher knows the classes."""
        return "classes" if self._config.tuning.scope == "none" else "tuning"

    def adopt(self, other: Path) -> None:
        """Links the preparation of another run; of its teacher, if it is the same.

        Raises:
            BabeletError: The other run has none, or other settings for it.
        """
        theirs, ours = record.read_config_like(other, self._config), self._config
        for name in _OF_CORPUS:
            if getattr(theirs.labels, name) != getattr(ours.labels, name):
                raise BabeletError(
                    f"{other} was prepared with other labels.{name}",
                    remedy="run without --prepared, or with the same settings",
                )
        super().adopt(other)
        if not (self._path / LABELS).exists():
            with atomic_path(self._path / LABELS) as path:
                path.write_bytes((other / LABELS).read_bytes())
        steps = record.read_manifest(other)["steps"]
        same = _of_teacher(theirs.labels) == _of_teacher(ours.labels)
        name = self.teacher_step
        if same and theirs.tuning == ours.tuning and name in steps:
            self._workdir.manifest["steps"][name] = steps[name]
            for folder in ("tuning", "teacher_logits"):
                link = self._path / folder
                if not link.exists() and (other / folder).exists():
                    link.symlink_to((other / folder).resolve())
        else:
            self._workdir.manifest["steps"].pop("teacher", None)

    def run(self) -> None:
        """Does the steps that are not done."""
        config, section, step = (
            self._config,
            self._workdir.section,
            self._workdir.step,
        )
        inputs: dict[str, Any] = {"data": section("data")}
        labels: Any = section("labels")
        inputs["labels"] = {name: labels[name] for name in _OF_CORPUS}
        if inputs["data"].pop("files"):
            settings = labelled_files.as_parallel(config.data)
            inputs["files"] = parallel_files.digests(settings)
        if config.folds.count:
            inputs["folds"] = section("folds")
        step("corpus", inputs, ["corpus", LABELS], self._build_corpus)
        if config.tuning.scope == "none":
            # Before the long steps: whether its classes are those of the text.
            self._tuned()
        warnings = class_warnings(self.corpus.report)
        warnings += visibility_warnings(self.corpus, self.visible)
        inputs = self._do_tokens()
        report = inputs | {"report": section("vocabulary")}
        report["validation_pairs"] = config.training.validation_pairs
        step("coverage", report, ["vocabulary_report.json"], self._cover)
        inputs["labels"] = _of_teacher(config.labels)
        inputs["validation_pairs"] = config.training.validation_pairs
        if config.tuning.scope == "none":
            facts = {"teacher": self.teacher.fingerprint, "outputs": self._outputs}
            inputs |= facts
            step("classes", inputs, [], lambda: facts)
        else:
            inputs["tuning"] = section("tuning")
            identity = digest(json.dumps(inputs, sort_keys=True))
            weights = f"tuning/{teacher_tuning.WEIGHTS}"
            step("tuning", inputs, [weights], lambda: self._tune(identity))
        inputs["sets"] = section("evaluation")
        self._forget_if_lost("teacher", "logits", self.logits)
        step("teacher", inputs, [], self._encode)
        warnings += vocabulary.warnings(self.coverage(), config.vocabulary)
        for warning in warnings:
            print(f"warning: {warning}", flush=True)

    def _tune(self, identity: str) -> dict:
        config, corpus, folder = self._config, self.corpus, self._path / "tuning"
        if folder.is_symlink():
            # Another run's teacher, taken over under earlier settings: it stays as
            # it is.
            folder.unlink()
        folder.mkdir(exist_ok=True)
        rows = np.flatnonzero(self.visible)
        if config.tuning.scope == "head":
            texts = corpus.sentences.texts(rows)
            training = LabelledSet("", texts, corpus.labels[rows])
            teacher_tuning.tune_head(
                config,
                lambda texts: self.cache.encode(texts, "Teacher, labelled text"),
                training,
                self.weights[rows],
                self.validation(),
                len(corpus.classes),
                folder,
            )
            return {"identity": identity, "labels": len(rows)}
        batches = LabelledBatches(
            self.tokens,
            rows,
            corpus.labels,
            self.weights,
            None,
            batch_size=config.tuning.batch_size,
            seed=config.tuning.seed,
        )
        state = teacher_tuning.tune_layers(
            config,
            self.teacher,
            self.teacher_ids(),
            batches,
            corpus.sentences.__getitem__,
            self.tokenizer,
            self.validation(),
            corpus.classes,
            folder,
            identity,
        )
        return state | {"identity": identity, "labels": len(rows)}

    def _tuned(self) -> TunedTeacher:
        """Returns the teacher as it was tuned, or as it was given."""
        if self._config.tuning.scope == "none":
            classes = self.corpus.classes
            teacher = cast(ClassTeacher, self.teacher)
            return class_teacher.matched(teacher, self._outputs, classes)
        weights = self._path / "tuning" / teacher_tuning.WEIGHTS
        classes = len(self.corpus.classes)
        if self._config.tuning.scope == "head":
            head = empty_linear_head(self.teacher.dim, classes)
            head.load_weights(weights)

            def of_head(texts: Sequence[str]) -> np.ndarray:
                return head.predict(self.cache.encode(texts), 4096, verbose=0)

            encode: Callable[[Sequence[str]], np.ndarray] = of_head
        else:
            model = teacher_tuning.initial_teacher(
                self._config,
                self.teacher,
                self.teacher_ids(),
                classes,
                preferred_precision(),
            )
            model.load_weights(weights)
            encode = student_predict(model, self.tokenizer)
        identity = self._workdir.manifest["steps"]["tuning"]["facts"]["identity"]
        name = teacher_tuning.fingerprint(identity, weights)
        return TunedTeacher(name, classes, encode)

    def _encode(self) -> dict:
        """Caches the logits of all that is trained on, validated on and tested."""
        config, corpus = self._config, self.corpus
        rows = np.flatnonzero(corpus.split == TRAIN)
        training = corpus.sentences.texts(rows)
        limits = {
            VALIDATION: config.training.validation_pairs * len(corpus.languages),
            TEST: config.evaluation.pairs_per_language,
        }
        held_out = {
            split: [t for group in self.held_out(split, limit) for t in group.texts]
            for split, limit in limits.items()
        }
        self.teacher.require(itertools.chain(training, *held_out.values()))
        self.logits.ensure(training, "Teacher, training text")
        for texts in held_out.values():
            self.logits.ensure(texts, "Teacher, held-out text")
        return {"logits": len(self.logits)} | self._calibrate()

    def _calibrate(self) -> dict:
        """Fits the teacher's temperature; returns it, and its error before and after.

        Soft labels are only as good as the probabilities are true.
        """
        sets = self.validation()
        labels = np.concatenate([group.labels for group in sets])
        logits = self.logits.encode([text for group in sets for text in group.texts])
        if self._config.tuning.scope == "none":
            class_teacher.require_order(logits, labels, self.corpus.classes)
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


def _of_teacher(labels: LabelsConfig) -> dict:
    """Returns those settings of the labels that the tuned teacher depends on."""
    settings = dataclasses.asdict(labels)
    del settings["rejected_share"]
    if labels.setting != "few_shot":
        del settings["per_class"]
    return settings
