"""The student of a workdir, rebuilt in float32 from what is saved there."""

import functools
import hashlib
import importlib.metadata
import platform
from pathlib import Path
from typing import Any

import h5py
import keras

from babelet.configs import parsing, record
from babelet.core.checksums import file_digest
from babelet.core.errors import BabeletError
from babelet.data.tokenizer import Tokenizer
from babelet.export.task_export import Rebuilt, of_task

WEIGHTS = "student.weights.h5"
TOKENIZER = "tokenizer.model"
_PACKAGES = ("keras", "tensorflow", "tensorflow-text", "ai-edge-litert")


def rebuild_student(workdir: Path) -> Rebuilt:
    """Rebuilds the student from config.json, tokenizer.model and the weights.

    float32 whatever precision it was trained in: a mixed policy leaves casts in
    the graph that LiteRT has no operation for. It is the caller's own, to change.

    Args:
        workdir: A run whose training is finished.

    Raises:
        BabeletError: The training is not finished, or settings, manifest and files
            do not belong together: a file is missing, damaged, or of another run.
    """
    record.require_student(workdir)
    rebuilt = _parts(workdir)
    return rebuilt._replace(student=_built(workdir, rebuilt))


def shared_student(workdir: Path) -> Rebuilt:
    """Returns `rebuild_student`, made once a process: nobody may change it."""
    record.require_student(workdir)
    return built_student(workdir)


def built_student(workdir: Path) -> Rebuilt:
    """Returns `shared_student` while the run is still at its training."""
    rebuilt = _parts(workdir)
    names = (record.CONFIG, TOKENIZER, WEIGHTS)
    digests = tuple(file_digest(workdir / name) for name in names)
    return rebuilt._replace(student=_kept(workdir.resolve(), digests))


def served_student(workdir: Path) -> Rebuilt:
    """Returns what files are exported from: `rebuild_student`, or scores on top."""
    rebuilt = rebuild_student(workdir)
    task = of_task(rebuilt.config.task)
    student = task.served(rebuilt.student, rebuilt.config, workdir)
    return rebuilt._replace(student=student)


def _parts(workdir: Path) -> Rebuilt:
    config = parsing.from_json(workdir / record.CONFIG)
    tokenizer = Tokenizer(workdir / TOKENIZER, config.student.max_length)
    return Rebuilt(None, tokenizer, config)


@functools.lru_cache(maxsize=1)
def _kept(workdir: Path, digests: tuple[str, ...]) -> keras.Model:
    del digests  # The student is another when one of them is.
    return _built(workdir, _parts(workdir))


def _built(workdir: Path, parts: Rebuilt) -> keras.Model:
    """Returns the student with the weights of the run."""
    _, tokenizer, config = parts
    student = of_task(config.task).student(config, tokenizer.vocabulary_size, workdir)
    try:
        student.load_weights(workdir / WEIGHTS)
    except (OSError, ValueError, KeyError) as error:
        raise BabeletError(
            f"Cannot load the student's weights {workdir / WEIGHTS}",
            expected="the weights of the student that config.json describes",
            received=str(error),
            remedy="run training again with this workdir: finished steps are kept",
        ) from error
    return student


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
    } | of_task(config.task).described(config, workdir)


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
