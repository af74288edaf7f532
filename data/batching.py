"""What all training batches share: an endless stream, and rows of alike lengths."""

from collections.abc import Callable, Collection, Iterator

import numpy as np
import tensorflow as tf

# Rows are sorted by length within pools of batches, usually this many: little padding,
# and the company a row keeps still changes from epoch to epoch.
POOL_BATCHES = 50


def stream(
    batch: Callable[[int], dict[str, np.ndarray]],
    first_step: int,
    sequences: Collection[str],
) -> tf.data.Dataset:
    """Returns the endless batches from `first_step` on.

    Args:
        batch: Of a step.
        first_step: The first one's.
        sequences: Names of arrays whose length differs from batch to batch; their
            first two dimensions are left open.
    """
    signature = {
        name: tf.TensorSpec(
            [None] * min(array.ndim, 2) + list(array.shape[2:])
            if name in sequences
            else array.shape,
            array.dtype,
        )
        for name, array in batch(first_step).items()
    }

    def generate() -> Iterator[dict]:
        step = first_step
        while True:
            yield batch(step)
            step += 1

    return tf.data.Dataset.from_generator(
        generate, output_signature=signature
    ).prefetch(4)


def grouped_by_length(
    rows: np.ndarray,
    lengths: np.ndarray,
    batch_size: int,
    rng: np.random.Generator,
    pool_batches: int = POOL_BATCHES,
) -> np.ndarray:
    """Returns rows (batches, batch_size), alike lengths together, in random order.

    Args:
        rows: (n,), in random order already; n is a multiple of `batch_size`.
        lengths: (n,), of each row.
        batch_size: Rows to a batch.
        rng: Orders the batches.
        pool_batches: Batches whose rows are sorted together.
    """
    order = np.arange(len(rows))
    pool = pool_batches * batch_size
    for start in range(0, len(rows), pool):
        part = lengths[start : start + pool]
        order[start : start + pool] = start + np.argsort(part, kind="stable")
    return rng.permutation(rows[order].reshape(-1, batch_size))
