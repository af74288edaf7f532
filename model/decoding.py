"""Greedy search over any model that predicts one token after another.

It keeps two promises, as `model.beam_search` does, whatever the model says: a row has
at most its limit of tokens, and no run of tokens follows itself more than three times
(the token that would complete a fourth copy cannot be chosen). KerasHub's samplers know
neither these nor a length normalisation.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf

# Added to the logits of what must not be chosen.
FORBIDDEN = -1e9
# Copies of a run of tokens, one after another, that are still allowed.
COPIES = 3
# A translation has at most FACTOR * n + EXTRA tokens for n of the source. What is
# promised is twice and ten: its text, tokenized again, may have some pieces more.
FACTOR, EXTRA = 2, 8


class Vocabulary(NamedTuple):
    """What decoding must know of the tokens: its size, and the special ids."""

    size: int
    pad_id: int
    bos_id: int
    eos_id: int
    unk_id: int


# (token ids int32 (rows,), position int32 (), state) -> logits (rows, size), state
Step = Callable[[tf.Tensor, tf.Tensor, Any], tuple[tf.Tensor, Any]]


class History(NamedTuple):
    """The tokens before, so far as copies of runs are concerned; all (rows, periods).

    Attributes:
        recent: int32, the last tokens, the last one first; -1 before the beginning.
        agreeing: int32, at n - 1: how many of the last tokens, without a gap, are
            equal to the one n places before them.
    """

    recent: tf.Tensor
    agreeing: tf.Tensor

    @classmethod
    def empty(cls, rows: tf.Tensor, length: tf.Tensor) -> "History":
        """Returns that of no token, for sentences of up to `length` tokens."""
        shape = tf.stack([rows, tf.maximum(length // (COPIES + 1), 1)])
        return cls(tf.fill(shape, -1), tf.zeros(shape, tf.int32))

    def with_token(self, token_ids: tf.Tensor) -> "History":
        """Returns the history with one more token a row, int32 (rows,)."""
        token = tf.expand_dims(token_ids, 1)
        agreeing = tf.where(self.recent == token, self.agreeing + 1, 0)
        return History(tf.concat([token, self.recent[:, :-1]], 1), agreeing)

    def penalty(self, size: int) -> tf.Tensor:
        """Returns float32 (rows, size), FORBIDDEN at tokens that end a copy too many.

        With n tokens agreeing COPIES * n - 1 times, one more completes COPIES + 1
        equal runs of n.
        """
        rows, periods = tf.unstack(tf.shape(self.recent))
        last = COPIES * (tf.range(periods) + 1) - 1
        ends = tf.cast(self.agreeing >= tf.expand_dims(last, 0), tf.float32)
        row = tf.tile(tf.expand_dims(tf.range(rows), 1), tf.stack([1, periods]))
        places = tf.stack([row, tf.maximum(self.recent, 0)], -1)
        return tf.scatter_nd(places, ends * FORBIDDEN, tf.stack([rows, size]))


def length_limits(pieces: tf.Tensor, longest: tf.Tensor | int) -> tf.Tensor:
    """Returns the tokens a translation may have, int32, for sources of `pieces`.

    Twice the source and EXTRA more, at most `longest`; none for an empty source.
    """
    limits = tf.minimum(FACTOR * pieces + EXTRA, longest)
    return tf.where(pieces > 0, limits, 0)


def greedy(
    step: Step,
    state: object,
    limits: tf.Tensor,
    length: tf.Tensor | int,
    vocabulary: Vocabulary,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the most probable token after each, until every row has ended.

    Args:
        step: The model.
        state: Its state before the start token.
        limits: int32 (rows,), tokens a row may have.
        length: The largest of `limits`, or more.
        vocabulary: Its size and special ids.

    Returns:
        Token ids int32 (rows, length), padding after the end, without start and end
        tokens; and their numbers, int32 (rows,).
    """
    rows = tf.shape(limits)[0]
    banned = never(vocabulary)
    places = tf.expand_dims(tf.range(length), 0)

    def unfinished(position: tf.Tensor, done: tf.Tensor, *_: object) -> tf.Tensor:
        return tf.logical_and(position < length, tf.logical_not(tf.reduce_all(done)))

    def advance(
        position: tf.Tensor,
        done: tf.Tensor,
        last: tf.Tensor,
        written: tf.Tensor,
        lengths: tf.Tensor,
        history: History,
        state: object,
    ) -> tuple:
        logits, state = step(last, position, state)
        logits = tf.cast(logits, tf.float32) + banned
        logits += history.penalty(vocabulary.size)
        token = tf.argmax(logits, -1, tf.int32)
        done = tf.logical_or(done, token == vocabulary.eos_id)
        token = tf.where(done, vocabulary.pad_id, token)
        here = tf.logical_and(places == position, tf.expand_dims(~done, 1))
        written = tf.where(here, tf.expand_dims(token, 1), written)
        lengths += tf.cast(~done, tf.int32)
        done = tf.logical_or(done, lengths >= limits)
        history = history.with_token(token)
        return position + 1, done, token, written, lengths, history, state

    start = (
        tf.constant(0),
        limits <= 0,
        tf.fill([rows], vocabulary.bos_id),
        tf.fill(tf.stack([rows, length]), vocabulary.pad_id),
        tf.zeros([rows], tf.int32),
        History.empty(rows, length),
        state,
    )
    _, _, _, written, lengths, *_ = tf.while_loop(unfinished, advance, start)
    return written, lengths


def never(vocabulary: Vocabulary) -> tf.Tensor:
    """Returns float32 (1, size), FORBIDDEN at the ids that no translation has."""
    ids = [vocabulary.pad_id, vocabulary.bos_id, vocabulary.unk_id]
    marked = tf.reduce_sum(tf.one_hot(ids, vocabulary.size), axis=0, keepdims=True)
    return marked * FORBIDDEN
