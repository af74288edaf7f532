"""One interface over the student and its files: texts in, unit vectors out.

A `predict` function maps N texts to float32 (N, dim). It sorts them by length, so that
little is padded, and runs `batch_size` at a time.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
import tensorflow_text  # noqa: F401  Registers the operation the SavedModel needs.
from ai_edge_litert.interpreter import Interpreter

from data.tokenizer import Tokenizer, valid_unicode

Predict = Callable[[Sequence[str]], np.ndarray]
# {"token_ids": int32 (B, L), "padding_mask": bool (B, L)} -> float32 (B, dim)
Encode = Callable[[dict[str, np.ndarray]], np.ndarray]


def keras_predict(
    student: keras.Model, tokenizer: Tokenizer, batch_size: int = 32, multiple: int = 8
) -> Predict:
    """Returns `predict` over the Keras student."""
    encode = tf.function(
        lambda inputs: student(inputs, training=False), reduce_retracing=True
    )
    return tokens_predict(
        lambda inputs: encode(
            {name: tf.constant(value) for name, value in inputs.items()}
        ).numpy(),
        tokenizer,
        student.output_shape[-1],
        batch_size,
        multiple,
    )


def saved_model_predict(folder: Path, batch_size: int = 32) -> Predict:
    """Returns `predict` over a SavedModel's signature `serving_default`."""
    signature = _signature(folder, "serving_default")
    dim = signature.structured_outputs["embedding"].shape[-1]

    def predict(texts: Sequence[str]) -> np.ndarray:
        texts = [valid_unicode(text) for text in texts]
        return _in_batches(
            lambda rows: signature(text=tf.constant(rows))["embedding"].numpy(),
            texts,
            dim,
            batch_size,
        )

    return predict


def saved_model_tokens_predict(
    folder: Path, tokenizer: Tokenizer, batch_size: int = 32, multiple: int = 8
) -> Predict:
    """Returns `predict` over a SavedModel's signature `from_tokens`."""
    signature = _signature(folder, "from_tokens")

    def encode(inputs: dict[str, np.ndarray]) -> np.ndarray:
        tensors = {name: tf.constant(value) for name, value in inputs.items()}
        return signature(**tensors)["embedding"].numpy()

    dim = signature.structured_outputs["embedding"].shape[-1]
    return tokens_predict(encode, tokenizer, dim, batch_size, multiple)


def litert_predict(
    path: Path,
    tokenizer: Tokenizer,
    batch_size: int = 32,
    multiple: int = 8,
    num_threads: int = 1,
) -> Predict:
    """Returns `predict` over a LiteRT file, on the CPU with XNNPACK."""
    interpreter = Interpreter(str(path), num_threads=num_threads)
    runner = interpreter.get_signature_runner("serving_default")

    def encode(inputs: dict[str, np.ndarray]) -> np.ndarray:
        mask = inputs["padding_mask"].astype(np.int32)
        return runner(token_ids=inputs["token_ids"], padding_mask=mask)["embedding"]

    dim = int(runner.get_output_details()["embedding"]["shape_signature"][-1])
    return tokens_predict(encode, tokenizer, dim, batch_size, multiple)


def tokens_predict(
    encode: Encode, tokenizer: Tokenizer, dim: int, batch_size: int, multiple: int
) -> Predict:
    """Returns `predict` over a function of padded token ids.

    Args:
        encode: Token ids and mask of one batch to float32 (B, dim).
        tokenizer: The student's.
        dim: Width of the vectors.
        batch_size: Texts to a batch.
        multiple: Lengths are padded to a multiple of it.
    """

    def predict(texts: Sequence[str]) -> np.ndarray:
        return _in_batches(
            lambda rows: encode(tokenizer.pad(rows, multiple)),
            tokenizer.encode(texts),
            dim,
            batch_size,
        )

    return predict


def _in_batches(
    encode: Callable[[list], np.ndarray], items: list, dim: int, batch_size: int
) -> np.ndarray:
    vectors = np.zeros((len(items), dim), np.float32)
    order = sorted(range(len(items)), key=lambda i: len(items[i]))
    for start in range(0, len(order), batch_size):
        rows = order[start : start + batch_size]
        vectors[rows] = encode([items[row] for row in rows])
    return vectors


def _signature(folder: Path, name: str) -> tf.types.experimental.ConcreteFunction:
    loaded = tf.saved_model.load(str(folder))
    signature = loaded.signatures[name]
    # A signature does not keep its model alive.
    signature._babelet_owner = loaded
    return signature
