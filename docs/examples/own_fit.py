"""Distils a classifier in a `fit` of your own: your data, teacher and callbacks.

    python docs/examples/own_fit.py

It takes seconds, and writes student.keras and the weights of
each epoch into the current directory.
"""

import keras
import numpy as np
import tensorflow as tf

from babelet import Distiller, Objective

keras.utils.set_random_seed(1)


def data(rows: int, seed: int) -> tf.data.Dataset:
    """Returns batches of points, the quadrant of each, and how much each counts."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(rows, 2)).astype("float32")
    y = 2 * (x[:, 0] > 0) + (x[:, 1] > 0)
    weight = random.uniform(0.1, 3, rows).astype("float32")
    return tf.data.Dataset.from_tensor_slices((x, y, weight)).batch(64)


def classifier(width: int, name: str) -> keras.Model:
    """Returns a model that ends in logits, not in a softmax."""
    hidden = keras.layers.Dense(width, activation="relu")
    layers = [keras.Input((2,)), hidden, keras.layers.Dense(4)]
    return keras.Sequential(layers, name=name)


# 150 rows: the last batch has 22.
train, validation = data(1000, seed=2), data(150, seed=3)

teacher = classifier(256, "teacher")
cross_entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
teacher.compile(keras.optimizers.Adam(0.01), cross_entropy)
teacher.fit(train, epochs=5, verbose=0)

student = classifier(8, "student")
distiller = Distiller(student, Objective(alpha=0.5, temperature=2.0), teacher=teacher)
distiller.compile(keras.optimizers.Adam(0.01), weighted_metrics=["accuracy"])
stop = keras.callbacks.EarlyStopping("val_loss", restore_best_weights=True)
keep = keras.callbacks.ModelCheckpoint("{epoch}.weights.h5", save_weights_only=True)
history = distiller.fit(
    train,
    validation_data=validation,
    epochs=3,
    callbacks=[stop, keep],
).history

student.save("student.keras")
