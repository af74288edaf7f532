"""Beam search with length normalisation, under the promises of `model.decoding`."""

from typing import NamedTuple

import tensorflow as tf

from model.decoding import FORBIDDEN, History, Step, Vocabulary, never


class _Beams(NamedTuple):
    """All that changes from one token to the next; a row is a beam of a sentence.

    Attributes:
        position: int32 (), tokens so far.
        done: bool (rows,), whether it has ended.
        total: float32 (rows,), its log-probability.
        lengths: int32 (rows,), its tokens without the end token.
        last: int32 (rows,), its last token.
        written: int32 (rows, length), its tokens.
        history: Of its runs of tokens.
        state: The model's.
    """

    position: tf.Tensor
    done: tf.Tensor
    total: tf.Tensor
    lengths: tf.Tensor
    last: tf.Tensor
    written: tf.Tensor
    history: History
    state: object


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
    limits = tf.repeat(limits, beams)
    size, banned = vocabulary.size, never(vocabulary)
    places = tf.expand_dims(tf.range(length), 0)

    def unfinished(now: _Beams) -> tf.Tensor:
        better = _may_improve(now, limits, beams, length_penalty)
        return tf.logical_and(now.position < length + 1, better)

    def advance(now: _Beams) -> tuple[_Beams]:
        logits, state = step(now.last, now.position, now.state)
        logits = tf.cast(logits, tf.float32) + banned + now.history.penalty(size)
        full = now.lengths >= limits
        tokens, gained = _next(logits, full, now.done, beams, vocabulary)
        totals = tf.expand_dims(now.total, 1) + gained
        lengths = tf.expand_dims(now.lengths, 1)
        parent, place = _chosen(_normalised(totals, lengths, length_penalty), beams)
        token, total = (
            tf.gather(tf.reshape(part, [-1]), place) for part in (tokens, totals)
        )
        done, written, lengths, history, state = tf.nest.map_structure(
            lambda part: tf.gather(part, parent),
            (now.done, now.written, now.lengths, now.history, state),
        )
        done = tf.logical_or(done, token == vocabulary.eos_id)
        here = tf.logical_and(places == now.position, tf.expand_dims(~done, 1))
        written = tf.where(here, tf.expand_dims(token, 1), written)
        lengths += tf.cast(~done, tf.int32)
        history = history.with_token(token)
        position = now.position + 1
        return (_Beams(position, done, total, lengths, token, written, history, state),)

    start = _start(state, limits, length, vocabulary, beams)
    (end,) = tf.while_loop(unfinished, advance, (start,))
    best = _best(end, beams, length_penalty)
    return tf.gather(end.written, best), tf.gather(end.lengths, best)


def _start(
    state: object,
    limits: tf.Tensor,
    length: tf.Tensor | int,
    vocabulary: Vocabulary,
    beams: int,
) -> _Beams:
    """Returns the beams before the first token; `limits` is of each of them."""
    count = tf.size(limits)
    return _Beams(
        position=tf.constant(0),
        done=limits <= 0,
        # All beams are the same at first: only the first of each row may be chosen.
        total=tf.tile([0.0] + [FORBIDDEN] * (beams - 1), [count // beams]),
        lengths=tf.zeros([count], tf.int32),
        last=tf.fill([count], vocabulary.bos_id),
        written=tf.fill(tf.stack([count, length]), vocabulary.pad_id),
        history=History.empty(count, length),
        state=tf.nest.map_structure(lambda part: tf.repeat(part, beams, 0), state),
    )


def _may_improve(
    now: _Beams, limits: tf.Tensor, beams: int, length_penalty: float
) -> tf.Tensor:
    """Returns whether the best translation of any sentence may still be to come."""
    scores = _normalised(now.total, now.lengths, length_penalty)
    # Log-probability only falls: no continuation of a beam is worth more.
    bounds = _normalised(now.total, limits, length_penalty)
    best = tf.reduce_max(tf.reshape(_where(now.done, scores), [-1, beams]), 1)
    hope = tf.reduce_max(tf.reshape(_where(~now.done, bounds), [-1, beams]), 1)
    return tf.reduce_any(hope > best)


def _best(end: _Beams, beams: int, length_penalty: float) -> tf.Tensor:
    """Returns the number of each sentence's best beam, int32 (sentences,)."""
    scores = _where(end.done, _normalised(end.total, end.lengths, length_penalty))
    best = tf.argmax(tf.reshape(scores, [-1, beams]), -1, tf.int32)
    return tf.range(tf.size(best)) * beams + best


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
