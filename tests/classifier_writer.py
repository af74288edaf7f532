"""Writes small classifiers of texts: a KerasHub preset, and a SavedModel of a rule."""

import keras
import keras_hub
import numpy as np
import tensorflow as tf

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


def bert_classifier(texts, classes, hidden=32, activation=None, seed=0):
    """Returns an untrained `BertTextClassifier` whose vocabulary are the words."""
    keras.utils.set_random_seed(seed)
    words = sorted({word for text in texts for word in text.split()})
    tokenizer = keras_hub.models.BertTokenizer([*SPECIAL, *words])
    backbone = keras_hub.models.BertBackbone(
        vocabulary_size=len(SPECIAL) + len(words),
        num_layers=1,
        num_heads=4,
        hidden_dim=hidden,
        intermediate_dim=2 * hidden,
        max_sequence_length=24,
        dropout=0.0,
    )
    return keras_hub.models.BertTextClassifier(
        backbone,
        num_classes=classes,
        activation=activation,
        dropout=0.0,
        preprocessor=keras_hub.models.BertTextClassifierPreprocessor(
            tokenizer, sequence_length=16
        ),
    )


def trained(model, texts, labels, epochs=3):
    """Trains `model` in place on (texts, int labels); returns it."""
    model.compile(
        optimizer=keras.optimizers.Adam(5e-3),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    # KerasHub takes the rows in the order given.
    order = np.random.default_rng(0).permutation(len(texts))
    data = {"x": np.array(texts)[order], "y": np.array(labels)[order]}
    model.fit(**data, batch_size=32, epochs=epochs, verbose=0)
    return model


class Keywords(tf.Module):
    """Logits by the words of each class: `strength` for each that is in the text."""

    def __init__(self, words, strength=4.0):
        """Takes for each class its words, in the order of the outputs."""
        super().__init__()
        pairs = [(word, i) for i, own in enumerate(words) for word in own]
        self.words = tf.constant([word for word, _ in pairs])
        self.classes = tf.one_hot([i for _, i in pairs], len(words))
        self.strength = tf.Variable(strength)

    def logits(self, text):
        """Returns float32 (B, classes)."""
        parts = tf.strings.split(text).to_tensor("")
        found = tf.reduce_any(parts[..., None] == self.words, axis=1)
        return tf.cast(found, tf.float32) @ self.classes * self.strength - 1.0


def save_keywords(folder, words, outputs=None, strength=4.0):
    """Saves a SavedModel of `Keywords`; returns its folder.

    Args:
        folder: A `Path`.
        words: For each class its words.
        outputs: From logits to the signature's outputs; `scores`, their softmax.
        strength: Of a word.
    """
    module = Keywords(words, strength)
    outputs = outputs or (lambda logits: {"scores": tf.nn.softmax(logits)})
    function = tf.function(
        lambda text: outputs(module.logits(text)),
        input_signature=[tf.TensorSpec([None], tf.string, name="text")],
    )
    tf.saved_model.save(module, str(folder), {"serving_default": function})
    return folder
