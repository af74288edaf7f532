"""The model of an index: found by its path, known by its content."""

import hashlib
from pathlib import Path

from babelet.core.errors import BabeletError
from babelet.export.infer import current_file
from babelet.export.runtime import Embedder
from babelet.search.settings import Model


def load_model(path: Path) -> tuple[Model, Embedder]:
    """Opens an exported model, and tells what an index has to know of it.

    Args:
        path: A run, an export folder or a .tflite file.

    Raises:
        BabeletError: There is none, or it is damaged or foreign.
    """
    path = current_file(path) if path.is_dir() else path
    embedder = Embedder(path)
    weights = embedder.metadata.get("weights_sha256", "")
    return Model(path.resolve(), _digest(path), weights, embedder.dim), embedder


def load_embedders(path: Path, count: int) -> tuple[Model, list[Embedder]]:
    """Opens a model so many times: each copy embeds in a thread of its own.

    Raises:
        BabeletError: There is none, or it is damaged or foreign.
    """
    model, first = load_model(path)
    return model, [first, *(Embedder(model.path) for _ in range(count - 1))]


def load_model_of(index: Path, stored: Model, given: Path | None) -> Embedder:
    """Opens the model that made an index.

    Args:
        index: The file, for errors.
        stored: What the index says of its model.
        given: Where the model is now, if not where it was.

    Raises:
        BabeletError: It is not there, or is another one.
    """
    path = given or stored.path
    if given is None and not path.is_file():
        raise BabeletError(
            f"The model of {index} is gone",
            expected=f"the file {path}",
            remedy="say where it is with --model",
        )
    model, embedder = load_model(path)
    require_same(index, stored, model)
    return embedder


def require_same(index: Path, stored: Model, model: Model) -> None:
    """Raises a BabeletError if `model` is not the one that made the vectors."""
    if model.sha256 == stored.sha256:
        return
    raise BabeletError(
        f"{index} was made with another model than {model.path}",
        expected=f"SHA-256 {stored.sha256[:16]}, dimension {stored.dim}",
        received=f"SHA-256 {model.sha256[:16]}, dimension {model.dim}",
        consequence="Vectors of two models cannot be compared",
        remedy=f"give the model {stored.path}, or embed all documents with this one: "
        f"babelet search build --reembed --index={index} --model={model.path}",
    )


def _digest(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
