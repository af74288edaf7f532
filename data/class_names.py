"""The names of classes, as labels.txt has them: one a line."""

import re
from pathlib import Path

from babelet.configs.classification import class_name
from babelet.core.errors import BabeletError

LABELS = "labels.txt"
# What a name cannot have: the end of its line, and what UTF-8 cannot hold.
_UNFIT = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_REMEDY = f"copy {LABELS} from the run's export folder"


def is_unfit(name: str) -> bool:
    """Tells whether a name has characters that a line of labels.txt cannot have."""
    return bool(_UNFIT.search(name))


def read_labels(path: Path, remedy: str = _REMEDY) -> list[str]:
    """Returns the names of the classes in a labels.txt, one a line.

    White space and a BOM around a name are no part of it.

    Args:
        path: The file.
        remedy: What the error advises.

    Raises:
        BabeletError: There is none, or a name is empty or there twice.
    """
    try:
        lines = path.read_text("utf-8").removesuffix("\n").split("\n")
    except (OSError, ValueError) as error:
        raise BabeletError(
            f"Cannot read the labels {path}: {error}",
            expected="a file in UTF-8 with the name of a class on each line",
            remedy=remedy,
        ) from error
    names = [class_name(line) for line in lines]
    if len(set(names)) != len(names) or not all(names):
        twice = sorted({name for name in names if names.count(name) > 1})
        raise BabeletError(
            f"{path} does not name the classes",
            expected="one name a line, each once",
            received=f"{twice[0]!r} twice" if twice else "an empty line",
            remedy=remedy,
        )
    return names
