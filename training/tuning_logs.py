"""The trials of a search as TensorBoard's HParams shows them."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf
from tensorboard.plugins.hparams import api as hp

from babelet.core.atomic import remove

MEAN, SPREAD = "validation/mean", "validation/spread"


def spread(scores: Sequence[float]) -> float:
    """Returns the standard deviation of the folds' scores, 0 for a single one."""
    return float(np.std(scores, ddof=1)) if len(scores) > 1 else 0.0


def log_trial(
    folder: Path, settings: Mapping[str, int | float | str], scores: Sequence[float]
) -> None:
    """Writes one trial: its settings, the mean of its scores and their spread.

    Args:
        folder: Of this trial alone; what was there is replaced.
        settings: By dotted name.
        scores: The best validation score of each fold, in their order.
    """
    # Two event files of one trial would show as one that was repeated.
    remove(folder)
    writer = tf.summary.create_file_writer(str(folder))
    with writer.as_default():
        hp.hparams(dict(settings), trial_id=folder.name)
        tf.summary.scalar(MEAN, float(np.mean(scores)), step=0)
        if len(scores) > 1:
            tf.summary.scalar(SPREAD, spread(scores), step=0)
            for number, score in enumerate(scores):
                tf.summary.scalar(f"validation/fold{number}", score, step=0)
    writer.close()
