"""Texts and their vectors from files, whole and finite, or refused.

x.npy and x.txt   row i of the array is the vector of line i
x.parquet         a column `text` and a column `vector` (pip install pyarrow)
"""

import importlib
from pathlib import Path

import numpy as np

from configs.errors import BabeletError

ROWS_AT_ONCE = 8192


def read_vectors(path: Path) -> tuple[list[str], np.ndarray]:
    """Returns N texts and their vectors, floating (N, dim).

    Args:
        path: A `.npy` file, whose array stays on disk, with the texts in UTF-8 in a
            `.txt` file beside it; or a `.parquet` file.

    Raises:
        BabeletError: A missing or damaged file, another count of texts than of
            vectors, vectors of several widths, or not finite, or all zero.
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
        block = np.asarray(vectors[start : start + ROWS_AT_ONCE], np.float32)
        # Neither NaN nor infinite, nor all zero, which has no direction.
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
    except (OSError, ValueError, EOFError) as error:
        raise _unreadable(path, "an array of numbers", error) from error
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
        table = parquet.read_table(path, columns=["text", "vector"])
        texts, rows = table["text"].to_pylist(), table["vector"].combine_chunks()
        counts = rows.value_lengths().to_pylist()
        values = rows.flatten().to_numpy(zero_copy_only=False)
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        expected = "columns text (strings) and vector (lists of numbers)"
        raise _unreadable(path, expected, error) from error
    width = counts[0] if counts else 0
    for row, (text, count) in enumerate(zip(texts, counts, strict=True)):
        if text is None or not count or count != width:
            raise refusal(
                path,
                f"a text and a vector of {width or 'the same'} numbers in each row",
                f"{text!r} with {count or 0} numbers in row {row + 1}",
                "compute that vector again, or leave out the row",
            )
    return texts, np.asarray(values, np.float32).reshape(len(texts), -1)


def _unreadable(path: Path, expected: str, error: Exception) -> BabeletError:
    return refusal(
        path,
        expected,
        " ".join(str(error).split())[:300],
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
