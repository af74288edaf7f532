"""Texts in, results out, through the Keras student and the SavedModel.

The same interface as that of the LiteRT files in `export/litert_predict.py`.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
import tensorflow_text  # noqa: F401  Registers the operation the SavedModel needs.

from babelet.core.by_length import by_length
from babelet.data.tokenizer import Tokenizer, valid_unicode
from babelet.export.litert_predict import Predict, in_batches, tokens_predict
from babelet.export.metadata import require_whole_saved_model


def keras_predict(
    student: keras.Model, tokenizer: Tokenizer, tokens_per_batch: int = 4096
) -> Predict:
    """Returns `predict` over the Keras student.

    Args:
        student: Inputs `token_ids` and `padding_mask`, output (batch, dim).
        tokenizer: The student's own.
        tokens_per_batch: Tokens per forward pass, padding included.
    """
    forward = tf.function(
        lambda inputs: student(inputs, training=False),
        input_signature=[
            {
                "token_ids": tf.TensorSpec([None, None], tf.int32),
                "padding_mask": tf.TensorSpec([None, None], tf.bool),
            }
        ],
    )

    def predict(texts: Sequence[str]) -> np.ndarray:
        vectors = np.zeros((len(texts), student.output_shape[-1]), "float32")
        ids = tokenizer.encode(texts)
        for places in by_length([len(row) for row in ids], tokens=tokens_per_batch):
            batch = tokenizer.pad([ids[place] for place in places])
            vectors[places] = forward(batch).numpy()
        return vectors

    return predict


def saved_model_predict(folder: Path, batch_size: int = 32) -> Predict:
    """Returns `predict` over a SavedModel's signature `serving_default`."""
    signature = _signature(folder, "serving_default")
    (name,) = signature.structured_outputs
    dim = signature.structured_outputs[name].shape[-1]

    def predict(texts: Sequence[str]) -> np.ndarray:
        texts = [valid_unicode(text) for text in texts]
        return in_batches(
            lambda rows: signature(text=tf.constant(rows))[name].numpy(),
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

    (name,) = signature.structured_outputs

    def encode(inputs: dict[str, np.ndarray]) -> np.ndarray:
        tensors = {key: tf.constant(value) for key, value in inputs.items()}
        return signature(**tensors)[name].numpy()

    dim = signature.structured_outputs[name].shape[-1]
    return tokens_predict(encode, tokenizer, dim, batch_size, multiple)


def saved_model_translate(
    folder: Path, batch_size: int = 64
) -> Callable[[Sequence[str]], list[str]]:
    """Returns texts to translations over a translator's `serving_default`."""
    signature = _signature(folder, "serving_default")

    def translate(texts: Sequence[str]) -> list[str]:
        translations = [""] * len(texts)
        # Shortest first: a batch decodes as many steps as its longest row needs.
        for rows in by_length([len(text) for text in texts], rows=batch_size):
            given = tf.constant([valid_unicode(texts[int(row)]) for row in rows])
            found = signature(text=given)["translation"].numpy()
            for row, text in zip(rows, found, strict=True):
                translations[row] = text.decode("utf-8")
        return translations

    return translate


def _signature(folder: Path, name: str) -> tf.types.experimental.ConcreteFunction:
    require_whole_saved_model(folder)
    loaded = tf.saved_model.load(str(folder))
    signature = loaded.signatures[name]
    # A signature does not keep its model alive.
    signature._babelet_owner = loaded
    return signature
