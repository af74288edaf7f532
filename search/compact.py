"""An index as one read-only file, which a page in a browser opens and searches.

All numbers are little-endian. A JavaScript reader needs `fetch`, `DataView` and typed
arrays; sections begin at multiples of 8, so arrays can be views of the buffer.

    offset  bytes  what
    0       8      the letters BBLTIDX1
    8       4      uint32, H: bytes of the header
    12      H      the header, JSON in UTF-8
    ...            the sections, where the header says

The header:

    count             passages, N
    dim               components of a vector, D
    languages         their codes, "" for unknown
    model_sha256      the .tflite file that made the vectors, and has to embed queries
    tokenizer_sha256  its tokenizer.model, "" if not known
    sections          name to {"offset", "bytes"}, from the beginning of the file

The sections, for passages 0 to N-1:

    vectors    int8 (N, D)
    scales     float32 (N,): vector times scale has unit length
    language   uint16 (N,): a place in `languages`
    text_ends  uint32 (N,): text i is bytes text_ends[i-1] (0 for i = 0) to
               text_ends[i] of `texts`
    texts      UTF-8
    key_ends   uint32 (N,), and
    keys       UTF-8: the ids of the passages' documents, in the same way

A query's unit vector q scores passage i with scales[i] * (q . vectors[i]), the cosine:

    const bytes = await (await fetch("my.index")).arrayBuffer();
    const size = new DataView(bytes).getUint32(8, true);
    const head = JSON.parse(new TextDecoder().decode(new Uint8Array(bytes, 12, size)));
    const at = head.sections;
    const vectors = new Int8Array(bytes, at.vectors.offset, head.count * head.dim);
    const scales = new Float32Array(bytes, at.scales.offset, head.count);
"""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import apsw
import numpy as np

from configs.atomic import atomic_path
from configs.errors import BabeletError
from search.connection import connect, explained
from search.filters import Filter
from search.store import read_settings

MAGIC = b"BBLTIDX1"
_ALIGNMENT = 8
# The header is written last, in the room kept for it.
_HEADER_ROOM = 4096


def write_compact(index: Path, output: Path, where: Filter) -> int:
    """Writes the passages of an index to a file that is whole or absent.

    Args:
        index: What `search.build` made.
        output: The file.
        where: Which documents.

    Returns:
        How many passages.

    Raises:
        BabeletError: Something cannot be read or written, or no passage is left.
    """
    connection = connect(index)
    with explained(index), connection, atomic_path(output) as path:
        model, _ = read_settings(connection)
        languages, count = _languages(connection, where)
        if not count:
            raise BabeletError(
                f"{index} has no passage to export",
                remedy="build the index first, or choose another --language",
            )
        header = {
            "count": count,
            "dim": model.dim,
            "languages": languages,
            "model_sha256": model.sha256,
            "tokenizer_sha256": model.tokenizer_sha256,
        }
        with open(path, "wb") as file:
            file.write(bytes(_HEADER_ROOM))
            number = {language: i for i, language in enumerate(languages)}
            parts = _sections(lambda columns: _rows(connection, columns, where), number)
            header["sections"] = {
                name: _write(file, chunks) for name, chunks in parts.items()
            }
            _write_header(file, header)
    return count


def read_compact(path: Path) -> dict[str, Any]:
    """Returns the header of a file, and its sections as arrays and lists of texts.

    Raises:
        BabeletError: It is no such file, or not whole.
    """
    data = path.read_bytes()
    try:
        if data[:8] != MAGIC:
            raise ValueError(f"it begins with {data[:8]!r}")
        size = int.from_bytes(data[8:12], "little")
        header = json.loads(data[12 : 12 + size])
        count, dim = header["count"], header["dim"]
        parts = {
            name: memoryview(data)[place["offset"] : place["offset"] + place["bytes"]]
            for name, place in header["sections"].items()
        }
        return header | {
            "vectors": np.frombuffer(parts["vectors"], np.int8).reshape(count, dim),
            "scales": np.frombuffer(parts["scales"], "<f4", count),
            "language": np.frombuffer(parts["language"], "<u2", count),
            "texts": _texts(parts["texts"], np.frombuffer(parts["text_ends"], "<u4")),
            "keys": _texts(parts["keys"], np.frombuffer(parts["key_ends"], "<u4")),
        }
    except (ValueError, KeyError) as error:
        raise BabeletError(
            f"{path} is no exported index, or not whole",
            received=str(error),
            remedy="write it again: python -m search.export",
        ) from error


Rows = Callable[[str], Iterator[tuple]]


def _sections(rows: Rows, number: dict[str, int]) -> dict[str, Iterator[bytes]]:
    def scale(vector: bytes) -> bytes:
        components = np.frombuffer(vector, np.int8).astype(np.float32)
        return np.float32(1 / max(np.linalg.norm(components), 1e-12)).tobytes()

    def ends(texts: Iterator[bytes]) -> Iterator[bytes]:
        end = 0
        for text in texts:
            end += len(text)
            yield np.uint32(end).tobytes()

    def texts() -> Iterator[bytes]:
        columns = "d.text, p.start, p.stop"
        return (text[a:b].encode() for text, a, b in rows(columns))

    def keys() -> Iterator[bytes]:
        return (key.encode() for (key,) in rows("d.key"))

    return {
        "vectors": (vector for (vector,) in rows("v.vector")),
        "scales": (scale(vector) for (vector,) in rows("v.vector")),
        "language": (np.uint16(number[x]).tobytes() for (x,) in rows("d.language")),
        "text_ends": ends(texts()),
        "texts": texts(),
        "key_ends": ends(keys()),
        "keys": keys(),
    }


def _rows(connection: apsw.Connection, columns: str, where: Filter) -> Iterator[tuple]:
    clause, values = where.clause("p.id")
    return connection.execute(
        f"SELECT {columns} FROM passages AS p JOIN vectors AS v ON v.passage = p.id "
        f"JOIN documents AS d ON d.id = p.document WHERE true{clause} ORDER BY p.id",
        values,
    )


def _languages(connection: apsw.Connection, where: Filter) -> tuple[list[str], int]:
    counts: dict[str, int] = {}
    for (language,) in _rows(connection, "d.language", where):
        counts[language] = counts.get(language, 0) + 1
    return sorted(counts), sum(counts.values())


def _write(file: BinaryIO, chunks: Iterator[bytes]) -> dict[str, int]:
    file.write(bytes(-file.tell() % _ALIGNMENT))
    start = file.tell()
    for chunk in chunks:
        file.write(chunk)
    return {"offset": start, "bytes": file.tell() - start}


def _write_header(file: BinaryIO, header: dict[str, Any]) -> None:
    text = json.dumps(header).encode()
    if len(MAGIC) + 4 + len(text) > _HEADER_ROOM:
        raise BabeletError(
            "The languages of the index do not fit the header",
            received=f"{len(header['languages'])} languages",
            remedy="export some of them with --language",
        )
    file.seek(0, os.SEEK_SET)
    file.write(MAGIC + np.uint32(len(text)).tobytes() + text)


def _texts(data: memoryview, ends: np.ndarray) -> list[str]:
    starts = [0, *ends[:-1].tolist()]
    bounds = zip(starts, ends.tolist(), strict=True)
    return [bytes(data[start:end]).decode() for start, end in bounds]
