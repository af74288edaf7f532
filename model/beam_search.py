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
    places = tf.expand_dims(tf.range(length), 0)

    def unfinished(
        position: tf.Tensor,
        done: tf.Tensor,
        last: tf.Tensor,
        written: tf.Tensor,
        lengths: tf.Tensor,
        total: tf.Tensor,
        *_: object,
    ) -> tf.Tensor:
        scores = _normalised(total, lengths, length_penalty)
        # Log-probability only falls: no continuation of a beam is worth more.
        bounds = _normalised(total, limits, length_penalty)
        best = tf.reduce_max(tf.reshape(_where(done, scores), [-1, beams]), 1)
        hope = tf.reduce_max(tf.reshape(_where(~done, bounds), [-1, beams]), 1)
        return tf.logical_and(position < length + 1, tf.reduce_any(hope > best))

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
        logits = tf.cast(logits, tf.float32) + banned + history.penalty(size)
        tokens, gained = _next(logits, lengths >= limits, done, beams, vocabulary)
        totals = tf.expand_dims(total, 1) + gained
        scores = _normalised(totals, tf.expand_dims(lengths, 1), length_penalty)
        parent, place = _chosen(scores, beams)
        token, total = (
            tf.gather(tf.reshape(part, [-1]), place) for part in (tokens, totals)
        )
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
    _, done, _, written, lengths, total, *_ = tf.while_loop(unfinished, advance, start)
    scores = _where(done, _normalised(total, lengths, length_penalty))
    best = tf.argmax(tf.reshape(scores, [-1, beams]), -1, tf.int32)
    best += tf.range(rows) * beams
    return tf.gather(written, best), tf.gather(lengths, best)


def _next(
    logits: tf.Tensor,
    full: tf.Tensor,
    done: tf.Tensor,
    beams: int,
    vocabulary: Vocabulary,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the best next tokens of each beam, and the log-probability each adds.

    No beam can have more than `beams` of the next ones, so that no others are looked
    at.

    Args:
        logits: (rows, size).
        full: bool (rows,), at its limit: it can but end.
        done: bool (rows,), has ended: it goes on with padding, at no cost.
        beams: How many, of those there are.
        vocabulary: Its size and special ids.

    Returns:
        int32 and float32 (rows, count).
    """
    count = min(beams, vocabulary.size)
    values, tokens = tf.math.top_k(logits, count)
    norm = tf.reduce_logsumexp(logits, 1, keepdims=True)
    first = tf.one_hot(0, count, 0.0, FORBIDDEN)
    end = logits[:, vocabulary.eos_id, None]
    full, done = tf.expand_dims(full, 1), tf.expand_dims(done, 1)
    gained = tf.where(full, end + first, values) - norm
    tokens = tf.where(full, vocabulary.eos_id, tokens)
    gained = tf.where(done, first, gained)
    return tf.where(done, vocabulary.pad_id, tokens), gained


def _chosen(scores: tf.Tensor, beams: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the beam that each new beam goes on from, and its place in `scores`.

    Args:
        scores: (rows * beams, count), of each beam with each of its next tokens.
        beams: Of each row.

    Returns:
        Two of int32 (rows * beams,); the place is one among all scores.
    """
    count = scores.shape[1]
    scores = tf.reshape(scores, [-1, beams * count])
    _, chosen = tf.math.top_k(scores, beams)
    first = tf.expand_dims(tf.range(tf.shape(scores)[0]) * beams * count, 1)
    place = tf.reshape(first + chosen, [-1])
    return place // count, place


def _normalised(
    total: tf.Tensor, lengths: tf.Tensor, length_penalty: float
) -> tf.Tensor:
    """Returns log-probability / tokens ** length_penalty, the end token counted."""
    return total / tf.cast(lengths + 1, tf.float32) ** length_penalty


def _where(chosen: tf.Tensor, scores: tf.Tensor) -> tf.Tensor:
    """Returns the scores, FORBIDDEN where they are not `chosen`."""
    return tf.where(chosen, scores, FORBIDDEN)
