"""Reads the files of a Hugging Face folder: JSON strictly, of the weights their sizes.

What a file does not have is left to KerasHub; what it has, and cannot be right, is one
error before anything is built: a width of a billion would fill the memory first.
"""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import safe_open
from safetensors.numpy import save_file

from babelet.core.boundary import boundary
from babelet.core.errors import BabeletError

WEIGHTS = "model.safetensors"
INDEX = "model.safetensors.index.json"
# Of KerasHub's own presets.
_H5_WEIGHTS = "model.weights.h5"
_POOLER = "pooler.dense.weight"
# Sizes of one matrix of the model: vocabulary or feed-forward, and width.
_MATRICES = (
    ("vocab_size", "hidden_size"),
    ("hidden_size", "intermediate_size"),
    ("vocab_size", "dim"),
    ("dim", "hidden_dim"),
    ("vocabulary_size", "hidden_dim"),
    ("hidden_dim", "intermediate_dim"),
)
_LAYERS = ("num_hidden_layers", "n_layers", "num_layers")
_HEADS = ("num_attention_heads", "n_heads", "num_heads")


def read_json(file: Path, wanted: type = dict) -> Any:
    """Returns what a JSON file holds; an empty one of the type where there is no file.

    Args:
        file: The file.
        wanted: What it has to be: dict or list.

    Raises:
        BabeletError: It is not JSON, or holds something else.
    """
    if not file.is_file():
        return wanted()
    expected = "an object" if wanted is dict else "a list"
    problem = f"{file} is not a model's {file.name}"
    remedy = "download it again from where the model comes from"
    with boundary(problem, expected=f"JSON, {expected}", remedy=remedy):
        found = json.loads(file.read_text("utf-8-sig"))
    if not isinstance(found, wanted):
        raise BabeletError(
            problem,
            expected=f"JSON, {expected}",
            received=type(found).__name__,
            remedy=remedy,
        )
    return found


def tensor_shapes(folder: Path) -> dict[str, tuple[int, ...]]:
    """Returns the shape of each tensor of a folder's safetensors, by its name.

    Raises:
        BabeletError: There are none, or they are damaged.
    """
    index = _weight_map(folder)
    files = sorted(set(index.values())) or [WEIGHTS]
    absent = [name for name in files if not (folder / name).is_file()]
    if absent:
        pickled = sorted(file.name for file in folder.glob("*.bin"))
        raise BabeletError(
            f"{folder} has no weights that can be read",
            expected=f"{absent[0]}",
            received=f"{', '.join(pickled)}, which holds programs and is never read"
            if pickled
            else "no such file",
            remedy="download the model again as safetensors, or save it so with "
            "save_pretrained(folder, safe_serialization=True)",
        )
    shapes = {}
    for name in files:
        with (
            boundary(
                f"{folder / name} is damaged",
                expected="a whole file of safetensors",
                remedy="copy or download it again, whole",
            ),
            safe_open(folder / name, framework="np") as tensors,
        ):
            for key in tensors.keys():  # noqa: SIM118  It is no dict.
                shapes[key] = tuple(tensors.get_slice(key).get_shape())
    return shapes


def require_sizes(folder: Path, config: Mapping[str, Any]) -> None:
    """Compares the sizes in a config.json with those of the weights beside it.

    Args:
        folder: Of Hugging Face, or a KerasHub preset.
        config: Its config.json.

    Raises:
        BabeletError: A size is no number above 0, or larger than the weights are.
    """
    weights = folder / _H5_WEIGHTS
    if weights.is_file():
        # A weight takes a byte or more.
        elements = layers = weights.stat().st_size
        config = config.get("config", {})
        config = config if isinstance(config, dict) else {}
    else:
        shapes = tensor_shapes(folder).values()
        elements, layers = sum(math.prod(shape) for shape in shapes), len(shapes)
    numbers = {
        name: _size(folder, name, config[name])
        for name in {*_LAYERS, *_HEADS, *(n for pair in _MATRICES for n in pair)}
        if name in config
    }
    for names in _MATRICES:
        sizes = [numbers.get(name, 1) for name in names]
        _require(folder, names, math.prod(sizes), elements)
    for name in _LAYERS:
        _require(folder, (name,), numbers.get(name, 1), layers)
    for width, heads in (("hidden_size", _HEADS[0]), ("dim", _HEADS[1])):
        _require(folder, (heads,), numbers.get(heads, 1), numbers.get(width, elements))


def _size(folder: Path, name: str, value: Any) -> int:
    if type(value) is not int or value < 1:
        raise BabeletError(
            f"{folder / 'config.json'} cannot be right",
            expected=f"a whole number above 0 as {name}",
            received=str(value)[:100],
            remedy="download the model again",
        )
    return value


def _require(folder: Path, names: Sequence[str], size: int, limit: int) -> None:
    if size > limit:
        raise BabeletError(
            f"{folder / 'config.json'} is not of the weights beside it",
            expected=f"{' times '.join(names)} to be at most {limit:,}",
            received=f"{size:,}" if size < 10**30 else "more than 10^30",
            remedy="download the model again: its files belong together",
        )


def write_pooler(folder: Path, target: Path, width: int) -> None:
    """Writes a pooler of zeros and an index, if the weights of a BERT have none.

    Sentence encoders are often saved without it, and make no use of it; KerasHub
    demands one.

    Args:
        folder: Of Hugging Face.
        target: Where the files go; the weights' own are there too.
        width: Of the model.
    """
    shapes = tensor_shapes(folder)
    if any(name.endswith(_POOLER) for name in shapes):
        return
    table = "embeddings.word_embeddings.weight"
    prefix = next((n.removesuffix(table) for n in shapes if n.endswith(table)), "")
    name, bias = f"{prefix}{_POOLER}", f"{prefix}pooler.dense.bias"
    file = "pooler-of-zeros.safetensors"
    zeros = {
        name: np.zeros((width, width), np.float32),
        bias: np.zeros(width, np.float32),
    }
    save_file(zeros, target / file)
    index = _weight_map(folder) or dict.fromkeys(shapes, WEIGHTS)
    index |= {name: file, bias: file}
    (target / INDEX).unlink(missing_ok=True)
    (target / INDEX).write_text(json.dumps({"weight_map": index}), "utf-8")


def _weight_map(folder: Path) -> dict[str, str]:
    """Returns the file of each tensor where they are in several; {} where in one."""
    index = read_json(folder / INDEX).get("weight_map", {})
    if not isinstance(index, dict) or not all(
        isinstance(name, str) for name in index.values()
    ):
        raise BabeletError(
            f"{folder / INDEX} is not an index of weights",
            expected="weight_map, with a file's name for each tensor",
            remedy="download it again",
        )
    return index
