"""Teacher vectors on disk: no text is encoded twice, not even after a kill.

<folder>/<first 16 digits of the fingerprint>/
    header.json   what the rows are
    vectors       float32, little-endian (rows, dim)
    keys          16-byte BLAKE2b of each row's text
    commits       for each chunk: rows after it (u64), checksum of its rows (u64)
    lock          held (flock) while appending

Texts are encoded in chunks of `CHUNK` missing ones, in the order given, and a chunk
counts once its commit is written. What a kill leaves behind that is cut off, so the
next run forms the same chunks again, and the vectors, whose last bits depend on the
batch, are those of an uninterrupted run.
"""

import contextlib
import fcntl
import hashlib
import itertools
import json
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from tqdm import tqdm

from babelet.core.atomic import atomic_path, explain
from babelet.core.errors import BabeletError
from babelet.model.teachers.base import Teacher

CHUNK = 2048
_KEY = np.dtype("S16")
_COMMIT = np.dtype([("rows", "<u8"), ("checksum", "<u8")])
_FILES = ("vectors", "keys", "commits")


class TeacherCache:
    """Append-only cache of one teacher's vectors, by text.

    Memory grows by 24 bytes for each distinct text, not by its vector.
    """

    def __init__(self, teacher: Teacher, folder: Path) -> None:
        """Opens the cache in `folder`, which is created at the first write.

        Raises:
            BabeletError: The folder holds another teacher's vectors.
        """
        self._teacher = teacher
        self._dim = teacher.dim
        self._folder = Path(folder) / teacher.fingerprint[:16]
        self._rows = self._chunks = 0
        # Rows of damaged chunks: no text leads to them.
        self._lost = 0
        # Keys in order, and the row of each.
        self._sorted, self._places = np.empty(0, _KEY), np.empty(0, np.int64)
        self._refresh()

    def __len__(self) -> int:
        """Returns how many texts are cached, damaged ones apart."""
        return self._rows - self._lost

    @property
    def vectors(self) -> np.ndarray:
        """All cached vectors, float32 (rows, dim), read-only and on disk."""
        if not self._rows:
            return np.empty((0, self._dim), np.float32)
        shape = (self._rows, self._dim)
        return np.memmap(self._folder / "vectors", "<f4", "r", shape=shape)

    def encode(self, texts: Sequence[str], description: str = "") -> np.ndarray:
        """Returns the vectors of `texts`, float32 (N, dim); encodes what is missing."""
        self.ensure(texts, description)
        return np.array(self.vectors[self.rows(texts)])

    def ensure(
        self, texts: Iterable[str], description: str = "", total: int | None = None
    ) -> None:
        """Caches the vectors of `texts`, which are read once and never all held.

        Args:
            texts: Any number of texts, repeated ones too.
            description: Names the progress bar, which appears after a second.
            total: How many texts there are, for the bar's estimate; a sequence
                tells by itself.

        Raises:
            BabeletError: The disk is full, another process is appending, or the
                teacher gave something other than unit vectors. What was cached
                before stays readable.
        """
        if isinstance(texts, Sequence):
            total = len(texts)
        pending: dict[bytes, str] = {}
        locked = False
        with (
            contextlib.ExitStack() as stack,
            tqdm(total=total, desc=description, unit=" texts", delay=1) as bar,
        ):
            for window in _windows(texts):
                keys = _keys(window)
                absent = np.flatnonzero(self._find(keys) < 0)
                if len(absent) and not locked:
                    stack.enter_context(self._exclusive())
                    locked = True
                    # Another process may have added them by now.
                    absent = np.flatnonzero(self._find(keys) < 0)
                for i in absent.tolist():
                    pending.setdefault(keys[i], window[i])
                while len(pending) >= CHUNK:
                    self._append([pending.pop(k) for k in list(pending)[:CHUNK]])
                bar.update(len(window))
            if pending:
                self._append(list(pending.values()))

    def rows(self, texts: Iterable[str]) -> np.ndarray:
        """Returns the row of each text in `vectors`, int64 (N,).

        Raises:
            BabeletError: One of them is not cached; `ensure` comes first.
        """
        found = [np.empty(0, np.int64)]
        for window in _windows(texts):
            rows = self._find(_keys(window))
            if (rows < 0).any():
                raise BabeletError(
                    f"{self._folder} lacks the vector of "
                    f"{window[int(np.argmin(rows))]!r}",
                    expected="one for each text of the run",
                    remedy="run babelet distill with this --workdir again: what is "
                    "missing is encoded anew",
                )
            found.append(rows)
        return np.concatenate(found)

    def missing(self, texts: Iterable[str]) -> int:
        """Returns how many distinct texts are not cached yet."""
        absent = [np.empty(0, _KEY)]
        for window in _windows(texts):
            keys = _keys(window)
            absent.append(keys[self._find(keys) < 0])
        return len(np.unique(np.concatenate(absent)))

    def _find(self, keys: np.ndarray) -> np.ndarray:
        """Returns the row of each key, int64, or -1."""
        if not self._rows:
            return np.full(len(keys), -1)
        at = np.searchsorted(self._sorted, keys).clip(max=self._rows - 1)
        return np.where(self._sorted[at] == keys, self._places[at], -1)

    def _append(self, texts: list[str]) -> None:
        """Encodes one chunk and commits it, or leaves the files as they were."""
        vectors = self._teacher.encode(texts)
        self._check(vectors, texts)
        keys, rows = _keys(texts), self._rows + len(texts)
        contents = vectors.astype("<f4").tobytes(), keys.tobytes()
        commit = np.array((rows, _checksum(*contents)), _COMMIT)
        try:
            for name, content in zip(_FILES, (*contents, commit), strict=True):
                _extend(self._folder / name, content)
        except OSError as error:
            self._truncate()
            raise explain(error, self._folder) from error
        self._index(keys)
        self._chunks += 1

    def _check(self, vectors: np.ndarray, texts: list[str]) -> None:
        expected = f"finite unit vectors of shape {(len(texts), self._dim)}"
        received = f"shape {vectors.shape}"
        if vectors.shape == (len(texts), self._dim):
            # A NaN is in no interval.
            wrong = ~(np.abs(np.linalg.norm(vectors, axis=1) - 1) < 1e-3)
            if not wrong.any():
                return
            received = f"another vector for {texts[int(np.argmax(wrong))]!r}"
        raise BabeletError(
            "The teacher's output cannot be cached",
            expected=expected,
            received=received,
            consequence="What was cached before is kept",
            remedy="look at that text, and at teacher.path",
        )

    def _index(self, keys: np.ndarray) -> None:
        """Takes in the keys of the rows after the last one."""
        order = np.argsort(keys, kind="stable")
        at = np.searchsorted(self._sorted, keys[order])
        self._sorted = np.insert(self._sorted, at, keys[order])
        self._places = np.insert(self._places, at, order + self._rows)
        self._rows += len(keys)

    def _refresh(self) -> None:
        """Takes in what has been committed since.

        Damaged chunks at the end do not count. The texts of one before them count as
        not cached: they are encoded again, and their rows are left unused.
        """
        complete = all((self._folder / name).exists() for name in _FILES)
        if not self._check_header() or not complete:
            return
        commits = np.fromfile(self._folder / "commits", _COMMIT)[self._chunks :]
        # How many of `chunks` there are up to the last intact one.
        intact = 1
        chunks, end, lost = [np.empty(0, _KEY)], self._rows, 0
        with (
            (self._folder / "vectors").open("rb") as vectors,
            (self._folder / "keys").open("rb") as keys,
        ):
            vectors.seek(end * self._dim * 4)
            keys.seek(end * _KEY.itemsize)
            for rows, checksum in commits.tolist():
                count = rows - end
                if not 0 < count <= CHUNK:
                    break
                chunk = (
                    vectors.read(count * self._dim * 4),
                    keys.read(count * _KEY.itemsize),
                )
                if _checksum(*chunk) == checksum:
                    chunks.append(np.frombuffer(chunk[1], _KEY))
                    self._lost, lost = self._lost + lost, 0
                    intact = len(chunks)
                else:
                    chunks.append(np.zeros(count, _KEY))
                    lost += count
                end = rows
        self._index(np.concatenate(chunks[:intact]))
        self._chunks += intact - 1

    def _check_header(self) -> bool:
        """Returns whether there is a cache yet; raises if it is not this teacher's."""
        path = self._folder / "header.json"
        if not path.exists():
            return False
        try:
            received = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            received = str(error)
        if received != self._header():
            raise BabeletError(
                f"{self._folder} is not a cache of this teacher's vectors",
                expected=json.dumps(self._header()),
                received=json.dumps(received),
                remedy=f"delete {self._folder} or set another teacher.cache_dir",
            )
        return True

    def _header(self) -> dict[str, str | int]:
        return {
            "format": 1,
            "teacher": self._teacher.fingerprint,
            "dim": self._dim,
            "vectors": "float32",
        }

    @contextlib.contextmanager
    def _exclusive(self) -> Iterator[None]:
        """Holds the lock; on entry, what was not committed is cut off."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            lock = (self._folder / "lock").open("w")
        except OSError as error:
            raise explain(error, self._folder) from error
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise BabeletError(
                    f"Another process is adding to the teacher cache {self._folder}",
                    remedy="wait until it has finished, or set another "
                    "teacher.cache_dir for this run",
                ) from error
            try:
                self._truncate()
                if not self._check_header():
                    with atomic_path(self._folder / "header.json") as path:
                        path.write_text(json.dumps(self._header()), encoding="utf-8")
            except OSError as error:
                raise explain(error, self._folder) from error
            yield

    def _truncate(self) -> None:
        """Cuts the files to the committed rows; creates them if they are not there."""
        self._refresh()
        sizes = self._rows * self._dim * 4, self._rows * _KEY.itemsize
        sizes += (self._chunks * _COMMIT.itemsize,)
        for name, size in zip(_FILES, sizes, strict=True):
            with (self._folder / name).open("ab") as file:
                file.truncate(size)


def _windows(texts: Iterable[str]) -> Iterator[list[str]]:
    iterator = iter(texts)
    while window := list(itertools.islice(iterator, CHUNK)):
        yield window


def _keys(texts: Sequence[str]) -> np.ndarray:
    """Returns the 16-byte hash of each text, S16 (N,)."""
    digests = (
        hashlib.blake2b(text.encode(), digest_size=_KEY.itemsize).digest()
        for text in texts
    )
    return np.fromiter(digests, _KEY, len(texts))


def _checksum(vectors: bytes, keys: bytes) -> int:
    return zlib.crc32(keys, zlib.crc32(vectors))


def _extend(path: Path, content: bytes | np.ndarray) -> None:
    """Appends all of `content`; unbuffered, so that a full disk shows at once."""
    rest = memoryview(content if isinstance(content, bytes) else content.data)
    rest = rest.cast("B")
    with path.open("ab", buffering=0) as file:
        while rest:
            rest = rest[file.write(rest) :]
