"""A translator as a LiteRT file that runs on a phone, from token ids to token ids.

Three signatures, of builtin operations only: `serving_default`, a greedy search with
its loop inside, and `encode` and `decode_step` for a search of one's own. See
`export.translation_functions` for what they take and give.
"""

from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from babelet.data.tokenizer import Tokenizer
from babelet.export.litert import Quantisation, convert_functions
from babelet.export.metadata import attach_metadata
from babelet.export.translation_functions import encode_and_step, sentence_to_ids
from babelet.model.decoding import COPIES, EXTRA, FACTOR
from babelet.model.encoder_decoder import EncoderDecoder

# What a search of one's own must know, in the metadata.
DECODING = {"copies": COPIES, "factor": FACTOR, "extra": EXTRA}


def convert_translator(
    model: EncoderDecoder,
    tokenizer: Tokenizer,
    path: Path,
    quantisation: Quantisation,
    metadata: dict[str, Any],
) -> None:
    """Writes `model` to `path`.

    Args:
        model: Built in float32; with "int8" its token table is changed in place, to
            what 8 bits can tell.
        tokenizer: Of both languages.
        path: The .tflite file; its folder holds a temporary SavedModel meanwhile.
        quantisation: As in `export.litert.convert`.
        metadata: Goes inside the file, with what a search of one's own must know.

    Raises:
        BabeletError: An operation has no builtin LiteRT kernel, or the disk is full.
    """
    if quantisation == "int8":
        keep_one_table(model)
    functions = {"serving_default": sentence_to_ids(model, tokenizer)}
    functions |= encode_and_step(model)
    path.write_bytes(convert_functions(model, functions, path, quantisation))
    attach_metadata(path, metadata | {"decoding": DECODING})


def keep_one_table(model: EncoderDecoder) -> None:
    """Lets embedding and output logits share their table in an int8 file too.

    The converter quantises the table of a look-up as a whole and that of a product row
    by row: two copies, and the look-up's is made float again at each sentence. Here
    the look-up reads the rows' own 8 bits, which are the product's, and the converter
    stores equal bytes once.
    """
    table = model.embedding.tokens.numpy()
    scales = np.abs(table).max(axis=1, keepdims=True) / 127
    scales = np.where(scales > 0, scales, 1).astype(np.float32)
    codes = np.round(table / scales).astype(np.int8)
    model.embedding.tokens.assign(codes * scales)

    def vectors(token_ids: tf.Tensor) -> tf.Tensor:
        rows = tf.cast(tf.gather(tf.constant(codes), token_ids), tf.float32)
        return rows * tf.gather(tf.constant(scales), token_ids)

    model.embedding.vectors = vectors
