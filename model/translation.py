"""From a batch of source ids to those of its translations."""

import tensorflow as tf

from babelet.model.beam_search import beam_search
from babelet.model.decoding import Step, Vocabulary, greedy, length_limits
from babelet.model.encoder_decoder import Context, EncoderDecoder


def translate(
    model: EncoderDecoder,
    token_ids: tf.Tensor,
    padding_mask: tf.Tensor,
    vocabulary: Vocabulary,
    beams: int = 1,
    length_penalty: float = 1.0,
    context: Context | None = None,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the translations of a batch of sources.

    Args:
        model: In float32, or in the precision it is trained in.
        token_ids: int32 (batch, length), start and end tokens included.
        padding_mask: bool (batch, length).
        vocabulary: Its size and special ids.
        beams: 1 is greedy search.
        length_penalty: See `beam_search`.
        context: See `EncoderDecoder.read_source`.

    Returns:
        As `greedy`; the width is the largest limit of the batch.
    """
    pieces = tf.reduce_sum(tf.cast(padding_mask, tf.int32), axis=1) - 2
    limits = length_limits(pieces, model.max_length - 1)
    length = tf.maximum(tf.reduce_max(limits), 1)
    cache = model.empty_cache(tf.shape(token_ids)[0], length + 1)
    sources, mask = model.read_source(token_ids, padding_mask, context=context)

    def reading(sources: list, mask: tf.Tensor) -> Step:
        # No part of the state: all beams of a sentence read the same source, and what
        # is in the state is copied at every step.
        return lambda *now: model.step(*now, sources, mask)

    def step_of(rows: tf.Tensor) -> Step:
        own = tf.nest.map_structure(lambda part: tf.gather(part, rows), (sources, mask))
        return reading(*own)

    if beams == 1:
        return greedy(reading(sources, mask), cache, limits, length, vocabulary)
    return beam_search(
        step_of, cache, limits, length, vocabulary, beams, length_penalty
    )
