"""A teacher of translation that was not trained here: a SavedModel, or a file."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from babelet.configs.record import digest
from babelet.core.boundary import boundary, model_in
from babelet.core.errors import BabeletError
from babelet.core.programs import warn_of_program
from babelet.evaluation.translation import Translate
from babelet.export.predict import saved_model_translate


def fingerprint(path: Path) -> str:
    """Returns the SHA-256 of a file, or of all files of a SavedModel.

    Raises:
        BabeletError: There is nothing, or a folder that is no SavedModel.
    """
    if path.is_dir():
        _require_program(path)
    files = sorted(p for p in path.rglob("*") if p.is_file()) or [path]
    try:
        return digest(
            "".join(hashlib.sha256(file.read_bytes()).hexdigest() for file in files)
        )
    except OSError as error:
        raise BabeletError(
            f"There is no teacher at {path}: {error.strerror}",
            expected="a SavedModel folder, or a file of texts and translations",
            remedy="change translation.teacher.path",
        ) from error


def given_translate(path: Path) -> Translate:
    """Returns a SavedModel, or a file of translations, as a function of texts.

    Raises:
        BabeletError: What is there can be used as neither.
    """
    if path.is_dir():
        return _program(path)
    known = read_translations(path)
    # A source it lacks has no translation: it is then no target.
    return lambda texts: [known.get(text, "") for text in texts]


def _require_program(path: Path) -> None:
    if not (path / "saved_model.pb").is_file():
        raise BabeletError(
            f"There is no SavedModel at {path}",
            expected="a folder with saved_model.pb and variables",
            remedy="change translation.teacher.path",
        )


def _program(path: Path) -> Translate:
    """Returns a SavedModel as a function of texts, and warns that it is a program."""
    _require_program(path)
    warn_of_program(path)
    with model_in(path):
        translate = saved_model_translate(path)

    def checked(texts: Sequence[str]) -> list[str]:
        with boundary(
            f"The SavedModel {path} does not translate",
            expected="a signature serving_default from text, strings (B,), to "
            "translation, strings (B,)",
            remedy="export it with such a signature, or change "
            "translation.teacher.path",
        ):
            return translate(texts)

    # Before the corpus is built: whether it is a translator.
    checked(["a"])
    return checked


def read_translations(path: Path) -> dict[str, str]:
    """Returns source -> translation of a file of two columns, a tab between them.

    Raises:
        BabeletError: A line has not two columns, one source has two translations, or
            the file cannot be read.
    """
    found = {}
    try:
        lines = path.read_text("utf-8-sig").split("\n")
    except (OSError, ValueError) as error:
        raise BabeletError(
            f"Cannot read the teacher's translations {path}",
            expected="a text file in UTF-8",
            received=str(error),
            remedy="change translation.teacher.path",
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
                remedy="write the file so, or change translation.teacher.path",
            )
        if found.setdefault(cells[0], cells[1]) != cells[1]:
            raise BabeletError(
                f"{path}, line {number} translates a source once more",
                expected="one translation for each source",
                received=f"{found[cells[0]][:60]!r} and {cells[1][:60]!r}",
                consequence="Which of them is learned would depend on their order",
                remedy="keep one of them",
            )
    if not found:
        raise BabeletError(
            f"{path} has no translations",
            expected="a source, a tab, and its translation on each line",
            remedy="write the file so, or change translation.teacher.path",
        )
    return found
