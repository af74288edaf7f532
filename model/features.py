"""Feature terms: what the student may match beside the teacher's decisions.

Each term is a layer named after what it matches; it returns one number per row and
owns the projection it needs, which stays in the Distiller and out of the student.
"""

from typing import NamedTuple

import keras
from keras import ops


class FeatureTerm(NamedTuple):
    """A weighted feature loss: `layer(student, teacher)` gives one number per row."""

    layer: keras.layers.Layer
    weight: float


@keras.saving.register_keras_serializable("babelet")
class EmbeddingMatch(keras.layers.Layer):
    """1 - cosine to the teacher's sentence vector.

    Reimers & Gurevych 2020, "Making Monolingual Sentence Embeddings Multilingual
    using Knowledge Distillation", eq. 1, with the cosine in place of the squared
    distance (equal up to a factor on unit vectors). Where the widths differ the
    student's vector is first projected by a learned matrix.
    """

    def __init__(self, student_dim: int, teacher_dim: int) -> None:
        super().__init__(name="embedding_match", dtype="float32")
        self.student_dim = student_dim
        self.teacher_dim = teacher_dim
        self.projection = None
        if student_dim != teacher_dim:
            self.projection = keras.layers.Dense(
                teacher_dim, use_bias=False, dtype="float32", name="projection"
            )
            self.projection.build((None, student_dim))
        self.built = True

    def call(self, student_embedding: object, teacher_embedding: object) -> object:
        """Returns float32 (batch,) for (batch, student_dim), (batch, teacher_dim)."""
        vector = ops.cast(student_embedding, "float32")
        if self.projection is not None:
            vector = self.projection(vector)
        vector = ops.normalize(vector, axis=-1)
        target = ops.normalize(ops.cast(teacher_embedding, "float32"), axis=-1)
        return 1.0 - ops.sum(vector * target, axis=-1)

    def get_config(self) -> dict:
        """Returns the constructor's arguments."""
        return {"student_dim": self.student_dim, "teacher_dim": self.teacher_dim}
