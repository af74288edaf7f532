"""Opens a user's file, plain, .gz or .xz, and reads it as lines of text."""

import codecs
import gzip
import hashlib
import io
import lzma
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from babelet.core.errors import BabeletError

OPENERS = {".gz": gzip.open, ".xz": lzma.open}
UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
# Bytes of a line; what is longer is no text.
MAX_LINE = 1 << 24
# Bytes of a file that a format needs whole.
MAX_WHOLE = 1 << 28
# A file may unpack to so many bytes, or to so many for each of its own if that is
# more. Text has ratios below 20; a small file can be made to fill any memory.
UNPACKED, UNPACKED_RATIO = 1 << 26, 50
# Those that files name, by the wider ones that they mean: a page of Windows has all
# characters of its standard, and more.
_WIDER = {"gb2312": "gb18030", "gbk": "gb18030", "shift_jis": "cp932"}
_WIDER |= {"euc_kr": "cp949", "ascii": "utf-8"}
# Encodings of Python's own, or for names of hosts, which no file means.
_NOT_OF_FILES = ("escape", "idna", "punycode", "undefined", "utf-7")


class _Limited(io.RawIOBase):
    """The bytes of a packed file, up to what its size allows."""

    def __init__(self, packed: Any, path: str) -> None:
        self._packed, self._path = packed, path
        size = Path(path).stat().st_size
        self._most = max(UNPACKED, UNPACKED_RATIO * size)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:
        count = self._packed.readinto(buffer)
        if self._packed.tell() > self._most:
            raise BabeletError(
                f"{self._path} unpacks to more than {self._most >> 20:,} MB",
                expected=f"text: at most {UNPACKED_RATIO} times the file's size",
                consequence="It could fill memory and disk, so none of it is used",
                remedy="if you trust the file, unpack it with gunzip or unxz, and name "
                "the result in data.files",
            )
        return count

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if whence == io.SEEK_END:
            buffer = memoryview(bytearray(io.DEFAULT_BUFFER_SIZE))
            while self.readinto(buffer):
                pass
        return self._packed.seek(offset, whence)

    def tell(self) -> int:
        return self._packed.tell()


@contextmanager
def opened(path: str, place: Callable[[], str] = str) -> Iterator[BinaryIO]:
    """Yields the file's bytes, uncompressed.

    Args:
        path: Its ending tells the compression.
        place: Says how far the reading came, ", after line 5", for the error.

    Raises:
        BabeletError: The file is missing, cannot be read, or its compressed form is
            broken or unpacks to far more than text does.
    """
    opener = OPENERS.get(Path(path).suffix)
    try:
        with (opener or open)(path, "rb") as file:
            yield io.BufferedReader(_Limited(file, path)) if opener else file
    except (EOFError, OSError, lzma.LZMAError, zlib.error) as error:
        raise _unreadable(path, error, place()) from error


def whole(path: str) -> bytes:
    """Returns the file's bytes, uncompressed.

    Raises:
        BabeletError: The file cannot be read, or is too large to be read at once.
    """
    with opened(path) as file:
        data = file.read(MAX_WHOLE + 1)
    if len(data) > MAX_WHOLE:
        raise BabeletError(
            f"{path} is too large",
            expected=f"at most {MAX_WHOLE >> 20} MB",
            remedy="split it into several files",
        )
    return data


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
    remedy = "copy or download the file again, or change data.files"
    if isinstance(error, PermissionError):
        remedy = "change its permissions, or data.files"
    if isinstance(error, IsADirectoryError):
        remedy = f"name the files in it: data.files='{path}/*'"
    return BabeletError(
        f"Cannot read {path}{place}",
        expected="a readable file, plain or whole in .gz or .xz",
        received=getattr(error, "strerror", "") or str(error),
        consequence="None of it is used",
        remedy=remedy,
    )


def lines(path: str) -> Iterator[tuple[int, str]]:
    """Yields number, from 1, and text of each line, without its end.

    Raises:
        BabeletError: The file cannot be read, is not UTF-8, or has a line that no
            text has.
    """
    line = 0
    with opened(path, lambda: f", after line {line}") as file:
        while data := file.readline(MAX_LINE + 1):
            line += 1
            if len(data) > MAX_LINE:
                raise BabeletError(
                    f"{path}, line {line} is longer than {MAX_LINE >> 20} MB",
                    expected="lines of text",
                    consequence="None of the file is used",
                    remedy="see that the file is what its name says, and has line ends",
                )
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


def encoding_named(name: str, place: str) -> str:
    """Returns Python's name of the encoding that a file names.

    Args:
        name: As in the file: "GB2312", "utf8".
        place: The file, for the error.

    Raises:
        BabeletError: It is none that is known.
    """
    try:
        found = codecs.lookup(name).name
        # Those of bytes into bytes, such as zip, are refused by this.
        known = bool("a".encode(found))
    except (LookupError, ValueError):
        known = False
    if not known or any(part in found for part in _NOT_OF_FILES):
        raise BabeletError(
            f"{place} names an encoding that is not known",
            expected="UTF-8, or another that Python has",
            received=name[:80],
            remedy="convert the file to UTF-8 and correct its header",
        )
    return _WIDER.get(found, found)
