"""Translation: at every position of the target, the vocabulary is the candidates.

Word-level distillation (Kim & Rush 2016, section 3.1): the teacher's distribution of
each next token, given the target before it. Of the vocabulary the label and the
teacher's most probable tokens are told apart, and all others are one candidate.
"""

from collections.abc import Sequence

import keras
import tensorflow as tf

from babelet.core.by_length import by_length
from babelet.data.context_store import EncodeTokens, padded
from babelet.data.tokenizer import Tokenizer
from babelet.evaluation.translation import Translate
from babelet.model.candidates import named_and_rest
from babelet.model.decoding import Vocabulary
from babelet.model.encoder_decoder import Context, EncoderDecoder
from babelet.model.objective import Decisions, Outcome
from babelet.model.translation import translate

# Rows of a batch, beams counted.
_ROWS = 128
# Positions whose logits are computed are a multiple of it.
_PLACES = 64
_INPUTS = ("token_ids", "padding_mask", "target_ids", "context", "context_mask")


def decide_next_token(student: keras.Model, batch: dict, training: bool) -> Outcome:
    """Returns the decision at every position that counts, (N, K) candidates.

    Args:
        student: An `EncoderDecoder`.
        batch: As `TranslationBatches.batch` makes it. The candidates are the label, its
            "soft_tokens" where there are any, and all others as one.
        training: Whether dropout is on.
    """
    inputs = {name: batch[name] for name in _INPUTS if name in batch}
    places = _counted(batch["weight"])
    logits = student(inputs, training=training, places=places)
    labels, weight, soft_tokens, soft_logits = (
        _at(batch[name], places) if name in batch else None
        for name in ("labels", "weight", "soft_tokens", "soft_logits")
    )
    candidates = tf.expand_dims(labels, -1)
    if soft_tokens is not None:
        candidates = tf.concat([candidates, soft_tokens], axis=-1)
    return Outcome(
        {
            "next_token": Decisions(
                named_and_rest(logits, candidates),
                tf.zeros_like(labels),
                soft_logits,
                weight=weight,
            )
        },
        {},
    )


def _counted(weight: tf.Tensor) -> tf.Tensor:
    """Returns int32 (N,), the positions of weight (B, L) that are not padding.

    A little padding is among them: what XLA compiles, it compiles anew for each N.
    """
    flat = tf.reshape(weight, [-1])
    count = tf.math.count_nonzero(flat, dtype=tf.int32)
    count = tf.minimum(-(-count // _PLACES) * _PLACES, tf.size(flat))
    return tf.argsort(tf.cast(tf.equal(flat, 0), tf.int32), stable=True)[:count]


def _at(values: tf.Tensor, places: tf.Tensor) -> tf.Tensor:
    """Returns (N, ...), the values (B, L, ...) at `places` of their B * L."""
    shape = tf.shape(values)
    return tf.gather(tf.reshape(values, tf.concat([[-1], shape[2:]], 0)), places)


def keras_translate(
    model: EncoderDecoder,
    tokenizer: Tokenizer,
    beams: int = 1,
    length_penalty: float = 1.0,
    encode_tokens: EncodeTokens | None = None,
) -> Translate:
    """Returns `translate`: texts to their translations.

    Args:
        model: Student or teacher.
        tokenizer: Of both languages.
        beams: 1 is greedy search.
        length_penalty: Beams are compared by log-probability / length to this power.
        encode_tokens: The encoder whose vectors the model reads as its context.
    """
    vocabulary = Vocabulary(tokenizer.vocabulary_size, *tokenizer.special_ids)
    decode = tf.function(
        lambda token_ids, padding_mask, *context: translate(
            model,
            token_ids,
            padding_mask,
            vocabulary,
            beams,
            length_penalty,
            Context(*context) if context else None,
        ),
        input_signature=_signature(model.context_dim),
    )
    size = max(1, _ROWS // beams)

    def inputs(texts: Sequence[str], ids: list[list[int]]) -> list[tf.Tensor]:
        batch = tokenizer.pad(ids)
        arrays = [batch["token_ids"], batch["padding_mask"]]
        if encode_tokens is not None:
            arrays += padded(encode_tokens(texts)).values()
        return [tf.constant(array) for array in arrays]

    def run(texts: Sequence[str]) -> list[str]:
        translations = [""] * len(texts)
        ids = tokenizer.encode(texts)
        for rows in by_length([len(row) for row in ids], rows=size):
            own = [texts[int(row)] for row in rows]
            written, lengths = decode(*inputs(own, [ids[row] for row in rows]))
            pairs = zip(written.numpy(), lengths.numpy(), strict=True)
            found = tokenizer.decode([row[:length] for row, length in pairs])
            for row, text in zip(rows, found, strict=True):
                translations[row] = text
        return translations

    return run


def _signature(context_dim: int) -> list[tf.TensorSpec]:
    """Returns what decoding takes: token ids and mask, and a context's two parts."""
    parts = [
        tf.TensorSpec([None, None], tf.int32),
        tf.TensorSpec([None, None], tf.bool),
    ]
    if context_dim:
        parts.append(tf.TensorSpec([None, None, context_dim], tf.float16))
        parts.append(tf.TensorSpec([None, None], tf.bool))
    return parts
