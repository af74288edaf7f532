"""The student that a run's settings describe, for each task."""

from collections.abc import Callable
from pathlib import Path

import keras

from configs.errors import BabeletError
from configs.schema import Config
from tasks.classification import configured_classifier
from tasks.embedding import configured_student

LABELS = "labels.txt"


def _encoder(config: Config, vocabulary_size: int, workdir: Path) -> keras.Model:
    del workdir
    return configured_student(config.student, vocabulary_size)


def _classifier(config: Config, vocabulary_size: int, workdir: Path) -> keras.Model:
    classes = read_labels(workdir / LABELS)
    return configured_classifier(config.student, vocabulary_size, len(classes))


# (settings, pieces of the tokenizer, the run's folder) -> a student in float32, at
# random weights.
STUDENTS: dict[str, Callable[[Config, int, Path], keras.Model]] = {
    "classification": _classifier,
    "embedding": _encoder,
}


def read_labels(path: Path) -> list[str]:
    """Returns the names of the classes in a labels.txt, one a line.

    Raises:
        BabeletError: There is none, or a name is empty or there twice.
    """
    try:
        names = path.read_text("utf-8").removesuffix("\n").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise BabeletError(
            f"Cannot read the labels {path}: {error}",
            expected="a file in UTF-8 with the name of a class on each line",
            remedy="copy labels.txt from the run's export folder",
        ) from error
    if len(set(names)) != len(names) or not all(names):
        twice = sorted({name for name in names if names.count(name) > 1})
        raise BabeletError(
            f"{path} does not name the classes",
            expected="one name a line, each once",
            received=f"{twice[0]!r} twice" if twice else "an empty line",
            remedy="copy labels.txt from the run's export folder",
        )
    return names
