"""Training batches of sentence pairs, as a pure function of (seed, step)."""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from babelet.data.batching import grouped_by_length, stream
from babelet.data.tokens import TokenStore

_SEQUENCES = ("token_ids", "padding_mask", "pivot_token_ids", "pivot_padding_mask")


class PairBatches:
    """Batches of (sentence, pivot) pairs with the teacher's vector of the pivot.

    The batch of a step depends on the arguments and the step alone, so that a
    resumed run sees what an uninterrupted one would have seen.
    """

    def __init__(
        self,
        tokens: TokenStore,
        pairs: np.ndarray,
        sentence_language: np.ndarray,
        teacher_vectors: np.ndarray,
        teacher_rows: np.ndarray,
        *,
        batch_size: int,
        pivot_share: float,
        bank_size: int,
        with_pivot_tokens: bool,
        seed: int,
        entries: np.ndarray | None = None,
        weights: Sequence[float] = (),
    ) -> None:
        """Takes memory-mapped arrays; nothing is copied but ids.

        Args:
            tokens: Token ids of every sentence.
            pairs: int32 (n, 2), pivot and translation sentence ids; of a sentence
                without a translation its own id twice.
            sentence_language: int16 (sentences,), language ids.
            teacher_vectors: float32 (rows, dim).
            teacher_rows: int64 (sentences,), the row of a pivot sentence, else -1.
            batch_size: Pairs per batch.
            pivot_share: Share of rows whose source is the pivot sentence itself.
            bank_size: Further pivots per batch, as candidates.
            with_pivot_tokens: Whether batches carry the pivot's token ids too.
            seed: Of the order.
            entries: int (n,), where each pair comes from; None: from one place.
            weights: How often the pairs of each entry are drawn, in proportion;
                empty: every pair once an epoch.
        """
        self._tokens = tokens
        self._pairs = np.asarray(pairs)
        self._sentence_language = sentence_language
        self._teacher_vectors = teacher_vectors
        self._teacher_rows = teacher_rows
        self._alone = self._pairs[:, 0] == self._pairs[:, 1]
        self._pivots = np.unique(self._pairs[:, 0])
        self._batch_size = min(batch_size, len(self._pairs))
        self._pivot_share = pivot_share
        self._bank_size = min(bank_size, len(self._pivots))
        self._with_pivot_tokens = with_pivot_tokens
        self._seed = seed
        self._quotas = _quotas(np.asarray(entries), weights) if weights else None
        self._epoch: tuple[int, np.ndarray, np.ndarray] | None = None

    @property
    def steps_per_epoch(self) -> int:
        """Whole batches in the pairs; the rest of an epoch waits for another."""
        return len(self._pairs) // self._batch_size

    def dataset(self, first_step: int) -> tf.data.Dataset:
        """Returns the endless batches from `first_step` on."""
        return stream(self.batch, first_step, _SEQUENCES)

    def pairs_of(self, step: int) -> np.ndarray:
        """Returns int32 (batch, 2): pivot and source sentence ids of a step."""
        return self._rows_of(step)[1]

    def _rows_of(self, step: int) -> tuple[np.ndarray, np.ndarray]:
        """Returns indices into the pairs, and what `pairs_of` returns."""
        epoch, index = divmod(step, self.steps_per_epoch)
        rows, from_pivot = self._order(epoch)
        chosen = rows[index]
        pairs = self._pairs[chosen].copy()
        pairs[:, 1] = np.where(from_pivot[chosen], pairs[:, 0], pairs[:, 1])
        return chosen, pairs

    def batch(self, step: int) -> dict[str, np.ndarray]:
        """Returns the arrays of a step, by the names `EmbeddingTask` reads."""
        rows, pairs = self._rows_of(step)
        pivots, sources = pairs[:, 0], pairs[:, 1]
        bank = np.random.default_rng((self._seed, 1, step)).choice(
            self._pivots, self._bank_size, replace=False
        )
        batch = self._tokens.padded(sources, multiple=2)
        batch |= {
            "sentence": sources.astype("int32"),
            "language": np.asarray(self._sentence_language[sources], "int32"),
            "pivot": pivots.astype("int32"),
            # A sentence alone is no translation of itself: the teacher's view of it
            # is learned, and that it is its own nearest neighbour need not be.
            "label_weight": (~self._alone[rows]).astype("float32"),
            "teacher": self._vectors(pivots),
            "bank_pivot": bank.astype("int32"),
            "bank": self._vectors(bank),
        }
        if self._with_pivot_tokens:
            padded = self._tokens.padded(pivots, multiple=2)
            batch |= {f"pivot_{name}": array for name, array in padded.items()}
        return batch

    def _vectors(self, sentences: np.ndarray) -> np.ndarray:
        return np.asarray(
            self._teacher_vectors[self._teacher_rows[sentences]], "float32"
        )

    def _order(self, epoch: int) -> tuple[np.ndarray, np.ndarray]:
        """Returns row indices (steps, batch) of an epoch and which use the pivot."""
        if self._epoch is None or self._epoch[0] != epoch:
            rng = np.random.default_rng((self._seed, 0, epoch))
            from_pivot = rng.random(len(self._pairs)) < self._pivot_share
            rows = self._draw(rng)
            rows = rows[: self.steps_per_epoch * self._batch_size]
            source = np.where(from_pivot, self._pairs[:, 0], self._pairs[:, 1])
            lengths = np.asarray(self._tokens.lengths)[source[rows]]
            batches = grouped_by_length(rows, lengths, self._batch_size, rng)
            self._epoch = (epoch, batches, from_pivot)
        return self._epoch[1], self._epoch[2]

    def _draw(self, rng: np.random.Generator) -> np.ndarray:
        """Returns as many row indices as there are pairs, in random order."""
        if self._quotas is None:
            return rng.permutation(len(self._pairs))
        drawn = []
        for rows, quota in self._quotas:
            # Every row of an entry comes up before one comes up again.
            times, rest = divmod(quota, len(rows))
            drawn += [np.tile(rows, times), rng.choice(rows, rest, replace=False)]
        return rng.permutation(np.concatenate(drawn))


def _quotas(
    entries: np.ndarray, weights: Sequence[float]
) -> list[tuple[np.ndarray, int]]:
    """Returns for each entry that has rows their indices, and how many to draw."""
    rows = [np.flatnonzero(entries == entry) for entry in range(len(weights))]
    present = [i for i in range(len(weights)) if len(rows[i])]
    shares = np.cumsum([weights[i] for i in present])
    ends = np.round(shares / shares[-1] * len(entries)).astype(int)
    counts = np.diff(ends, prepend=0).tolist()
    return [(rows[i], count) for i, count in zip(present, counts, strict=True)]
