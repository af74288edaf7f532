"""A teacher of translation that was not trained here: a SavedModel, or a file."""

import hashlib
from pathlib import Path

from configs.errors import BabeletError
from evaluation.translation import Translate
from export.translate import saved_model_translate
from training.workdir import digest


def fingerprint(path: Path) -> str:
    """Returns the SHA-256 of a file, or of all files of a SavedModel.

    Raises:
        BabeletError: There is nothing.
    """
    files = sorted(p for p in path.rglob("*") if p.is_file()) or [path]
    try:
        return digest(
            "".join(hashlib.sha256(file.read_bytes()).hexdigest() for file in files)
        )
    except OSError as error:
        raise BabeletError(
            f"There is no teacher at {path}: {error.strerror}",
            expected="a SavedModel folder, or a file of texts and translations",
            remedy="change translation.teacher_path",
        ) from error


def foreign_translate(path: Path) -> Translate:
    """Returns a SavedModel, or a file of translations, as a function of texts."""
    if path.is_dir():
        return saved_model_translate(path)
    known = read_translations(path)
    # A source it lacks has no translation: it is then no target.
    return lambda texts: [known.get(text, "") for text in texts]


def read_translations(path: Path) -> dict[str, str]:
    """Returns source -> translation of a file of two columns, a tab between them.

    Raises:
        BabeletError: A line has not two columns, or the file cannot be read.
    """
    found = {}
    try:
        lines = path.read_text("utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise BabeletError(
            f"Cannot read the teacher's translations {path}",
            expected="a text file in UTF-8",
            received=str(error),
            remedy="change translation.teacher_path",
        ) from error
    for number, line in enumerate(lines, start=1):
        if not line:
            continue
        cells = line.removesuffix("\r").split("\t")
        if len(cells) != 2:
            raise BabeletError(
                f"{path}, line {number} is no translation",
                expected="a source, a tab, and its translation",
                received=f"{len(cells)} columns",
                remedy="write the file so, or change translation.teacher_path",
            )
        found[cells[0]] = cells[1]
    return found
