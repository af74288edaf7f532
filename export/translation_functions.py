"""A translator as functions that a SavedModel or a LiteRT file consists of."""

import tensorflow as tf
import tensorflow_text
from sentencepiece import sentencepiece_model_pb2

from babelet.data.tokenizer import Tokenizer
from babelet.export.tokenization import Function, tokenize_function
from babelet.model.decoder import KeysValues
from babelet.model.decoding import greedy, length_limits
from babelet.model.encoder_decoder import EncoderDecoder
from babelet.model.translation import translate
from babelet.tasks.next_token import vocabulary_of


def text_to_text(model: EncoderDecoder, tokenizer: Tokenizer) -> Function:
    """Returns `text` string (batch,) -> `translation` string (batch,), greedy.

    The translation is what `Tokenizer.decode` makes of its ids.
    """
    tokenize = tokenize_function(tokenizer)
    pieces = tensorflow_text.FastSentencepieceTokenizer(tokenizer.model_bytes)
    vocabulary = vocabulary_of(tokenizer)
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
    vocabulary, longest = vocabulary_of(tokenizer), model.max_length - 1

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
