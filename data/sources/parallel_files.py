"""Files of one's own: a row per line, `language<TAB>pivot text<TAB>translation`.

UTF-8, no header, plain or compressed (.gz, .xz). A row of another shape is rejected
by itself; a file that cannot be read or has no row in the wanted languages is an error.
"""

import gzip
import hashlib
import lzma
import zlib
from collections.abc import Iterator
from pathlib import Path

from tqdm import tqdm

from configs.errors import BabeletError
from configs.schema import DataConfig
from data.sources.raw import RawPair, require_language

COLUMNS = ("language", "pivot text", "translation")
OPENERS = {".gz": gzip.open, ".xz": lzma.open}
_ROWS = "rows of language<TAB>pivot text<TAB>translation"


def pairs(config: DataConfig, cache: Path) -> Iterator[RawPair]:
    """Yields the rows of `config.files` in the wanted languages, file by file.

    Args:
        config: `files` and `languages` are used.
        cache: Not used: nothing is downloaded.

    Yields:
        One row per line; a line without three columns as one with a problem.

    Raises:
        BabeletError: No file is named; a file is missing, is not UTF-8, or has no
            row in a wanted language; a wanted language is in none of the files.
    """
    if not config.files:
        raise BabeletError(
            "data.source=parallel_files has no files",
            expected="paths in data.files",
            remedy="give --set data.files=first.tsv,second.tsv.gz",
        )
    found: set[str] = set()
    for path in tqdm(config.files, desc="Reading", unit="file"):
        found |= yield from _file(path, config)
    for language in config.languages:
        require_language("data.files", language, found)


def digests(files: tuple[str, ...]) -> list[str]:
    """Returns the SHA-256 of each file, by which a changed one is known.

    Raises:
        BabeletError: A file cannot be read.
    """
    found = []
    for path in files:
        try:
            with open(path, "rb") as file:
                found.append(hashlib.file_digest(file, "sha256").hexdigest())
        except OSError as error:
            raise _unreadable(path, error) from error
    return found


def _file(path: str, config: DataConfig) -> Iterator[RawPair]:
    """Yields the rows of a file; returns the languages that it has."""
    found: set[str] = set()
    first_problem, line = 0, 0
    for line, text in _lines(path):
        cells = text.split("\t")
        if len(cells) != len(COLUMNS) or not cells[0].strip():
            first_problem = first_problem or line
            yield RawPair(path, line, "", "", text, "columns")
            continue
        language = cells[0].strip()
        found.add(language)
        if language in config.languages:
            yield RawPair(path, line, language, *cells[1:])
    if not found & set(config.languages):
        where, received = "", f"languages {' '.join(sorted(found))}"
        if not line:
            received = "an empty file"
        elif not found:
            where, received = f", line {first_problem}", "other columns in every row"
        raise BabeletError(
            f"{path}{where} has no usable row",
            expected=f"{_ROWS} in {' '.join(config.languages)}",
            received=received,
            remedy="correct the file, or change data.files or data.languages",
        )
    return found


def _lines(path: str) -> Iterator[tuple[int, str]]:
    """Yields number and text of each line, from 1."""
    line = 0
    try:
        with OPENERS.get(Path(path).suffix, open)(path, "rb") as file:
            for line, data in enumerate(file, start=1):
                # A byte order mark would become part of the first language's name.
                encoding = "utf-8-sig" if line == 1 else "utf-8"
                yield line, data.decode(encoding).rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise BabeletError(
            f"{path}, line {line} is not UTF-8",
            expected=f"{_ROWS} in UTF-8",
            received=f"{error.object[error.start]:#04x} at byte {error.start + 1}",
            remedy="convert the file, for instance with iconv -t UTF-8",
        ) from error
    except (EOFError, OSError, lzma.LZMAError, zlib.error) as error:
        raise _unreadable(path, error, f", after line {line}") from error


def _unreadable(path: str, error: Exception, where: str = "") -> BabeletError:
    missing = isinstance(error, FileNotFoundError)
    return BabeletError(
        f"There is no file {path}" if missing else f"Cannot read {path}{where}",
        expected=f"a text file of {_ROWS}, plain, .gz or .xz",
        received="" if missing else getattr(error, "strerror", "") or str(error),
        remedy="correct data.files; paths are relative to the working directory",
    )
