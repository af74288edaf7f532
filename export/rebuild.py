"""The student of a workdir, rebuilt in float32 from what is saved there."""

import hashlib
import importlib.metadata
import platform
from pathlib import Path
from typing import Any, NamedTuple

import keras

from configs import parsing, schema
from configs.errors import BabeletError
from data.tokenizer import Tokenizer
from tasks.students import STUDENTS, described, served

WEIGHTS = "student.weights.h5"
TOKENIZER = "tokenizer.model"
_PACKAGES = ("keras", "tensorflow", "tensorflow-text", "ai-edge-litert")


class Rebuilt(NamedTuple):
    """A student ready for inference, and what it was built from."""

    student: keras.Model
    tokenizer: Tokenizer
    config: schema.Config


def rebuild_student(workdir: Path) -> Rebuilt:
    """Rebuilds the student from config.json, tokenizer.model and the weights.

    float32 whatever precision it was trained in: a mixed policy leaves casts in
    the graph that LiteRT has no operation for.

    Args:
        workdir: A run whose training is finished.

    Raises:
        BabeletError: A file is missing, damaged, or of another run.
    """
    config = parsing.from_json(workdir / "config.json")
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
    config = parsing.from_json(workdir / "config.json")
    weights = _sha256(workdir / WEIGHTS)
    return {
        "name": config.name,
        # Other weights are another version.
        "version": weights[:12],
        "licence": config.licence,
        "task": config.task,
        "max_length": config.student.max_length,
        "config_sha256": _sha256(workdir / "config.json"),
        "tokenizer_sha256": _sha256(workdir / TOKENIZER),
        "weights_sha256": weights,
        "versions": versions(),
    } | described(config, workdir)


def versions() -> dict[str, str]:
    """Returns the versions that decide what an artefact contains."""
    found = {name: importlib.metadata.version(name) for name in _PACKAGES}
    return {"python": platform.python_version()} | found


def _sha256(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
