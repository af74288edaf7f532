"""The Pipeline interface: what a run of one task does at each of its steps."""

import abc

from training.workdir import Workdir


class Pipeline(abc.ABC):
    """Does the steps of one run; `training.run` decides which are still to do.

    Each step writes into the run's folder and returns facts for `manifest.json`, as
    JSON values.
    """

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
        """Writes metrics.json; returns the headline figure of each model by name."""

    @abc.abstractmethod
    def export(self) -> dict:
        """Writes export/, if the files equal the student."""

    def measurements(self) -> dict[str, str]:
        """Returns what the report shows beside the steps' own outputs, by name."""
        return {}

    @abc.abstractmethod
    def report(self) -> dict:
        """Writes report.html and MODEL_CARD.md."""

    @abc.abstractmethod
    def headline(self, scores: dict) -> str:
        """Returns the last line a user reads of the run, without a full stop.

        Args:
            scores: What `evaluate` returned.
        """
