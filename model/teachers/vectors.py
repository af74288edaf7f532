"""A teacher that ran elsewhere: the vectors of its texts, from files."""

import hashlib
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path

import numpy as np

from babelet.configs.schema import TeacherConfig
from babelet.core.atomic import atomic_path
from babelet.core.errors import BabeletError
from babelet.model.teachers.base import Teacher, digest, refuse_unused, unit_rows
from babelet.model.teachers.vector_files import ROWS_AT_ONCE, read_vectors, refusal

# As large as the hash of a text; 24 bytes a text are held in memory, not its vector.
_KEY = np.dtype("S16")


def load(config: TeacherConfig, path: Path) -> Teacher:
    """Returns the teacher.

    Args:
        config: Of which `normalization` is used.
        path: The file, as `vector_files.read_vectors` takes it.

    Raises:
        BabeletError: A file that cannot be used, or one text with two vectors.
    """
    refuse_unused(config, "num_layers", "pooling", "prefix")
    texts, vectors = read_vectors(path)
    return VectorsTeacher(path, texts, vectors, config)


class VectorsTeacher(Teacher):
    """Knows the texts it was given, and no other."""

    def __init__(
        self, path: Path, texts: list[str], vectors: np.ndarray, config: TeacherConfig
    ) -> None:
        """Indexes the vectors, floating (N, dim), of the N texts."""
        self._path, self._vectors = path, vectors
        self._unit = config.normalization == "l2"
        self.dim = vectors.shape[1]
        keys = _keys(texts)
        self._places = np.argsort(keys, kind="stable")
        self._sorted = keys[self._places]
        self._require_one_vector_each(texts)
        content = hashlib.sha256(keys.tobytes())
        for start in range(0, len(vectors), ROWS_AT_ONCE):
            content.update(vectors[start : start + ROWS_AT_ONCE].tobytes())
        self.fingerprint = digest(
            content.hexdigest(), vectors.dtype.str, self.dim, config.normalization
        )

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Returns the vectors of `texts`, float32 (N, dim).

        Raises:
            BabeletError: One of them is not in the file.
        """
        rows = self._rows(texts)
        if len(rows) and rows.min() < 0:
            raise self._missing(texts[int(np.argmin(rows))], "")
        vectors = np.asarray(self._vectors[rows], np.float32)
        return unit_rows(vectors) if self._unit else vectors

    def require(self, texts: Iterable[str]) -> None:
        """Raises a BabeletError unless all of `texts` are in the file.

        Those that are not are written beside it, one a line.
        """
        iterator, missing = iter(texts), {}
        while window := list(islice(iterator, ROWS_AT_ONCE)):
            rows = self._rows(window)
            missing |= {window[i]: None for i in np.flatnonzero(rows < 0)}
        if missing:
            target = self._path.with_name(f"{self._path.stem}.missing.txt")
            with atomic_path(target) as file:
                file.write_text("".join(f"{text}\n" for text in missing), "utf-8")
            more = f", and {len(missing) - 1} more" if len(missing) > 1 else ""
            raise self._missing(next(iter(missing)), more, target)

    def _missing(
        self, text: str, more: str, target: Path | None = None
    ) -> BabeletError:
        where = f" ({target} lists them, one a line)" if target else ""
        return refusal(
            self._path,
            "a vector for every text of the run, translations held out for "
            "measurement too",
            f"none for {text!r}{more}",
            f"compute the missing vectors{where} and add them to the file",
        )

    def _rows(self, texts: Sequence[str]) -> np.ndarray:
        """Returns the row of each text, int64 (N,), or -1."""
        if not len(self._sorted):
            return np.full(len(texts), -1)
        keys = _keys(texts)
        at = np.searchsorted(self._sorted, keys).clip(max=len(self._sorted) - 1)
        return np.where(self._sorted[at] == keys, self._places[at], -1)

    def _require_one_vector_each(self, texts: list[str]) -> None:
        for at in np.flatnonzero(self._sorted[1:] == self._sorted[:-1]):
            first, second = self._places[at], self._places[at + 1]
            if not np.array_equal(self._vectors[first], self._vectors[second]):
                raise refusal(
                    self._path,
                    "one vector for each text",
                    f"two for {texts[first]!r}, in rows {first + 1} and {second + 1}",
                    "keep one of them",
                )


def _keys(texts: Sequence[str]) -> np.ndarray:
    """Returns the hash of each text, S16 (N,)."""
    size = _KEY.itemsize
    hashes = (hashlib.blake2b(text.encode(), digest_size=size) for text in texts)
    return np.fromiter((each.digest() for each in hashes), _KEY, len(texts))
