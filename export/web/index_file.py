"""The compact file of sentences, and of their vectors, that the page opens.

Little-endian; the sections follow the header in this order, each beginning at a
multiple of 8 bytes, zeros between them:

    bytes 0-7     "BABELETW"
    bytes 8-11    uint32, version: 1
    bytes 12-15   uint32, H: bytes of the header
    bytes 16-     H bytes of JSON in UTF-8:
                    name       shown on the page
                    model      weights_sha256 of the student, in babelet.json of each
                               of its .tflite files; "" where vectors are absent
                    languages  codes such as "de"; "" if not known
                    count      sentences, N
                    dim        of the vectors, D; 0 where they are absent
                    bytes      of the whole file without its first 16 and the header
    language      uint16 (N,), index into `languages`
    offsets       uint32 (N + 1,), where each sentence starts in `texts`; then its end
    texts         UTF-8 (offsets[N],)
    vectors       int8 (N, D): directions alone count, each row may have its own scale

`page/index-file.js` reads it.
"""

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from babelet.core.atomic import atomic_path
from babelet.core.errors import BabeletError

MAGIC = b"BABELETW"
VERSION = 1
_ALIGNMENT = 8
_HEADER = {
    "name": str,
    "model": str,
    "languages": list,
    "count": int,
    "dim": int,
    "bytes": int,
}


@dataclasses.dataclass(frozen=True)
class Index:
    """Sentences to search, in the order of the file."""

    name: str
    texts: Sequence[str]
    # Of each text, a code such as "de".
    languages: Sequence[str]
    # weights_sha256 of the student that made the vectors.
    model: str = ""
    # int8 (N, dim); None leaves it to the page to compute them.
    vectors: np.ndarray | None = None


def write_index(path: Path, index: Index) -> None:
    """Writes the file, whole or not at all."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(to_bytes(index))


def to_bytes(index: Index) -> bytes:
    """Returns what the file of `index` holds."""
    codes = sorted(set(index.languages))
    number = {code: i for i, code in enumerate(codes)}
    # A lone surrogate has no UTF-8; the browser would show U+FFFD for it anyway.
    encoded = [text.encode("utf-8", "replace") for text in index.texts]
    header = {
        "name": index.name,
        "model": index.model,
        "languages": codes,
        "count": len(encoded),
        "dim": 0 if index.vectors is None else index.vectors.shape[1],
    }
    offsets = np.cumsum([0, *map(len, encoded)])
    sections = [
        np.array([number[code] for code in index.languages], "<u2").tobytes(),
        offsets.astype("<u4").tobytes(),
        b"".join(encoded),
        b"" if index.vectors is None else index.vectors.astype(np.int8).tobytes(),
    ]
    content = b"".join(map(_aligned, sections))
    text = json.dumps(header | {"bytes": len(content)}, ensure_ascii=False).encode()
    start = MAGIC + np.array([VERSION, len(text)], "<u4").tobytes()
    return _aligned(start + text) + content


def _aligned(section: bytes) -> bytes:
    return section + b"\0" * (-len(section) % _ALIGNMENT)


def read_header(path: Path) -> dict[str, Any]:
    """Returns the header of an index file, checked against the size of the file.

    Raises:
        BabeletError: There is no such file, or it is not whole, or another kind.
    """
    try:
        with open(path, "rb") as file:
            start = file.read(16)
            version, length = np.frombuffer(start[8:].ljust(8, b"\0"), "<u4").tolist()
            content = file.read(length) if start[:8] == MAGIC else b""
    except OSError as error:
        raise BabeletError(
            f"Cannot read the index {path}: {error.strerror}",
            expected="a file that babelet search export wrote",
            remedy="check the path",
        ) from error
    if start[:8] != MAGIC or version != VERSION:
        raise BabeletError(
            f"{path} is no index for the page, or one of another version",
            expected=f"{MAGIC.decode()}, version {VERSION}",
            received=f"{start[:8]!r}, version {version}",
            remedy="write it with babelet search export",
        )
    try:
        header = json.loads(content)
        for key, kind in _HEADER.items():
            if type(header[key]) is not kind:
                raise TypeError(key)
        expected = len(_aligned(start + content)) + header["bytes"]
    # Of a header that is nested deep it is a RecursionError.
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise _damaged(path, "its header cannot be read") from error
    if path.stat().st_size != expected:
        raise _damaged(path, f"{path.stat().st_size} of {expected} bytes")
    return header


def _damaged(path: Path, received: str) -> BabeletError:
    return BabeletError(
        f"The index {path} is damaged",
        received=received,
        remedy="write it anew with babelet search export",
    )
