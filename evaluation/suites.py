"""Evaluation sets from files: LASER's Tatoeba folders and STS CSV files."""

import csv
import io
import math
from pathlib import Path

import numpy as np

from babelet.core.errors import BabeletError
from babelet.evaluation.retrieval import RetrievalSet
from babelet.evaluation.similarity import SimilaritySet

TATOEBA_LAYOUT = (
    "two files for each language, tatoeba.<xxx>-eng.<xxx> and tatoeba.<xxx>-eng.eng, "
    "line i of one translating line i of the other"
)
STS_LAYOUT = "three fields without a header: sentence 1, sentence 2, score"


def read_tatoeba(folder: str | Path) -> list[RetrievalSet]:
    """Reads a folder in the layout of LASER's Tatoeba test set.

    Returns:
        A set for each language by code; English is the pivot, so `to_pivot` is the
        headline xx -> en.

    Raises:
        BabeletError: No such folder or files, an unpaired file, sides of different
            length, an empty line, text that is not UTF-8.
    """
    folder = Path(folder)
    files = sorted(folder.glob("tatoeba.*-*.*"))
    if not files:
        raise BabeletError(
            f"{folder} holds no Tatoeba files",
            expected=TATOEBA_LAYOUT,
            remedy="give a folder like data/tatoeba/v1 of LASER",
        )
    return [
        _read_pair(folder, language)
        for language in dict.fromkeys(_tatoeba_language(file) for file in files)
    ]


def read_sts(path: str | Path) -> SimilaritySet:
    """Reads an STS file: CSV without header, sentence 1, sentence 2, score.

    Raises:
        BabeletError: The file cannot be read, is empty, or a row is not as expected;
            file and line are named.
    """
    path = Path(path)
    reader = csv.reader(io.StringIO(_text(path), newline=""), strict=True)
    rows = []
    try:
        for row in reader:
            rows.append(_sts_row(row, f"{path}:{reader.line_num}"))
    except csv.Error as error:
        raise _sts_error(f"{path}:{reader.line_num}", str(error)) from error
    if len(rows) < 2:
        raise _sts_error(str(path), f"{len(rows)} rows, too few to rank")
    first, second, scores = zip(*rows, strict=True)
    return SimilaritySet(first, second, np.array(scores, np.float64))


def _tatoeba_language(file: Path) -> str:
    parts = file.name.split(".")
    language, _, pivot = parts[1].partition("-")
    if len(parts) != 3 or pivot != "eng" or parts[2] not in (language, "eng"):
        raise BabeletError(
            f"Unexpected file {file}",
            expected=TATOEBA_LAYOUT,
            remedy="rename it, or move it out of the folder",
        )
    return language


def _read_pair(folder: Path, language: str) -> RetrievalSet:
    paths = [folder / f"tatoeba.{language}-eng.{side}" for side in ("eng", language)]
    english, other = (_lines(path) for path in paths)
    if len(english) != len(other):
        raise BabeletError(
            f"{paths[1]}:{len(other)} has no counterpart in {paths[0]}"
            if len(other) > len(english)
            else f"{paths[0]}:{len(english)} has no counterpart in {paths[1]}",
            expected="as many lines in both files",
            received=f"{len(other)} and {len(english)}",
            remedy="fetch both files again, from the same version of the set",
        )
    return RetrievalSet(language, english, other)


def _lines(path: Path) -> list[str]:
    # str.splitlines would also split at U+2028 and misalign the sides.
    lines = [line.strip() for line in _text(path).rstrip("\r\n").split("\n")]
    for number, line in enumerate(lines, 1):
        if not line:
            raise BabeletError(
                f"{path}:{number} is empty",
                expected="one sentence on every line",
                remedy="remove that line from both files of the language",
            )
    return lines


def _sts_row(row: list[str], where: str) -> tuple[str, str, float]:
    if len(row) != 3:
        raise _sts_error(where, f"{len(row)} fields")
    first, second = row[0].strip(), row[1].strip()
    if not first or not second:
        raise _sts_error(where, "an empty sentence")
    try:
        score = float(row[2])
    except ValueError:
        raise _sts_error(where, f"{row[2]!r} in the place of the score") from None
    if not math.isfinite(score):
        raise _sts_error(where, f"the score {row[2]!r}")
    return first, second, score


def _sts_error(where: str, received: str) -> BabeletError:
    return BabeletError(
        f"{where} is not a row of an STS file",
        expected=STS_LAYOUT,
        received=received,
        remedy="mend or remove that row; put sentences with commas in double quotes",
    )


def _text(path: Path) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise BabeletError(
            f"Cannot read {path}: {error.strerror}",
            expected="a file of an evaluation set",
            remedy="check the path given with --set evaluation.tatoeba or "
            "evaluation.sts; each Tatoeba language has two files",
        ) from error
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise BabeletError(
            f"{path}:{line} is not valid UTF-8",
            expected="text in UTF-8",
            remedy="convert the file, for instance with iconv",
        ) from error
