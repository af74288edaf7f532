"""Beam search with length normalisation, under the promises of `model.decoding`."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import tensorflow as tf

from babelet.model.decoding import FORBIDDEN, History, Step, Vocabulary, never

# Of tokens, of which the largest logit is found at once.
_BLOCK = 80


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
    step_of: Callable[[tf.Tensor], Step],
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
        step_of: From the sentence of each row, int32 (rows,), to the model for such
            rows: sentences that have ended are left out on the way.
        state: The model's before the start token, one row a sentence.
        limits: int32 (rows,), tokens a row may have. An argument of the graph, of any
            number: of constants TensorFlow believes that the rows stay as many.
        length: The largest of `limits`, or more.
        vocabulary: Its size and special ids.
        beams: 1 or more.
        length_penalty: 0 prefers short translations.

    Returns:
        As `greedy`.
    """

    def advance(
        rows: tf.Tensor, now: _Beams, written: tf.Tensor, lengths: tf.Tensor
    ) -> tuple:
        every = tf.gather(rows, tf.range(tf.size(rows) * beams) // beams)
        own = tf.gather(limits, every)
        is_open = partial(
            _open,
            limits=own,
            length=length,
            beams=beams,
            length_penalty=length_penalty,
        )
        now = _followed(
            step_of(every), now, own, is_open, vocabulary, beams, length_penalty
        )
        best, place = _best(now, beams, length_penalty), tf.expand_dims(rows, 1)
        # Of those that go on, it will be written over.
        written, lengths = (
            tf.tensor_scatter_nd_update(whole, place, tf.gather(part, best))
            for whole, part in ((written, now.written), (lengths, now.lengths))
        )
        kept = tf.reshape(tf.where(is_open(now)), [-1])
        return tf.gather(rows, kept), _only(now, kept, beams), written, lengths

    rows = tf.range(tf.size(limits))
    now = _start(state, tf.repeat(limits, beams), length, vocabulary, beams)
    written = tf.fill(tf.stack([tf.size(limits), length]), vocabulary.pad_id)
    start = rows, now, written, tf.zeros_like(limits)
    _, _, written, lengths = tf.while_loop(
        lambda rows, *_: tf.size(rows) > 0, advance, start, _any_rows(start)
    )
    return written, lengths


def _followed(
    step: Step,
    now: _Beams,
    limits: tf.Tensor,
    is_open: Callable[[_Beams], tf.Tensor],
    vocabulary: Vocabulary,
    beams: int,
    length_penalty: float,
) -> _Beams:
    """Returns the beams when half of the sentences have ended, or all; see `_open`."""
    size, banned = vocabulary.size, never(vocabulary)
    places = tf.expand_dims(tf.range(tf.shape(now.written)[1]), 0)
    most = tf.size(limits) // beams // 2

    def unfinished(now: _Beams) -> tf.Tensor:
        return tf.math.count_nonzero(is_open(now), dtype=tf.int32) > most

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

    (end,) = tf.while_loop(unfinished, advance, (now,), (_any_rows(now),))
    return end


def _only(now: _Beams, sentences: tf.Tensor, beams: int) -> _Beams:
    """Returns the beams of these of its sentences, int (n,)."""
    first = tf.expand_dims(tf.cast(sentences, tf.int32) * beams, 1)
    kept = tf.reshape(first + tf.expand_dims(tf.range(beams), 0), [-1])
    rest = tf.nest.map_structure(lambda part: tf.gather(part, kept), now[1:])
    return _Beams(now.position, *rest)


def _any_rows(parts: object) -> object:
    """Returns the shapes of tensors, but that of their first dimension."""
    return tf.nest.map_structure(
        lambda part: tf.TensorShape([None, *part.shape[1:]] if part.shape.rank else []),
        parts,
    )


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


def _open(
    now: _Beams,
    limits: tf.Tensor,
    length: tf.Tensor | int,
    beams: int,
    length_penalty: float,
) -> tf.Tensor:
    """Returns whether a sentence's best may still be to come, bool (sentences,)."""
    scores = _normalised(now.total, now.lengths, length_penalty)
    # Log-probability only falls: no continuation of a beam is worth more.
    bounds = _normalised(now.total, limits, length_penalty)
    best = tf.reduce_max(tf.reshape(_where(now.done, scores), [-1, beams]), 1)
    hope = tf.reduce_max(tf.reshape(_where(~now.done, bounds), [-1, beams]), 1)
    return tf.logical_and(now.position < length + 1, hope > best)


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
    values, tokens = largest(logits, count)
    norm = tf.reduce_logsumexp(logits, 1, keepdims=True)
    first = tf.one_hot(0, count, 0.0, FORBIDDEN)
    end = logits[:, vocabulary.eos_id, None]
    full, done = tf.expand_dims(full, 1), tf.expand_dims(done, 1)
    gained = tf.where(full, end + first, values) - norm
    tokens = tf.where(full, vocabulary.eos_id, tokens)
    gained = tf.where(done, first, gained)
    return tf.where(done, vocabulary.pad_id, tokens), gained


def largest(logits: tf.Tensor, count: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns what `tf.math.top_k` does, values and tokens (rows, count), faster.

    Whatever is among the `count` largest is in one of the `count` blocks whose own
    largest are the largest: only there is anything ranked.
    """
    size = logits.shape[1]
    blocks = -(-size // _BLOCK)
    if blocks <= count:
        return tf.math.top_k(logits, count)
    if missing := blocks * _BLOCK - size:
        logits = tf.pad(
            logits, [[0, 0], [0, missing]], constant_values=logits.dtype.min
        )
    parts = tf.reshape(logits, [-1, blocks, _BLOCK])
    _, chosen = tf.math.top_k(tf.reduce_max(parts, 2), count)
    # In their order: of equal values the first is taken, as `top_k` does.
    chosen = tf.sort(chosen, axis=1)
    rivals = tf.gather(parts, chosen, axis=1, batch_dims=1)
    rivals = tf.reshape(rivals, [-1, count * _BLOCK])
    values, places = tf.math.top_k(rivals, count)
    block = tf.gather(chosen, places // _BLOCK, axis=1, batch_dims=1)
    return values, block * _BLOCK + places % _BLOCK


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
