"""Texts and their vectors from files, whole and finite, or refused.

x.npy and x.txt   row i of the array is the vector of line i
x.parquet         a column `text` and a column `vector` (pip install pyarrow)
"""

import importlib
from pathlib import Path
from typing import Any

import numpy as np

from babelet.core.boundary import described
from babelet.core.errors import BabeletError

ROWS_AT_ONCE = 8192
# Characters of a text. None that is trained on has as many.
_LONGEST = 1_000_000
# How many times the size of a Parquet file its rows may take; vectors hardly compress.
_MAX_RATIO = 100


def read_vectors(path: Path) -> tuple[list[str], np.ndarray]:
    """Returns N texts and their vectors, floating (N, dim).

    Args:
        path: A `.npy` file, whose array stays on disk, with the texts in UTF-8 in a
            `.txt` file beside it; or a `.parquet` file.

    Raises:
        BabeletError: A missing or damaged file, another count of texts than of
            vectors, a text without end, vectors of several widths, or not finite, or
            all zero.
    """
    readers = {".npy": _read_npy, ".parquet": _read_parquet}
    if path.suffix not in readers:
        raise refusal(
            path,
            "a .npy file with a .txt beside it, or a .parquet file",
            f"a name ending in {path.suffix!r}",
            "set teacher.path to such a file",
        )
    texts, vectors = readers[path.suffix](path)
    # An invisible mark of Windows editors, that no text of a corpus has.
    texts[:1] = [text.removeprefix("\ufeff") for text in texts[:1]]
    if len(texts) != len(vectors):
        raise refusal(
            path,
            f"one text for each of the {len(vectors)} vectors",
            f"{len(texts)} texts",
            "write both again from the same list",
        )
    _require_finite(path, texts, vectors)
    return texts, vectors


def _require_finite(path: Path, texts: list[str], vectors: np.ndarray) -> None:
    for start in range(0, len(vectors), ROWS_AT_ONCE):
        # Neither NaN nor infinite, nor all zero, which has no direction.
        with np.errstate(over="ignore", invalid="ignore"):
            block = np.asarray(vectors[start : start + ROWS_AT_ONCE], np.float32)
            norms = np.linalg.norm(block, axis=1)
        wrong = ~(np.isfinite(norms) & (norms > 0))
        if wrong.any():
            row = start + int(np.argmax(wrong))
            raise refusal(
                path,
                "finite numbers, not all zero, in each vector",
                f"others for {texts[row]!r}, in row {row + 1}",
                "compute that vector again, or leave out text and vector",
            )


def _read_npy(path: Path) -> tuple[list[str], np.ndarray]:
    """Returns the lines of the text file, and the array, which stays on disk."""
    try:
        vectors = np.load(path, mmap_mode="r", allow_pickle=False)
    # A damaged header leads anywhere.
    except Exception as error:
        raise _unreadable(path, "an array of numbers", error) from error
    if not isinstance(vectors, np.ndarray):
        vectors.close()
        raise refusal(
            path,
            "one array, as numpy.save writes it",
            "an archive of arrays (.npz)",
            "save the array of vectors by itself: numpy.save(path, vectors)",
        )
    if vectors.ndim != 2 or vectors.dtype.kind != "f" or not vectors.size:
        raise refusal(
            path,
            "floating-point numbers of shape (texts, dim)",
            f"{vectors.dtype} of shape {vectors.shape}",
            "write the vectors as one two-dimensional array",
        )
    beside = path.with_suffix(".txt")
    try:
        lines = beside.read_text("utf-8").split("\n")
    except (OSError, ValueError) as error:
        raise _unreadable(beside, "the texts in UTF-8, one a line", error) from error
    longest = max(map(len, lines))
    if longest > _LONGEST:
        raise refusal(
            beside,
            f"one text a line, of at most {_LONGEST:,} characters",
            f"{longest:,} characters in one line",
            "write the texts again, one a line",
        )
    if lines[-1] == "":
        lines.pop()
    return [line.removesuffix("\r") for line in lines], vectors


def _read_parquet(path: Path) -> tuple[list[str], np.ndarray]:
    """Returns the columns `text` and `vector`."""
    try:
        parquet = importlib.import_module("pyarrow.parquet")
    except ImportError as error:
        raise BabeletError(
            f"Reading {path} needs the package pyarrow", remedy="pip install pyarrow"
        ) from error
    try:
        texts: list[str] = []
        parts = [np.empty((0, 0), np.float32)]
        taken, limit = 0, _MAX_RATIO * path.stat().st_size + 2**26
        with parquet.ParquetFile(path) as file:
            for batch in file.iter_batches(1024, columns=["text", "vector"]):
                taken += batch.nbytes
                if taken > limit:
                    raise ValueError(f"more than {limit:,} bytes when unpacked")
                own, rows = _rows_of(path, batch, len(texts), parts[-1].shape[1])
                texts += own
                parts.append(rows)
    except BabeletError:
        raise
    # Arrow's, of many types.
    except Exception as error:
        expected = "columns text (strings) and vector (lists of numbers)"
        raise _unreadable(path, expected, error) from error
    return texts, np.concatenate(parts[1:]) if texts else parts[0]


def _rows_of(
    path: Path, batch: Any, start: int, width: int
) -> tuple[list[str], np.ndarray]:
    """Returns texts and vectors, float32 (rows, width), of a batch of a Parquet file.

    Args:
        path: The file.
        batch: With the columns `text` and `vector`.
        start: Rows before it.
        width: Of the vectors before it; 0 for none.
    """
    texts, column = batch.column("text").to_pylist(), batch.column("vector")
    vectors = column.to_pylist()
    width = width or len(vectors[0] or ())
    for row, (text, vector) in enumerate(zip(texts, vectors, strict=True), start + 1):
        if not isinstance(text, str) or not vector or len(vector) != width:
            raise refusal(
                path,
                f"a text and a vector of {width or 'the same'} numbers in each row",
                f"{str(text)[:100]!r} with {len(vector or ())} numbers in row {row}",
                "compute that vector again, or leave out the row",
            )
    values = column.flatten().to_numpy(zero_copy_only=False)
    if values.dtype.kind != "f":
        raise ValueError(f"vectors of {values.dtype}")
    with np.errstate(over="ignore"):
        return texts, np.asarray(values, np.float32).reshape(len(texts), width)


def _unreadable(path: Path, expected: str, error: Exception) -> BabeletError:
    return refusal(
        path,
        expected,
        described(error),
        "write or copy the file again, whole, or set another teacher.path",
    )


def refusal(path: Path, expected: str, received: str, remedy: str) -> BabeletError:
    """Returns the error of a file of vectors that cannot be used."""
    return BabeletError(
        f"{path} does not give the teacher's vectors",
        expected=expected,
        received=received,
        remedy=remedy,
    )
