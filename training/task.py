"""The Task interface: all that the engine needs to know of one."""

import abc
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras

from babelet.configs import parsing
from babelet.configs.schema import ObjectiveConfig, TrainingConfig
from babelet.core.run_files import write_json
from babelet.evaluation.finished_run import METRICS, QUANTISATION, SAMPLES, measurements
from babelet.evaluation.report import write_report
from babelet.export.published import PARITY, REPORT, require_undamaged_export
from babelet.export.rebuild import WEIGHTS, built_student
from babelet.model.features import FeatureTerm
from babelet.model.objective import Objective, Outcome
from babelet.model.precision import resolved_precision
from babelet.training.loop import StepDistiller, TrainingData, train
from babelet.training.saving import save_model, save_weights
from babelet.training.steps import Step
from babelet.training.tensorboard import log_test
from babelet.training.workdir import Workdir

KERAS_FILE = "student.keras"
# Settings by which TensorBoard's HParams tells runs apart, where a task has them.
HPARAMS = (
    "objective.alpha",
    "objective.temperature",
    "objective.scale",
    "objective.embedding_match",
    "objective.candidates",
    "labels.setting",
    "tuning.scope",
    "translation.targets",
    "translation.beam_size",
    "training.learning_rate",
    "training.batch_size",
    "training.steps",
    "student.num_layers",
    "student.hidden_dim",
    "student.decoder_layers",
    "vocabulary.size",
    "seed",
)


class Task(abc.ABC):
    """One run of a task: its steps, of which those after the preparation are here.

    Attributes:
        trained_on: What a student depends on, as `Step.reads` has it.
        companions: Files that a student is read with.
        scored_by: What its scores depend on beside it, as `Step.reads` has it.
        scores: What the evaluation leaves.
    """

    trained_on: Sequence[str]
    companions: Sequence[str] = ("tokenizer.model",)
    scored_by: Sequence[str] = ("settings.evaluation",)
    scores: Sequence[str] = (METRICS, SAMPLES)

    def __init__(self, workdir: Workdir) -> None:
        """Takes the run's folder; no step is done yet."""
        self.workdir = workdir
        self.path: Path = workdir.path
        # Of the task's own class, which subclasses name.
        self.config: Any = workdir.config

    @abc.abstractmethod
    def preparation(self) -> list[Step]:
        """Returns the steps that come before training."""

    @abc.abstractmethod
    def initial_student(self, precision: str) -> keras.Model:
        """Returns the student before its first step.

        Args:
            precision: A Keras policy.
        """

    @abc.abstractmethod
    def decide(self, student: keras.Model, batch: dict, training: bool) -> Outcome:
        """Returns the decisions of `batch` and the inputs of the feature terms."""

    def feature_terms(self, student: keras.Model) -> Sequence[FeatureTerm]:
        """Returns what is learned of the teacher beside its decisions: nothing."""
        del student
        return ()

    @abc.abstractmethod
    def data(self) -> TrainingData:
        """Returns what the student is trained and validated on."""

    @property
    def training_settings(self) -> TrainingConfig:
        """Steps and rates."""
        return self.config.training

    def finish(self, student: keras.Model) -> dict[str, Any]:
        """Does what follows training; returns facts to note.

        Args:
            student: As it was saved, in float32.
        """
        del student
        return {}

    @abc.abstractmethod
    def evaluate(self) -> dict[str, Any]:
        """Writes samples.json; returns what metrics.json is to hold, by model."""

    @abc.abstractmethod
    def headline(self, metrics: dict[str, Any]) -> str:
        """Returns the last line a user reads of the run, without a full stop.

        Args:
            metrics: What `evaluate` returned.
        """

    @abc.abstractmethod
    def export(self) -> dict[str, Any]:
        """Writes export/, if the files equal the student; returns facts to note."""

    def teacher_parameters(self) -> int | None:
        """Returns how large the teacher is; None if that is not known."""
        return None

    def trained_beside(self) -> dict[str, Any]:
        """Returns what a student depends on beside `trained_on`, as JSON values."""
        return {}

    def steps(self) -> list[Step]:
        """Returns all steps, each after those that it reads."""
        shipped = ("settings.export", "settings.licence")
        shipped = tuple(x for x in shipped if hasattr(self.config, x.split(".")[1]))
        return [
            *self.preparation(),
            Step(
                "training",
                self._train,
                reads=("settings.seed", "settings.task", *self.trained_on),
                beside=self.trained_beside,
                leaves=(WEIGHTS, KERAS_FILE),
                needs=self.companions,
                after=self._note_student,
            ),
            Step(
                "evaluation",
                self._evaluate,
                reads=("training", *self.scored_by),
                leaves=self.scores,
            ),
            Step(
                "export",
                lambda _: self.export(),
                reads=("evaluation", *shipped),
                leaves=("export",),
            ),
            Step(
                "report",
                self._report,
                reads=("export",),
                # Not earlier: the export leaves measurements as well.
                beside=lambda: measurements(self.path),
                leaves=("report.html", "MODEL_CARD.md"),
                editable=True,
            ),
        ]

    def seeded_student(self, precision: str) -> keras.Model:
        """Returns the student before its first step, whatever was drawn until now.

        Steps that are done draw no random numbers; what follows must not depend on it.
        """
        keras.utils.set_random_seed(self.config.seed)
        return self.initial_student(precision)

    def _train(self, identity: str) -> dict[str, Any]:
        """Trains the student and writes it in float32, whatever it was trained in."""
        settings = self.training_settings
        precision = resolved_precision(settings.precision)
        student = self.seeded_student(precision)
        print(
            f"{student.count_params():,} parameters, {precision}; "
            f"{settings.steps} steps of {settings.batch_size}",
            flush=True,
        )
        distiller = self._distiller(student, precision)
        shown = self.shown_settings()
        state = train(distiller, self.data(), settings, self.path, identity, shown)
        save_weights(student, self.path / WEIGHTS)
        saved = built_student(self.path).student
        save_model(saved, self.path / KERAS_FILE)
        facts = {"precision": precision, "parameters": student.count_params()}
        return state | facts | self.finish(saved)

    def _note_student(self) -> tuple[()]:
        """Records that the student in the folder is of the present settings."""
        self.workdir.note_student()
        return ()

    def _distiller(self, student: keras.Model, precision: str) -> StepDistiller:
        return StepDistiller(
            student,
            configured_objective(self.config.objective),
            decide=self.decide,
            feature_terms=self.feature_terms(student),
            dtype=precision,
        )

    def _evaluate(self, _: str) -> dict[str, Any]:
        metrics = self.evaluate()
        write_json(self.path / METRICS, metrics)
        log_test(self.path)
        parameters = self.teacher_parameters()
        return {
            "headline": self.headline(metrics),
            "teacher_parameters": parameters,
        }

    def _report(self, _: str) -> dict[str, Any]:
        tiers = [REPORT] if (self.path / QUANTISATION).is_file() else []
        require_undamaged_export(self.path / "export", PARITY, *tiers)
        return write_report(self.path)

    def shown_settings(self) -> dict[str, Any]:
        """Returns the settings by which TensorBoard's HParams tells runs apart."""
        known = parsing.keys(type(self.config))
        return {
            key: parsing.value_of(self.config, key) for key in HPARAMS if key in known
        }


def configured_objective(settings: ObjectiveConfig) -> Objective:
    """Returns the objective of the settings; T is 1 where a task has no other."""
    temperature = getattr(settings, "temperature", 1.0)
    return Objective(settings.alpha, temperature, settings.margin)
