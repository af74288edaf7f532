"""A KerasHub `TextClassifier` of the user's own, from a folder or a .keras file."""

import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import keras
import keras_hub
import numpy as np
import tensorflow as tf

from babelet.configs.schema import TeacherConfig
from babelet.core.errors import BabeletError
from babelet.model.teachers.base import digest, refuse_unused, require_at_most
from babelet.model.teachers.class_scores import ClassTeacher, Scale, as_logits
from babelet.model.teachers.hugging_face import read_json, require_sizes
from babelet.model.teachers.kerashub import contents, encode_by_length
from babelet.model.teachers.presets import unusable

# Of `save_to_preset`; KerasHub gives a classifier without the second a random head.
_FILES = ("task.json", "task.weights.h5", "model.weights.h5")


def load(config: TeacherConfig, path: Path) -> ClassTeacher:
    """Returns the teacher.

    Args:
        config: `prefix`, `max_length` and `tokens_per_batch` are used.
        path: The folder that `save_to_preset` wrote, or the file that `save` wrote;
            both have tokenizer and preprocessing inside. Keras loads them in its safe
            mode: layers of its own alone, no code and no pickled weights.

    Raises:
        BabeletError: Nothing there, a damaged file, or another kind of model.
    """
    refuse_unused(config, "num_layers", "pooling", "normalization")
    model = _open(path)
    return KerasHubClassifier(model, config, f"The classifier {path}")


class KerasHubClassifier(ClassTeacher):
    """A `TextClassifier` with its own preprocessor."""

    def __init__(
        self, model: keras_hub.models.TextClassifier, config: TeacherConfig, where: str
    ) -> None:
        limit = getattr(model.backbone, "max_sequence_length", config.max_length)
        require_at_most(config, "max_length", limit)
        self._where, self._tokens_per_batch = where, config.tokens_per_batch
        self._preprocessor = model.preprocessor
        self._preprocessor.sequence_length = config.max_length
        self._scale: Scale = _scale(model, where)
        self._forward = _forward(model)
        self.prefix = "" if config.prefix == "auto" else config.prefix
        self.parameters = model.count_params()
        if isinstance(model.backbone, keras_hub.models.BertBackbone):
            self.backbone = model.backbone
        self.dim = model.num_classes
        self.fingerprint = digest(
            *contents(model, self._preprocessor), self.prefix, self._scale
        )

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Returns the logits of `texts`, float32 (N, dim)."""
        if not len(texts):
            return np.empty((0, self.dim), np.float32)
        outputs = encode_by_length(
            self._preprocessor,
            self._forward,
            [self.prefix + text for text in texts],
            self._tokens_per_batch,
        )
        return as_logits(outputs, self._scale, self._where)


def _open(path: Path) -> keras_hub.models.TextClassifier:
    absent = [name for name in _FILES if not (path / name).is_file()]
    if path.is_dir() and absent or not path.exists():
        raise BabeletError(
            f"There is no KerasHub classifier at {path}",
            expected="a folder that save_to_preset of a TextClassifier wrote, with "
            f"{', '.join(_FILES)}, or a .keras file",
            received=f"no {absent[0]}" if path.is_dir() else "nothing",
            remedy="set teacher.path to it; for an encoder without classes, "
            "tuning.scope=all",
        )
    if path.is_file() and not (path.suffix == ".keras" and zipfile.is_zipfile(path)):
        raise BabeletError(
            f"{path} is no classifier that is read",
            expected="a whole .keras file: older .h5 files may hold programs",
            remedy="save it again with model.save('classifier.keras')",
        )
    if path.is_dir():
        require_sizes(path, read_json(path / "config.json"))
    try:
        if path.is_dir():
            cls = keras_hub.models.TextClassifier
            model = cls.from_preset(str(path), dtype="float32")
        else:
            model = keras.models.load_model(path, compile=False, safe_mode=True)
    # Besides the usual ones, zipfile and h5py raise exceptions of their own.
    except Exception as error:
        raise unusable(str(path), error) from error
    whole = isinstance(model, keras_hub.models.TextClassifier)
    if not whole or model.preprocessor is None:
        raise BabeletError(
            f"{path} is not a classifier of texts",
            expected="a KerasHub TextClassifier with its preprocessor",
            received=f"{type(model).__name__}{' without preprocessor' * whole}",
            remedy="save it with its preprocessor, or export it as a SavedModel from "
            "strings and set teacher.kind=saved_model",
        )
    return model


def _scale(model: keras_hub.models.TextClassifier, where: str) -> Scale:
    name = keras.activations.serialize(model.activation)
    scales: dict[str, Scale] = {"linear": "logits", "softmax": "probabilities"}
    if name not in scales:
        raise BabeletError(
            f"{where} gives no scores of one class among several",
            expected="its activation None or softmax",
            received=str(name),
            remedy="train it for one class a text, and save it again",
        )
    return scales[name]


def _forward(model: keras.Model) -> Callable[[dict[str, np.ndarray]], np.ndarray]:
    """Returns a function from inputs (B, L) to outputs, float32 (B, classes)."""
    compiled = tf.function(
        lambda inputs: model(inputs, training=False), reduce_retracing=True
    )

    def forward(batch: dict[str, np.ndarray]) -> np.ndarray:
        inputs = {name: tf.constant(batch[name]) for name in model.input}
        return tf.cast(compiled(inputs), tf.float32).numpy()

    return forward
