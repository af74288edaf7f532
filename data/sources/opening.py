"""Opens a user's file, plain, .gz or .xz, and reads it as lines of UTF-8."""

import gzip
import hashlib
import lzma
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from configs.errors import BabeletError

OPENERS = {".gz": gzip.open, ".xz": lzma.open}
UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


@contextmanager
def opened(path: str, place: Callable[[], str] = str) -> Iterator[BinaryIO]:
    """Yields the file's bytes, uncompressed.

    Args:
        path: Its ending tells the compression.
        place: Says how far the reading came, ", after line 5", for the error.

    Raises:
        BabeletError: The file is missing, cannot be read, or its compressed form is
            broken.
    """
    try:
        with OPENERS.get(Path(path).suffix, open)(path, "rb") as file:
            yield file
    except (EOFError, OSError, lzma.LZMAError, zlib.error) as error:
        raise _unreadable(path, error, place()) from error


def digest(path: str) -> str:
    """Returns the SHA-256 of the file as it is.

    Raises:
        BabeletError: The file cannot be read.
    """
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: str, error: Exception, place: str = "") -> BabeletError:
    if isinstance(error, FileNotFoundError):
        return BabeletError(
            f"There is no file {path}",
            remedy="correct data.files; paths are relative to the working directory",
        )
    return BabeletError(
        f"Cannot read {path}{place}",
        expected="a readable file, plain or whole in .gz or .xz",
        received=getattr(error, "strerror", "") or str(error),
        consequence="None of it is used",
        remedy="copy or download the file again, or change data.files",
    )


def lines(path: str) -> Iterator[tuple[int, str]]:
    """Yields number, from 1, and text of each line, without its end.

    Raises:
        BabeletError: The file cannot be read or is not UTF-8.
    """
    line = 0
    with opened(path, lambda: f", after line {line}") as file:
        for line, data in enumerate(file, start=1):
            yield line, decoded(path, line, data).rstrip("\r\n")


def decoded(path: str, line: int, data: bytes) -> str:
    """Returns the text of a line.

    Raises:
        BabeletError: It is not UTF-8; the place in the file is named.
    """
    try:
        # A byte order mark would become part of the first cell.
        return data.decode("utf-8-sig" if line == 1 else "utf-8")
    except UnicodeDecodeError as error:
        likely = "UTF-16" if data[:2] in UTF16_MARKS else "LATIN1"
        raise BabeletError(
            f"{path}, line {line} is not UTF-8",
            expected="text in UTF-8",
            received=f"{data[error.start]:#04x} at byte {error.start + 1}",
            remedy=f"convert the file, for instance with iconv -f {likely} -t UTF-8",
        ) from error
