"""The student's tokenizer as TensorFlow operations, for files that take text.

It is put before any function of token ids; what that one gives is no concern of it.

One function for the SavedModel and for LiteRT, so that their ids are those of one
graph. LiteRT has kernels for tokenizing and for making the ragged rows a rectangle,
and none for cutting ragged rows: rows are cut, and given their end token, after that.
"""

from collections.abc import Callable

import tensorflow as tf
import tensorflow_text

from babelet.data.tokenizer import Tokenizer

# Strings (B,) -> token ids int32 (B, L), mask bool (B, L)
Tokenize = Callable[[tf.Tensor], tuple[tf.Tensor, tf.Tensor]]
Function = tf.types.experimental.PolymorphicFunction


def text_function(from_tokens: Function, tokenizer: Tokenizer) -> Function:
    """Returns `from_tokens` as a tf.function of `text`, string (batch,).

    Args:
        from_tokens: Of token ids int32 and mask bool, both (batch, length).
        tokenizer: The student's.
    """
    tokenize = tokenize_function(tokenizer)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="text")])
    def from_text(text: tf.Tensor) -> dict[str, tf.Tensor]:
        return from_tokens(*tokenize(text))

    return from_text


def tokenize_function(tokenizer: Tokenizer) -> Tokenize:
    """Returns the student's tokenizer as TensorFlow operations.

    Args:
        tokenizer: Of a SentencePiece Unigram model without byte fallback: of others
            the operation in LiteRT gives wrong ids, without a word.

    Returns:
        A function of `text` string (batch,) to token ids int32 (batch, length) and
        mask bool (batch, length), the length that of the batch's longest text.
    """
    pieces_of = tensorflow_text.FastSentencepieceTokenizer(tokenizer.model_bytes)
    room = tokenizer.max_length - 2

    def tokenize(text: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        ragged = pieces_of.tokenize(text)
        pieces = ragged.to_tensor(tokenizer.pad_id)[:, :room]
        # From the lengths and not from the ids: a mask of `ids != pad` would hide
        # a piece that happens to have the padding's id.
        count = tf.cast(ragged.row_lengths(), tf.int32)
        last = tf.expand_dims(tf.minimum(count, room) + 1, 1)  # (batch, 1)
        column = tf.zeros_like(last)
        ids = tf.concat(
            [column + tokenizer.bos_id, pieces, column + tokenizer.pad_id], axis=1
        )
        positions = tf.expand_dims(tf.range(tf.shape(ids)[1]), 0)  # (1, length)
        ids = tf.where(tf.equal(positions, last), tokenizer.eos_id, ids)
        return ids, positions <= last

    return tokenize
