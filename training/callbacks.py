"""What happens around the steps: scalars, validation, checkpoints, safety."""

import time
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from babelet.core.checksums import file_digest
from babelet.core.errors import BabeletError
from babelet.training.saving import save_weights

# Rows named when a loss is not finite.
NAMED_ROWS = 5
# Steps between the points of the report's loss curves.
CURVE_EVERY = 20


class Scalars(keras.callbacks.Callback):
    """Writes each loss term, the learning rate and examples/s to TensorBoard."""

    def __init__(
        self, writer: tf.summary.SummaryWriter, first_step: int, batch_size: int
    ) -> None:
        """Takes the writer, the step the run starts at and the rows per step."""
        super().__init__()
        self._writer = writer
        self._first_step = first_step
        self._batch_size = batch_size
        self._since = time.monotonic()

    def on_train_batch_end(self, batch: int, logs: dict) -> None:
        """Writes every tenth step."""
        step = self._first_step + batch + 1
        if step % 10:
            return
        now = time.monotonic()
        values = {f"train/{name}": float(value) for name, value in logs.items()}
        values["train/learning_rate"] = float(self.model.optimizer.learning_rate)
        values["train/examples_per_second"] = (
            10 * self._batch_size / (now - self._since)
        )
        self._since = now
        with self._writer.as_default():
            for name, value in values.items():
                tf.summary.scalar(name, value, step=step)


class StopAtNonFinite(keras.callbacks.Callback):
    """Ends the run when a loss is NaN or infinite, and names the rows."""

    def __init__(self, first_step: int, rows: Callable[[int], list[str]]) -> None:
        """Takes the step the run starts at, and from a step to its rows."""
        super().__init__()
        self._first_step = first_step
        self._rows = rows

    def on_train_batch_end(self, batch: int, logs: dict) -> None:
        """Raises BabeletError if a term is not finite."""
        bad = [name for name, value in logs.items() if not np.isfinite(value)]
        if not bad:
            return
        step = self._first_step + batch
        rows = self._rows(step)
        named = "; ".join(rows[:NAMED_ROWS])
        raise BabeletError(
            f"The loss is not finite at step {step}: "
            + ", ".join(f"{name}={float(logs[name])}" for name in bad),
            received=f"a batch of {len(rows)} rows, among them {named}",
            consequence="Training stopped; the last checkpoint is from before it",
            remedy="lower training.learning_rate, raise objective.scale, or train "
            "with training.precision=float32",
        )


class Validation(keras.callbacks.Callback):
    """Validates, keeps the best weights, stops when nothing improves."""

    def __init__(
        self,
        validate: Callable[[], dict[str, float]],
        writer: tf.summary.SummaryWriter,
        best_weights: Path,
        *,
        first_step: int,
        last_step: int,
        every: int,
        metric: str,
        patience: int,
        state: dict,
    ) -> None:
        """Ties validation to steps.

        Args:
            validate: Returns metrics by name.
            writer: Of TensorBoard.
            best_weights: File for the best weights so far.
            first_step: Steps done before this process.
            last_step: Steps in all.
            every: Steps between validations.
            metric: The metric that decides, higher is better.
            patience: Validations without improvement before stopping.
            state: What `state` held at the checkpoint; {} at the start.
        """
        super().__init__()
        self._validate = validate
        self._writer = writer
        self._best_weights = best_weights
        self._first_step = first_step
        self._last_step = last_step
        self._every = every
        self._metric = metric
        self._patience = patience
        self.state = state or {"best": None, "best_step": 0, "waited": 0, "curve": []}

    def on_train_batch_end(self, batch: int, logs: dict) -> None:
        """Validates when it is time to."""
        step = self._first_step + batch + 1
        if step % CURVE_EVERY == 0:
            losses = {f"train/{name}": float(value) for name, value in logs.items()}
            self.state["curve"].append({"step": step} | losses)
        if step % self._every and step != self._last_step:
            return
        metrics = self._validate()
        with self._writer.as_default():
            for name, value in metrics.items():
                tf.summary.scalar(f"validation/{name}", value, step=step)
        self._note(step, metrics)
        if self.state["waited"] >= self._patience:
            print(
                f"\nNo better {self._metric} in {self._patience} validations: stopped "
                f"after {step} steps, best after {self.state['best_step']}",
                flush=True,
            )
            self.model.stop_training = True

    def _note(self, step: int, metrics: dict[str, float]) -> None:
        if self._metric not in metrics:
            raise BabeletError(
                f"Unknown training.metric {self._metric}",
                expected="one of " + ", ".join(metrics),
                remedy="set training.metric to one of them",
            )
        score, state = metrics[self._metric], self.state
        scores = {f"validation/{name}": value for name, value in metrics.items()}
        state["curve"].append({"step": step} | scores)
        better = state["best"] is None or score > state["best"]
        state["waited"] = 0 if better else state["waited"] + 1
        # Of equal ones the last: where few labels are seen the metric is at its
        # ceiling long before the model has learned all it can.
        if better or score == state["best"]:
            save_weights(self.model.student, self._best_weights)
            state |= {"best": score, "best_step": step}
            state["best_sha256"] = file_digest(self._best_weights)
        print(
            f"\nstep {step}: {self._metric} {score:.4f}, best {state['best']:.4f} "
            f"at step {state['best_step']}",
            flush=True,
        )


class Checkpoints(keras.callbacks.Callback):
    """Saves the whole state every so many steps, and at the end."""

    def __init__(
        self,
        save: Callable,
        validation: Validation,
        *,
        first_step: int,
        last_step: int,
        every: int,
    ) -> None:
        """Takes this training's `checkpoints.save` and whose state goes along."""
        super().__init__()
        self._save = save
        self._validation = validation
        self._first_step = first_step
        self._last_step = last_step
        self._every = every

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Saves when it is time to."""
        step = self._first_step + batch + 1
        stopping = self.model.stop_training or step == self._last_step
        if step % self._every == 0 or stopping:
            notes = self._validation.state | {"stopped": bool(stopping)}
            self._save(step, self.model, notes)
