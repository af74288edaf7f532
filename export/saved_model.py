"""The student as a TensorFlow SavedModel that takes text.

Load it with `import tensorflow_text` before `tf.saved_model.load`: the tokenizer's
operation is registered by that import.

What becomes of unusual text, the same as in the Python tokenizer:
an empty string is its start and end token; text longer than `max_length` tokens loses
pieces from its end and keeps the end token; bytes that are not UTF-8 become unknown
pieces. A batch of no strings gives no rows.
"""

from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from babelet.core.errors import BabeletError
from babelet.data.tokenizer import Tokenizer
from babelet.export.metadata import attach_saved_metadata
from babelet.export.tokenization import Function, text_function


def export_saved_model(
    student: keras.Model,
    tokenizer: Tokenizer,
    folder: Path,
    metadata: dict[str, Any],
) -> None:
    """Writes `folder` with the signatures `serving_default` and `from_tokens`.

    serving_default: `text` string (batch,) -> `embedding` float32 (batch, dim), or
    `scores` float32 (batch, classes) of a classifier.
    from_tokens: `token_ids` int32 (batch, length) and `padding_mask` bool (batch,
    length), length up to `max_length` -> the same.

    Args:
        student: Built in float32.
        tokenizer: The student's.
        folder: Created; it must not exist.
        metadata: Written as JSON to assets.extra/babelet.json, which TensorFlow
            ignores.

    Raises:
        BabeletError: The disk is full.
    """
    from_tokens = token_function(student, mask_dtype=tf.bool)
    from_text = text_function(from_tokens, tokenizer)
    signatures = {"serving_default": from_text, "from_tokens": from_tokens}
    save_functions(student, signatures, folder)
    attach_saved_metadata(folder, metadata)


def output_name(student: keras.Model) -> str:
    """Returns the name of the output: "scores" of classes, or "embedding"."""
    return "scores" if student.output_names == ["scores"] else "embedding"


def token_function(student: keras.Model, mask_dtype: tf.DType) -> Function:
    """Returns the student as a tf.function for any batch and length.

    Args:
        student: Inputs `token_ids` and `padding_mask`, output (batch, dim).
        mask_dtype: tf.bool, or tf.int32 for 1 at tokens and 0 at padding.
    """
    name = output_name(student)

    @tf.function(
        input_signature=[
            tf.TensorSpec([None, None], tf.int32, name="token_ids"),
            tf.TensorSpec([None, None], mask_dtype, name="padding_mask"),
        ]
    )
    def from_tokens(
        token_ids: tf.Tensor, padding_mask: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        mask = tf.cast(padding_mask, tf.bool)
        inputs = {"token_ids": token_ids, "padding_mask": mask}
        return {name: student(inputs, training=False)}

    return from_tokens


def save_functions(
    student: keras.Model, signatures: dict[str, Function], folder: Path
) -> None:
    """Saves `signatures`, which call `student`, as a SavedModel in `folder`.

    Raises:
        BabeletError: The disk is full.
    """
    module = tf.Module()
    # The weights themselves: a Keras model as an attribute is saved as well, and every
    # weight is then stored twice. Not the states of dropout, which no signature reads
    # and which would be other ones in every process.
    module.weights = [weight.value for weight in student.weights]
    try:
        tf.saved_model.save(module, str(folder), signatures=signatures)
    except tf.errors.OpError as error:
        if "No space left" not in str(error):
            raise
        raise BabeletError(
            f"No space left on the disk while writing {folder}",
            consequence="Nothing half-written was left",
            remedy="free some space or choose another --workdir, then run the same "
            "command again: finished steps are kept",
        ) from error
