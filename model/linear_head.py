"""A linear classifier on a teacher's vectors: multinomial logistic regression."""

import keras
import numpy as np

# Vectors are standardised first, so that these serve every teacher.
LEARNING_RATE = 1e-2
BATCH_SIZE = 512
EPOCHS = 60
PATIENCE = 5
CLIP_NORM = 1.0


def fit_linear_head(
    vectors: np.ndarray,
    labels: np.ndarray,
    weights: np.ndarray,
    classes: int,
    validation: tuple[np.ndarray, np.ndarray],
    seed: int,
) -> keras.Model:
    """Returns a model from vectors (N, dim) to logits float32 (N, classes).

    Args:
        vectors: float32 (n, dim).
        labels: int (n,).
        weights: float32 (n,), of the rows in the loss.
        classes: Width of the result.
        validation: Vectors and labels whose loss ends the training when it stops
            falling; the best weights are kept.
        seed: Of the order of the rows.
    """
    keras.utils.set_random_seed(seed)
    model = empty_linear_head(vectors.shape[1], classes)
    model.get_layer("standardise").adapt(vectors)
    model.compile(
        optimizer=keras.optimizers.Adam(LEARNING_RATE, global_clipnorm=CLIP_NORM),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    stopping = keras.callbacks.EarlyStopping(
        monitor="val_loss", patience=PATIENCE, restore_best_weights=True
    )
    model.fit(
        vectors,
        labels,
        sample_weight=weights,
        validation_data=validation,
        batch_size=BATCH_SIZE,
        epochs=EPOCHS,
        callbacks=[stopping],
        verbose=0,
    )
    return model


def empty_linear_head(dim: int, classes: int) -> keras.Model:
    """Returns the model of `fit_linear_head` before it is fitted, all zeros.

    Args:
        dim: Width of the vectors.
        classes: Width of the logits.
    """
    return keras.Sequential(
        [
            keras.Input((dim,)),
            keras.layers.Normalization(name="standardise"),
            keras.layers.Dense(classes, kernel_initializer="zeros", name="classes"),
        ]
    )
