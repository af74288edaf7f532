"""Training batches of sentences with hard and soft labels, by (seed, step)."""

import numpy as np
import tensorflow as tf

from babelet.data.batching import grouped_by_length, stream
from babelet.data.tokens import TokenStore


class LabelledBatches:
    """Batches of sentences, each with a label, its weight and the teacher's logits.

    The batch of a step depends on the arguments and the step alone.
    """

    def __init__(
        self,
        tokens: TokenStore,
        rows: np.ndarray,
        labels: np.ndarray,
        label_weights: np.ndarray,
        teacher_logits: np.ndarray | None,
        *,
        batch_size: int,
        seed: int,
    ) -> None:
        """Takes arrays over all sentences, of which `rows` are trained on.

        Args:
            tokens: Token ids of every sentence.
            rows: int64 (n,), ids of the sentences to train on.
            labels: int (sentences,); read only where the weight is not 0.
            label_weights: float32 (sentences,).
            teacher_logits: float32 (sentences, classes); None without a teacher.
            batch_size: Sentences to a batch.
            seed: Of the order.
        """
        self._tokens = tokens
        self._rows = rows
        self._labels = labels
        self._label_weights = label_weights
        self._teacher_logits = teacher_logits
        self._batch_size = min(batch_size, len(rows))
        self._seed = seed
        self._epoch: tuple[int, np.ndarray] | None = None

    @property
    def steps_per_epoch(self) -> int:
        """Whole batches in the rows; the rest of an epoch waits for another."""
        return len(self._rows) // self._batch_size

    def dataset(self, first_step: int) -> tf.data.Dataset:
        """Returns the endless batches from `first_step` on."""
        return stream(self.batch, first_step, ("token_ids", "padding_mask"))

    def sentences_of(self, step: int) -> np.ndarray:
        """Returns int64 (batch,), the sentence ids of a step."""
        epoch, index = divmod(step, self.steps_per_epoch)
        if self._epoch is None or self._epoch[0] != epoch:
            self._epoch = (epoch, self._order(epoch))
        return self._epoch[1][index]

    def batch(self, step: int) -> dict[str, np.ndarray]:
        """Returns the arrays of a step, by the names `ClassificationTask` reads."""
        rows = self.sentences_of(step)
        weights = self._label_weights[rows]
        batch = self._tokens.padded(rows, multiple=2) | {
            "sentence": rows.astype("int32"),
            # What is hidden must not even reach the model.
            "label": np.where(weights > 0, self._labels[rows], 0).astype("int32"),
            "label_weight": weights.astype("float32"),
        }
        if self._teacher_logits is not None:
            batch["teacher_logits"] = self._teacher_logits[rows]
        return batch

    def _order(self, epoch: int) -> np.ndarray:
        """Returns sentence ids (steps, batch) of an epoch, of alike lengths a batch."""
        rng = np.random.default_rng((self._seed, 0, epoch))
        rows = rng.permutation(self._rows)
        rows = rows[: self.steps_per_epoch * self._batch_size]
        lengths = np.asarray(self._tokens.lengths)[rows]
        return grouped_by_length(rows, lengths, self._batch_size, rng)
