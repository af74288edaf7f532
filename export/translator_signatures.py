"""A translator as the functions that a SavedModel or a LiteRT file consists of.

The SavedModel takes text. The LiteRT file runs on a phone, from token ids to token ids,
with builtin operations only: `serving_default` is a greedy search with its loop inside;
`encode` and `decode_step` are for a search of one's own.
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_text
from sentencepiece import sentencepiece_model_pb2

from babelet.data.tokenizer import Tokenizer
from babelet.export.litert import convert_functions
from babelet.export.metadata import attach_metadata, attach_saved_metadata
from babelet.export.saved_model import save_functions
from babelet.export.task_export import Tier
from babelet.export.tokenization import Function, tokenize_function
from babelet.model.decoder import KeysValues
from babelet.model.decoding import (
    COPIES,
    EXTRA,
    FACTOR,
    Vocabulary,
    greedy,
    length_limits,
)
from babelet.model.encoder_decoder import EncoderDecoder
from babelet.model.translation import translate

# What a search of one's own must know, in the metadata.
DECODING = {"copies": COPIES, "factor": FACTOR, "extra": EXTRA}


def save_translator(
    model: EncoderDecoder, tokenizer: Tokenizer, folder: Path, metadata: dict[str, Any]
) -> None:
    """Writes a SavedModel: `text_to_text` as `serving_default`.

    Raises:
        BabeletError: The disk is full.
    """
    function = text_to_text(model, tokenizer)
    save_functions(model, {"serving_default": function}, folder)
    attach_saved_metadata(folder, metadata)


def convert_translator(
    model: EncoderDecoder,
    tokenizer: Tokenizer,
    path: Path,
    quantisation: Tier,
    metadata: dict[str, Any],
) -> None:
    """Writes `model` as a LiteRT file.

    Args:
        model: Built in float32.
        tokenizer: Of both languages.
        path: The .tflite file; its folder holds a temporary SavedModel meanwhile.
        quantisation: As in `export.litert.convert`.
        metadata: Goes inside the file; "decoding" is for a search of one's own.

    Raises:
        BabeletError: An operation has no builtin LiteRT kernel, or the disk is full.
    """
    table = one_table(model) if quantisation == "int8" else contextlib.nullcontext()
    with table:
        functions = {"serving_default": sentence_to_ids(model, tokenizer)}
        functions |= encode_and_step(model)
        path.write_bytes(convert_functions(model, functions, path, quantisation))
    attach_metadata(path, metadata)


@contextlib.contextmanager
def one_table(model: EncoderDecoder) -> Iterator[None]:
    """Lets embedding and output logits share their table in an int8 file too.

    The converter quantises the table of a look-up as a whole and that of a product row
    by row: two copies, and the look-up's is made float again at each sentence. Here
    the look-up reads the rows' own 8 bits, which are the product's, and the converter
    stores equal bytes once. Afterwards the model is as it was.
    """
    embedding, table = model.embedding, model.embedding.tokens.numpy()
    scales = np.abs(table).max(axis=1, keepdims=True) / 127
    scales = np.where(scales > 0, scales, 1).astype(np.float32)
    codes = np.round(table / scales).astype(np.int8)

    def vectors(token_ids: tf.Tensor) -> tf.Tensor:
        rows = tf.cast(tf.gather(tf.constant(codes), token_ids), tf.float32)
        return rows * tf.gather(tf.constant(scales), token_ids)

    embedding.tokens.assign(codes * scales)
    embedding.vectors = vectors
    try:
        yield
    finally:
        del embedding.vectors
        embedding.tokens.assign(table)


def text_to_text(model: EncoderDecoder, tokenizer: Tokenizer) -> Function:
    """Returns `text` string (batch,) -> `translation` string (batch,), greedy.

    The translation is what `Tokenizer.decode` makes of its ids.
    """
    tokenize = tokenize_function(tokenizer)
    pieces = tensorflow_text.FastSentencepieceTokenizer(tokenizer.model_bytes)
    vocabulary = Vocabulary(tokenizer.vocabulary_size, *tokenizer.special_ids)
    proto = sentencepiece_model_pb2.ModelProto.FromString(tokenizer.model_bytes)
    strips = proto.normalizer_spec.remove_extra_whitespaces

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="text")])
    def from_text(text: tf.Tensor) -> dict[str, tf.Tensor]:
        written, lengths = translate(model, *tokenize(text), vocabulary)
        rows = tf.RaggedTensor.from_tensor(written, lengths=lengths)
        said = pieces.detokenize(rows)
        if strips:
            # TensorFlow Text drops one space of a text's start, SentencePiece all.
            said = tf.strings.regex_replace(said, "^ +", "")
        return {"translation": said}

    return from_text


def sentence_to_ids(model: EncoderDecoder, tokenizer: Tokenizer) -> Function:
    """Returns the greedy search for one sentence, its loop inside.

    `token_ids` int32 (1, length), without padding -> `translation_ids` int32 (1,
    max_length - 1), padding after the end, and `length` int32 (1,), its tokens.
    """
    vocabulary = Vocabulary(tokenizer.vocabulary_size, *tokenizer.special_ids)
    longest = model.max_length - 1

    @tf.function(input_signature=[tf.TensorSpec([1, None], tf.int32, name="token_ids")])
    def from_tokens(token_ids: tf.Tensor) -> dict[str, tf.Tensor]:
        mask = tf.ones_like(token_ids, tf.bool)
        sources, _ = model.read_source(token_ids, mask)
        limits = length_limits(tf.shape(token_ids)[1:] - 2, longest)

        def step(
            token: tf.Tensor, position: tf.Tensor, cache: list
        ) -> tuple[tf.Tensor, list]:
            # The source stays outside: what a loop carries is copied at each step.
            return model.step(token, position, cache, sources, True)

        cache = model.empty_cache(1, longest)
        written, lengths = greedy(step, cache, limits, longest, vocabulary)
        return {"translation_ids": written, "length": lengths}

    return from_tokens


def encode_and_step(model: EncoderDecoder) -> dict[str, Function]:
    """Returns the two halves of a search of one's own, such as a beam search.

    encode: `token_ids` int32 (1, length) -> `keys_i` and `values_i` float32 (1,
    heads, length, head_dim) for each decoder layer i.
    decode_step: `token_ids` int32 (beams,), `position` int32 (), those keys and values,
    and `cache_keys_i`, `cache_values_i` float32 (beams, heads, max_length, head_dim),
    zeros at first -> `logits` float32 (beams, vocabulary) and the caches to go on with.
    """
    head_dim = model.hidden_dim // model.num_heads
    source = tf.TensorSpec([1, model.num_heads, None, head_dim])
    cached = tf.TensorSpec([None, model.num_heads, model.max_length, head_dim])
    layers = range(len(model.decoder))

    @tf.function(input_signature=[tf.TensorSpec([1, None], tf.int32, name="token_ids")])
    def encode(token_ids: tf.Tensor) -> dict[str, tf.Tensor]:
        mask = tf.ones_like(token_ids, tf.bool)
        return _named("", model.read_source(token_ids, mask)[0])

    @tf.function(
        input_signature=[
            {
                "token_ids": tf.TensorSpec([None], tf.int32, name="token_ids"),
                "position": tf.TensorSpec([], tf.int32, name="position"),
            }
            | {
                f"{start}{kind}_{i}": tf.TensorSpec(
                    spec.shape, name=f"{start}{kind}_{i}"
                )
                for i in layers
                for kind in KeysValues._fields
                for start, spec in (("", source), ("cache_", cached))
            }
        ]
    )
    def decode_step(inputs: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        sources, cache = (
            [
                KeysValues(
                    *(inputs[f"{start}{kind}_{i}"] for kind in KeysValues._fields)
                )
                for i in layers
            ]
            for start in ("", "cache_")
        )
        token_ids, position = inputs["token_ids"], inputs["position"]
        logits, cache = model.step(token_ids, position, cache, sources, True)
        return {"logits": logits} | _named("cache_", cache)

    return {"encode": encode, "decode_step": decode_step}


def _named(start: str, layers: list[KeysValues]) -> dict[str, tf.Tensor]:
    return {
        f"{start}{kind}_{i}": tensor
        for i, layer in enumerate(layers)
        for kind, tensor in layer._asdict().items()
    }
