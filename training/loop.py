"""Trains a student on a task: Keras's fit, with exact resume around it."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import keras
import tensorflow as tf
from tensorboard.plugins.hparams import api as hp

from babelet.configs.schema import TrainingConfig
from babelet.core.atomic import remove
from babelet.core.checksums import require_undamaged
from babelet.model.distiller import Distiller
from babelet.model.muon import Muon
from babelet.model.optimizer import FusedAdamW
from babelet.training import callbacks, checkpoints

BEST = "best.weights.h5"


class StepDistiller(Distiller):
    """Reports each step's own losses, of which curves and checkpoints are made.

    A run is one epoch: a mean since its start would hide that the loss no longer
    falls, and would start anew where the run is continued.
    """

    @property
    def metrics(self) -> list[keras.Metric]:
        """None: what Keras reports is then what the last step returned."""
        return []

    def train_step(self, batch: dict) -> dict[str, Any]:
        """Takes one optimizer step; returns its losses."""
        return self.learn(batch).terms


class Batches(Protocol):
    """Training batches in a fixed order."""

    def dataset(self, first_step: int) -> tf.data.Dataset:
        """Returns the endless batches from `first_step` on."""


class TrainingData(NamedTuple):
    """What a student is trained and validated on.

    Attributes:
        batches: With what the teacher says, where alpha is below 1.
        rows: From a step to a readable line for each row of its batch, for messages.
        validate: Student to metrics by name; higher is better.
    """

    batches: Batches
    rows: Callable[[int], list[str]]
    validate: Callable[[keras.Model], dict[str, float]]


def train(
    distiller: StepDistiller,
    data: TrainingData,
    config: TrainingConfig,
    run: Path,
    identity: str,
    hparams: Mapping[str, int | float | str] | None = None,
) -> dict:
    """Trains the student in place and leaves it at the weights of `config.keep`.

    Continues from `run/checkpoints` where there is a checkpoint; the result is then
    the same, bit for bit, as that of a run never interrupted.

    Args:
        distiller: Of the student at its initial weights; not compiled yet.
        data: Batches and validation.
        config: Steps and rates.
        run: The workdir; logs go to `run/logs`.
        identity: Names all that the result depends on; a checkpoint of another
            identity is not continued.
        hparams: Settings to show beside the curves, in TensorBoard's HParams.

    Returns:
        The validation state: best score, its step, and the curve.
    """
    folder = run / "checkpoints"
    distiller.compile(optimizer=_optimizer(config), jit_compile=False)
    distiller.optimizer.build(distiller.trainable_variables)
    step, state = checkpoints.restore(folder, identity, distiller)
    stopped = state.pop("stopped", False)
    if step:
        print(f"continuing after step {step} of {config.steps}", flush=True)
    if not step:
        remove(run / "logs" / "train")
    if not stopped:
        writer = tf.summary.create_file_writer(str(run / "logs" / "train"))
        if hparams:
            with writer.as_default():
                hp.hparams(dict(hparams), trial_id=identity)
        save = partial(checkpoints.save, folder, identity)
        state = _fit(data, distiller, config, writer, folder / BEST, save, step, state)
    if config.keep == "best":
        require_undamaged(
            folder,
            {BEST: state["best_sha256"]},
            remedy=f"delete {folder} and run the same command again: the training is "
            "done again",
        )
        distiller.student.load_weights(folder / BEST)
    return state


def _fit(
    data: TrainingData,
    distiller: keras.Model,
    config: TrainingConfig,
    writer: tf.summary.SummaryWriter,
    best: Path,
    save: Callable,
    step: int,
    state: dict,
) -> dict:
    validation = callbacks.Validation(
        lambda: data.validate(distiller.student),
        writer,
        best,
        first_step=step,
        last_step=config.steps,
        every=config.validate_every,
        metric=config.metric,
        # Stopped early, the last weights would be of a rate that has not decayed.
        patience=config.patience if config.keep == "best" else config.steps,
        state=state,
    )
    distiller.fit(
        data.batches.dataset(step),
        # One epoch, so that Keras's progress bar estimates the whole run.
        epochs=1,
        shuffle=False,
        steps_per_epoch=config.steps - step,
        callbacks=[
            callbacks.StopAtNonFinite(step, data.rows),
            callbacks.Scalars(writer, step, config.batch_size),
            validation,
            callbacks.Checkpoints(
                save,
                validation,
                first_step=step,
                last_step=config.steps,
                every=config.checkpoint_every,
            ),
        ],
    )
    writer.close()
    return validation.state


def _optimizer(config: TrainingConfig) -> keras.optimizers.Optimizer:
    """Returns AdamW (Loshchilov & Hutter 2019) or Muon, with warm-up and decay."""
    schedule = keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=0.0,
        warmup_target=config.learning_rate,
        warmup_steps=config.warmup_steps,
        decay_steps=max(config.steps - config.warmup_steps, 1),
    )
    kind = {"adamw": FusedAdamW, "muon": Muon}[config.optimizer]
    optimizer = kind(
        schedule,
        beta_2=0.98,
        weight_decay=config.weight_decay,
        global_clipnorm=config.clip_norm,
    )
    optimizer.exclude_from_weight_decay(
        var_names=["bias", "gamma", "beta", "tokens", "positions"]
    )
    return optimizer
