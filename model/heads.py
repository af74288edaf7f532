"""What stands on the encoder: pooling, unit vectors, scores of classes."""

import keras
from keras import ops


@keras.saving.register_keras_serializable("babelet")
class SentencePooling(keras.layers.Layer):
    """Pools token vectors to one vector of length 1 per sentence, in float32."""

    def __init__(self, pooling: str, **kwargs: object) -> None:
        super().__init__(**kwargs)
        if pooling not in ("mean", "cls", "max"):
            raise ValueError(
                f"pooling must be 'mean', 'cls' or 'max'. Received: {pooling!r}"
            )
        self.pooling = pooling

    def call(
        self, hidden: keras.KerasTensor, padding_mask: keras.KerasTensor
    ) -> keras.KerasTensor:
        """Returns the pooled vectors, float32 (batch, hidden_dim).

        Args:
            hidden: (batch, length, hidden_dim).
            padding_mask: bool (batch, length), False at padding.
        """
        hidden = ops.cast(hidden, "float32")
        if self.pooling == "cls":
            return hidden[:, 0]
        visible = ops.expand_dims(ops.cast(padding_mask, "float32"), -1)
        if self.pooling == "max":
            return ops.max(hidden - (1 - visible) * 1e9, axis=1)
        total = ops.sum(hidden * visible, axis=1)
        return total / ops.maximum(ops.sum(visible, axis=1), 1.0)

    def get_config(self) -> dict:
        """Returns the constructor's arguments."""
        return super().get_config() | {"pooling": self.pooling}


@keras.saving.register_keras_serializable("babelet")
class UnitLength(keras.layers.Layer):
    """Divides each vector by its Euclidean length."""

    def call(self, vectors: object) -> object:
        """Returns `vectors` (batch, dim) at unit length."""
        squares = ops.sum(ops.square(vectors), axis=-1, keepdims=True)
        return vectors * ops.rsqrt(ops.maximum(squares, 1e-12))


@keras.saving.register_keras_serializable("babelet")
class Scores(keras.layers.Layer):
    """Logits to probabilities, at a calibrated temperature."""

    def __init__(self, temperature: float, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self.temperature = temperature

    def call(self, logits: object) -> object:
        """Returns softmax(logits / temperature), float32 (batch, classes)."""
        return ops.softmax(ops.cast(logits, "float32") / self.temperature, axis=-1)

    def get_config(self) -> dict:
        """Returns the constructor's arguments."""
        return super().get_config() | {"temperature": self.temperature}
