"""The student of a workdir, rebuilt in float32 from what is saved there."""

import hashlib
import importlib.metadata
import platform
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import keras

from babelet.configs import parsing, record
from babelet.core.checksums import file_digest
from babelet.core.errors import BabeletError
from babelet.data.tokenizer import Tokenizer
from babelet.tasks.students import STUDENTS, described, served

WEIGHTS = "student.weights.h5"
TOKENIZER = "tokenizer.model"
_PACKAGES = ("keras", "tensorflow", "tensorflow-text", "ai-edge-litert")


class Rebuilt(NamedTuple):
    """A student ready for inference, and what it was built from."""

    student: keras.Model
    tokenizer: Tokenizer
    # The settings of its task.
    config: Any


def rebuild_student(workdir: Path) -> Rebuilt:
    """Rebuilds the student from config.json, tokenizer.model and the weights.

    float32 whatever precision it was trained in: a mixed policy leaves casts in
    the graph that LiteRT has no operation for.

    Args:
        workdir: A run whose training is finished.

    Raises:
        BabeletError: The training is not finished, or settings, manifest and files
            do not belong together: a file is missing, damaged, or of another run.
    """
    record.require_student(workdir)
    return built_student(workdir)


def built_student(workdir: Path) -> Rebuilt:
    """Does what `rebuild_student` does, while the run is still at its training."""
    config = parsing.from_json(workdir / record.CONFIG)
    tokenizer = Tokenizer(workdir / TOKENIZER, config.student.max_length)
    build = STUDENTS[config.task]
    student = build(config, tokenizer.vocabulary_size, workdir)
    try:
        student.load_weights(workdir / WEIGHTS)
    except (OSError, ValueError, KeyError) as error:
        raise BabeletError(
            f"Cannot load the student's weights {workdir / WEIGHTS}",
            expected="the weights of the student that config.json describes",
            received=str(error),
            remedy="run training again with this workdir: finished steps are kept",
        ) from error
    return Rebuilt(student, tokenizer, config)


def rebuild_served(workdir: Path) -> Rebuilt:
    """Rebuilds what files are exported from: `rebuild_student`, or scores on top."""
    rebuilt = rebuild_student(workdir)
    student = served(rebuilt.student, rebuilt.config, workdir)
    return rebuilt._replace(student=student)


def describe(workdir: Path) -> dict[str, Any]:
    """Returns what travels with every artefact, so that its origin can be told."""
    config = record.require_student(workdir)
    weights = weights_digest(workdir / WEIGHTS)
    return {
        "name": config.name,
        # Other weights are another version.
        "version": weights[:12],
        "licence": config.licence,
        "task": config.task,
        "max_length": config.student.max_length,
        "config_sha256": file_digest(workdir / record.CONFIG),
        "tokenizer_sha256": file_digest(workdir / TOKENIZER),
        "weights_sha256": weights,
        "versions": versions(),
    } | described(config, workdir)


def versions() -> dict[str, str]:
    """Returns the versions that decide what an artefact contains."""
    found = {name: importlib.metadata.version(name) for name in _PACKAGES}
    return {"python": platform.python_version()} | found


def weights_digest(path: Path) -> str:
    """Returns the SHA-256 of the arrays in a .weights.h5, by their places in it.

    The same weights have the same digest, however the file came to be.
    """
    found = hashlib.sha256()

    def take(place: str, item: h5py.Group | h5py.Dataset) -> None:
        if isinstance(item, h5py.Dataset):
            array = item[()]
            found.update(f"{place} {array.dtype} {array.shape}\n".encode())
            found.update(array.tobytes())

    with h5py.File(path) as file:
        file.visititems(take)
    return found.hexdigest()
