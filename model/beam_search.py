"""Beam search with length normalisation, under the promises of `model.decoding`."""

import tensorflow as tf

from model.decoding import FORBIDDEN, History, Step, Vocabulary, never


def beam_search(
    step: Step,
    state: object,
    limits: tf.Tensor,
    length: tf.Tensor | int,
    vocabulary: Vocabulary,
    beams: int,
    length_penalty: float,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the best of `beams` translations that are followed side by side.

    They are compared by log-probability / tokens ** length_penalty, the end token
    counted (Wu et al. 2016 with a plain power), those that have ended among them.

    Args:
        step: The model.
        state: Its state before the start token, one row a sentence.
        limits: int32 (rows,), tokens a row may have.
        length: The largest of `limits`, or more.
        vocabulary: Its size and special ids.
        beams: 1 or more.
        length_penalty: 0 prefers short translations.

    Returns:
        As `greedy`.
    """
    rows = tf.shape(limits)[0]
    limits = tf.repeat(limits, beams)
    size, banned = vocabulary.size, never(vocabulary)
    first = tf.expand_dims(tf.range(rows) * beams, 1)
    places = tf.expand_dims(tf.range(length), 0)

    def unfinished(position: tf.Tensor, done: tf.Tensor, *_: object) -> tf.Tensor:
        return tf.logical_and(
            position < length + 1, tf.logical_not(tf.reduce_all(done))
        )

    def advance(
        position: tf.Tensor,
        done: tf.Tensor,
        last: tf.Tensor,
        written: tf.Tensor,
        lengths: tf.Tensor,
        total: tf.Tensor,
        history: History,
        state: object,
    ) -> tuple:
        logits, state = step(last, position, state)
        logits = tf.cast(logits, tf.float32) + banned
        logits += history.penalty(size)
        gained = _gained(logits, lengths >= limits, done, vocabulary)
        totals = tf.expand_dims(total, 1) + gained
        # The tokens of each beam if it takes one more, its end token counted.
        count = tf.expand_dims(tf.cast(lengths + 1, tf.float32), 1)
        scores = tf.reshape(totals / count**length_penalty, [rows, beams * size])
        _, chosen = tf.math.top_k(scores, beams)
        parent = tf.reshape(first + chosen // size, [-1])
        token = tf.reshape(chosen % size, [-1])
        total = tf.gather(tf.reshape(totals, [-1]), parent * size + token)
        done, written, lengths, history, state = tf.nest.map_structure(
            lambda part: tf.gather(part, parent),
            (done, written, lengths, history, state),
        )
        done = tf.logical_or(done, token == vocabulary.eos_id)
        here = tf.logical_and(places == position, tf.expand_dims(~done, 1))
        written = tf.where(here, tf.expand_dims(token, 1), written)
        lengths += tf.cast(~done, tf.int32)
        history = history.with_token(token)
        return position + 1, done, token, written, lengths, total, history, state

    start = (
        tf.constant(0),
        limits <= 0,
        tf.fill([rows * beams], vocabulary.bos_id),
        tf.fill(tf.stack([rows * beams, length]), vocabulary.pad_id),
        tf.zeros([rows * beams], tf.int32),
        # All beams are the same at first: only the first of each row may be chosen.
        tf.tile([0.0] + [FORBIDDEN] * (beams - 1), [rows]),
        History.empty(rows * beams, length),
        tf.nest.map_structure(lambda part: tf.repeat(part, beams, axis=0), state),
    )
    _, _, _, written, lengths, total, *_ = tf.while_loop(unfinished, advance, start)
    best = _best(total, lengths, beams, length_penalty)
    return tf.gather(written, best), tf.gather(lengths, best)


def _gained(
    logits: tf.Tensor, full: tf.Tensor, done: tf.Tensor, vocabulary: Vocabulary
) -> tf.Tensor:
    """Returns the log-probability that each token adds, float32 (beams, size).

    Args:
        logits: (beams, size).
        full: bool (beams,), at its limit: it can but end.
        done: bool (beams,), has ended: it goes on with padding, at no cost.
        vocabulary: Its size and special ids.
    """
    size = vocabulary.size
    ending = tf.one_hot(vocabulary.eos_id, size, 0.0, FORBIDDEN)
    padding = tf.one_hot(vocabulary.pad_id, size, 0.0, FORBIDDEN)
    gained = tf.nn.log_softmax(logits)
    gained = tf.where(tf.expand_dims(full, 1), gained + ending, gained)
    return tf.where(tf.expand_dims(done, 1), padding, gained)


def _best(
    total: tf.Tensor, lengths: tf.Tensor, beams: int, length_penalty: float
) -> tf.Tensor:
    """Returns the number of each sentence's best beam, int32 (rows,)."""
    count = tf.cast(lengths + 1, tf.float32)
    scores = tf.reshape(total / count**length_penalty, [-1, beams])
    best = tf.argmax(scores, -1, tf.int32)
    return tf.range(tf.size(best)) * beams + best
