"""Batches of a translator's training, as a pure function of (seed, step)."""

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from babelet.data.batching import grouped_by_length, stream
from babelet.data.context_store import ContextStore
from babelet.data.tokens import TokenStore

# Rows are alike in two lengths here: it takes a wider choice to find such.
_POOL_BATCHES = 200
_SEQUENCES = (
    "token_ids",
    "padding_mask",
    "target_ids",
    "labels",
    "weight",
    "soft_tokens",
    "soft_logits",
    "context",
    "context_mask",
)


class SoftTargets(NamedTuple):
    """What the teacher believes at every position of the target store.

    Position p of row i of the store, which is of the token after it, is at
    `starts[i] + p`.

    Attributes:
        starts: int64 (rows,).
        tokens: int (positions, K), its most probable tokens but for the true one.
        log_probabilities: (positions, K + 2): of the true token, of those, and of all
            others together.
    """

    starts: np.ndarray
    tokens: np.ndarray
    log_probabilities: np.ndarray


class TranslationBatches:
    """Batches of pairs of a source sentence and a row of target tokens."""

    def __init__(
        self,
        sources: TokenStore,
        targets: TokenStore,
        pairs: np.ndarray,
        *,
        batch_size: int,
        seed: int,
        soft: SoftTargets | None = None,
        context: ContextStore | None = None,
    ) -> None:
        """Takes memory-mapped stores; nothing is copied but ids.

        Args:
            sources: Token ids of every source sentence.
            targets: Token ids of every target, start and end token included.
            pairs: int32 (n, 2), rows of `sources` and of `targets`.
            batch_size: Pairs per batch.
            seed: Of the order.
            soft: The teacher's beliefs about `targets`; None for none.
            context: What another encoder makes of `sources`; None for none.
        """
        self._sources = sources
        self._targets = targets
        self._pairs = np.asarray(pairs)
        self._batch_size = min(batch_size, len(self._pairs))
        self._seed = seed
        self._soft = soft
        self._context = context
        self._epoch: tuple[int, np.ndarray] | None = None

    def dataset(self, first_step: int) -> tf.data.Dataset:
        """Returns the endless batches from `first_step` on."""
        return stream(self.batch, first_step, _SEQUENCES)

    def pairs_of(self, step: int) -> np.ndarray:
        """Returns int32 (batch, 2): source and target rows of a step."""
        epoch, index = divmod(step, len(self._pairs) // self._batch_size)
        return self._pairs[self._order(epoch)[index]]

    def batch(self, step: int) -> dict[str, np.ndarray]:
        """Returns the arrays of a step; see `laid_out` and `ContextStore.padded`."""
        pairs = self.pairs_of(step)
        source, target = pairs[:, 0], pairs[:, 1]
        batch = laid_out(self._sources, self._targets, source, target, self._soft)
        return batch if self._context is None else batch | self._context.padded(source)

    def _order(self, epoch: int) -> np.ndarray:
        """Returns row indices (steps, batch) of an epoch."""
        if self._epoch is None or self._epoch[0] != epoch:
            rng = np.random.default_rng((self._seed, 0, epoch))
            steps = len(self._pairs) // self._batch_size
            rows = rng.permutation(len(self._pairs))[: steps * self._batch_size]
            source, target = self._pairs[rows].T
            lengths = np.maximum(
                self._sources.lengths[source], self._targets.lengths[target]
            )
            batches = grouped_by_length(
                rows, lengths, self._batch_size, rng, _POOL_BATCHES
            )
            self._epoch = epoch, batches
        return self._epoch[1]


def laid_out(
    sources: TokenStore,
    targets: TokenStore,
    source_rows: np.ndarray,
    target_rows: np.ndarray,
    soft: SoftTargets | None = None,
) -> dict[str, np.ndarray]:
    """Returns pairs as one batch of arrays.

    Args:
        sources: Token ids of the source sentences.
        targets: Token ids of the targets.
        source_rows: int (B,).
        target_rows: int (B,).
        soft: The teacher's beliefs about `targets`.

    Returns:
        "token_ids" int32 and "padding_mask" bool (B, S), the source; "target_ids"
        int32 (B, L), from the start token on; "labels" int32 (B, L), the token after
        each; "weight" float32 (B, L), 0 at padding. With `soft` also "soft_tokens"
        int32 (B, L, K) and "soft_logits" float32 (B, L, K + 2).
    """
    batch = sources.padded(source_rows, multiple=1)
    target = targets.padded(target_rows, multiple=1)
    batch |= {
        "target_ids": target["token_ids"][:, :-1],
        "labels": target["token_ids"][:, 1:],
        "weight": target["padding_mask"][:, 1:].astype(np.float32),
    }
    if soft is not None:
        places = soft.starts[target_rows, None] + np.arange(batch["labels"].shape[1])
        places = np.where(batch["weight"] > 0, places, 0)
        batch["soft_tokens"] = soft.tokens[places].astype(np.int32)
        batch["soft_logits"] = soft.log_probabilities[places].astype(np.float32)
    return batch
