"""The Pipeline interface: what a run of one task does at each of its steps."""

import abc
import json

import keras

from babelet.configs import parsing
from babelet.configs.schema import TrainingConfig
from babelet.evaluation.finished_run import METRICS, QUANTISATION, SAMPLES
from babelet.evaluation.report import write_report
from babelet.export.published import PARITY, REPORT, require_undamaged_export
from babelet.export.rebuild import WEIGHTS, built_student
from babelet.tasks.base import Task, TrainingData
from babelet.training.loop import train
from babelet.training.saving import save_model, save_weights
from babelet.training.tensorboard import log_test
from babelet.training.workdir import Workdir, digest

# Settings of every task by which TensorBoard's HParams tells runs apart.
HPARAMS = (
    "objective.alpha",
    "objective.temperature",
    "training.learning_rate",
    "training.batch_size",
    "training.steps",
    "student.num_layers",
    "student.hidden_dim",
    "vocabulary.size",
    "seed",
)


class Pipeline(abc.ABC):
    """Does the steps of one run; `training.run` decides which are still to do.

    Each step writes into the run's folder and returns facts for `manifest.json`, as
    JSON values.
    """

    # Files that the student is read with, and without which its weights mean nothing.
    companions: tuple[str, ...] = ("tokenizer.model",)

    # What the evaluation leaves.
    scores: tuple[str, ...] = (METRICS, SAMPLES)

    # Settings by which TensorBoard's HParams tells runs apart, beside HPARAMS.
    hparams: tuple[str, ...] = ()

    def __init__(self, workdir: Workdir) -> None:
        """Takes the run's folder; no step is done yet."""
        self.workdir = workdir

    @abc.abstractmethod
    def prepare(self, other: str) -> None:
        """Does all that comes before training, in steps of its own.

        Args:
            other: A run whose preparation serves here too; "" for none.
        """

    @abc.abstractmethod
    def training_inputs(self) -> dict:
        """Returns all that the trained weights depend on, as JSON values."""

    def evaluation_inputs(self) -> dict:
        """Returns what scores depend on beside the weights, as JSON values."""
        return {"sets": self.workdir.section("evaluation")}

    @abc.abstractmethod
    def train(self) -> dict:
        """Writes student.weights.h5 and student.keras."""

    @abc.abstractmethod
    def evaluate(self) -> dict:
        """Writes metrics.json and samples.json.

        Returns the headline figure of each model by name, and in `teacher_parameters`
        how large the teacher is, where that is known.
        """

    def test(self) -> dict:
        """Evaluates, and shows the scores in TensorBoard; returns the same."""
        facts = self.evaluate()
        log_test(self.workdir.path)
        return facts

    @abc.abstractmethod
    def export(self) -> dict:
        """Writes export/, if the files equal the student."""

    def report(self) -> dict:
        """Writes report.html and MODEL_CARD.md; returns facts for the manifest."""
        path = self.workdir.path
        tiers = [REPORT] if (path / QUANTISATION).is_file() else []
        require_undamaged_export(path / "export", PARITY, *tiers)
        return write_report(path)

    @abc.abstractmethod
    def headline(self, scores: dict) -> str:
        """Returns the last line a user reads of the run, without a full stop.

        Args:
            scores: What `evaluate` returned.
        """

    def _distil(
        self,
        student: keras.Model,
        task: Task,
        data: TrainingData,
        settings: TrainingConfig,
        precision: str,
    ) -> dict:
        """Trains the student and writes it in float32, whatever it was trained in.

        Args:
            student: At its initial weights.
            task: Decisions and objective.
            data: Batches and validation.
            settings: Steps and rates.
            precision: The Keras policy that the student was built with.

        Returns:
            The validation state of `training.loop.train`, precision and parameters.
        """
        path = self.workdir.path
        print(
            f"{student.count_params():,} parameters, {precision}; "
            f"{settings.steps} steps of {settings.batch_size}",
            flush=True,
        )
        identity = digest(json.dumps(self.training_inputs(), sort_keys=True))
        names, config = (*HPARAMS, *self.hparams), self.workdir.config
        hparams = {name: parsing.value_of(config, name) for name in names}
        state = train(task, data, student, settings, precision, path, identity, hparams)
        save_weights(student, path / WEIGHTS)
        save_model(built_student(path).student, path / "student.keras")
        return state | {"precision": precision, "parameters": student.count_params()}
