"""What sentence-transformers does after the encoder: modules.json, read whole.

KerasHub reads of it whether vectors are normalised, and of the pooling three modes. A
module that is left out gives vectors too, of another model.
"""

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from safetensors.numpy import load_file

from babelet.core.boundary import boundary
from babelet.core.errors import BabeletError
from babelet.model.teachers.hugging_face import WEIGHTS, read_json

# A name inside a model to its file, or None: see `presets.files_of`.
Find = Callable[[str], Path | None]

_KINDS = ("Transformer", "Pooling", "Dense", "Normalize")
_POOLINGS = {
    "cls": "cls",
    "cls_token": "cls",
    "mean": "mean",
    "mean_tokens": "mean",
    "max": "max",
    "max_tokens": "max",
    "lasttoken": "last",
    # The sum over the root of the length: the mean's direction.
    "mean_sqrt_len": "sum",
    "mean_sqrt_len_tokens": "sum",
}
_SIDES = ("input", "output")
_ACTIVATIONS: dict[str, Callable[[tf.Tensor], tf.Tensor]] = {
    "Identity": tf.identity,
    "Tanh": tf.tanh,
    "ReLU": tf.nn.relu,
    "GELU": tf.nn.gelu,
    "Sigmoid": tf.sigmoid,
}


@dataclasses.dataclass(frozen=True)
class Dense:
    """A layer on the sentence vector: float32 (inputs, outputs) and (outputs,)."""

    kernel: np.ndarray
    bias: np.ndarray
    activation: str

    def __call__(self, vectors: tf.Tensor) -> tf.Tensor:
        """Returns float32 (B, outputs) of float32 (B, inputs)."""
        product = tf.matmul(vectors, self.kernel) + self.bias
        return _ACTIVATIONS[self.activation](product)


@dataclasses.dataclass(frozen=True)
class Modules:
    """From the encoder's tokens to the sentence vector.

    Attributes:
        encoder: The encoder's folder inside the model; "" for the model itself.
        pooling: "mean", "cls", "max" or "last"; "" if the files do not say.
        head: Layers after the pooling.
        prefix: What is put before every text unless the user says otherwise.
        includes_prefix: Whether the pooling counts the prefix's tokens.
    """

    encoder: str = ""
    pooling: str = ""
    head: tuple[Dense, ...] = ()
    prefix: str = ""
    includes_prefix: bool = True


def read_modules(model: str, find: Find) -> Modules:
    """Returns what the files of a model say of its sentence vectors.

    Args:
        model: Names it in errors.
        find: Finds its files.

    Raises:
        BabeletError: A module or a setting that Babelet does not compute.
    """
    rows = _rows(model, find)
    paths = {kind: [path for own, path in rows if own == kind] for kind in _KINDS}
    pooling, includes = _pooling(model, find, (paths["Pooling"] or ["1_Pooling"])[0])
    head = tuple(_dense(model, find, path) for path in paths["Dense"])
    if pooling == "sum":
        if head:
            raise _unknown(model, "mean_sqrt_len_tokens before a Dense module")
        pooling = "mean"
    encoder = (paths["Transformer"] or [""])[0]
    return Modules(encoder, pooling, head, _prompt(model, find), includes)


def _rows(model: str, find: Find) -> list[tuple[str, str]]:
    """Returns kind and path of each module, in their order."""
    file = find("modules.json")
    found = []
    for row in [] if file is None else read_json(file, list):
        row = row if isinstance(row, dict) else {}
        name, path = row.get("type"), row.get("path", "")
        kind = name.rpartition(".")[2] if isinstance(name, str) else repr(row)[:100]
        inside = isinstance(path, str) and "\0" not in path
        parts = Path(path).parts if inside else ("..",)
        if Path(*parts).is_absolute() or ".." in parts:
            raise _unknown(model, f"the module path {path!r}"[:200])
        # Dropout is for training.
        if kind != "Dropout":
            found.append((kind, path))
    kinds = [kind for kind, _ in found]
    other = [kind for kind in kinds if kind not in _KINDS]
    if other:
        raise _unknown(model, f"the module {other[0]}")
    twice = any(kinds.count(kind) > 1 for kind in _KINDS if kind != "Dense")
    if kinds != sorted(kinds, key=_KINDS.index) or twice:
        raise _unknown(model, f"the modules {', '.join(kinds)}, in this order")
    return found


def _pooling(model: str, find: Find, path: str) -> tuple[str, bool]:
    """Returns the pooling, "" if unsaid, and whether it counts the prefix."""
    file = find(f"{path}/config.json")
    settings = {} if file is None else read_json(file)
    start = "pooling_mode_"
    named = [key[len(start) :] for key in settings if key.startswith(start)]
    modes = [name for name in named if settings[f"{start}{name}"] is True]
    mode = settings.get("pooling_mode")
    modes += [mode] if isinstance(mode, str) else list(mode or ())
    if len(modes) > 1 or any(mode not in _POOLINGS for mode in modes):
        raise _unknown(model, f"the pooling {' and '.join(map(str, modes))}"[:200])
    pooling = _POOLINGS[modes[0]] if modes else "mean" if settings else ""
    return pooling, settings.get("include_prompt") is not False


def _dense(model: str, find: Find, path: str) -> Dense:
    config, weights = find(f"{path}/config.json"), find(f"{path}/{WEIGHTS}")
    if config is None or weights is None:
        raise BabeletError(
            f"The module {path} of {model} is incomplete",
            expected=f"config.json and {WEIGHTS} in it; pickled weights are never read",
            received=f"no {'config.json' if config is None else WEIGHTS}",
            remedy="download the model again, with its safetensors",
        )
    settings = read_json(config)
    activation = str(settings.get("activation_function", "Identity"))
    activation = activation.rpartition(".")[2]
    if activation not in _ACTIVATIONS:
        raise _unknown(model, f"the activation {activation}"[:200])
    inner = ("sentence_embedding", None)
    if any(settings.get(f"module_{side}_name") not in inner for side in _SIDES):
        raise _unknown(model, f"the module {path} on other than the sentence vector")
    with boundary(
        f"{weights} cannot be used",
        expected="linear.weight (outputs, inputs) and linear.bias (outputs,)",
        remedy="download the model again, whole",
    ):
        tensors = load_file(weights)
        matrix = tensors["linear.weight"].astype(np.float32)
        bias = tensors.get("linear.bias", np.zeros(len(matrix))).astype(np.float32)
        if matrix.ndim != 2 or bias.shape != matrix.shape[:1]:
            raise ValueError(f"shapes {matrix.shape} and {bias.shape}")
        if not (np.isfinite(matrix).all() and np.isfinite(bias).all()):
            raise ValueError("numbers that are not finite")
    return Dense(matrix.T.copy(), bias, activation)


def require_widths(model: str, width: int, head: Sequence[Dense]) -> None:
    """Raises a BabeletError unless each layer takes what the one before it gives."""
    for layer in head:
        inputs, outputs = layer.kernel.shape
        if inputs != width:
            raise BabeletError(
                f"The Dense modules of {model} do not fit together",
                expected=f"{width} inputs",
                received=str(inputs),
                remedy="download the model again: its files belong together",
            )
        width = outputs


def _prompt(model: str, find: Find) -> str:
    """Returns the prompt that the model puts before texts by itself."""
    file = find("config_sentence_transformers.json")
    settings = {} if file is None else read_json(file)
    name: Any = settings.get("default_prompt_name")
    if name is None:
        return ""
    prompts = settings.get("prompts")
    prompt = prompts.get(name) if isinstance(prompts, dict) else None
    if not isinstance(prompt, str):
        raise _unknown(model, f"the default prompt {name!r}"[:200])
    return prompt


def _unknown(model: str, what: str) -> BabeletError:
    return BabeletError(
        f"{model} makes its vectors in a way that Babelet does not compute",
        expected="of sentence-transformers: Transformer, Pooling (cls, mean, max or "
        "last token), Dense and Normalize, in this order",
        received=what,
        consequence="Without it the vectors would be another model's",
        remedy="encode the texts with sentence-transformers and give their vectors: "
        "teacher.kind=vectors",
    )
