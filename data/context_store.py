"""Vectors of the tokens of many texts, on disk, and batches of them."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
from tqdm import tqdm

from babelet.core.atomic import atomic_path
from babelet.core.checksums import require_seal, seal
from babelet.data.reserved_array import reserved_array

_VECTORS, _STARTS, _PLACES = "vectors.npy", "starts.npy", "places.npy"
# Texts that are encoded at once.
_PART = 2048

# Texts to the vectors of the tokens of each, float16 (tokens, width).
EncodeTokens = Callable[[Sequence[str]], list[np.ndarray]]


class ContextStore:
    """Maps a row of a token store to the vectors another encoder has of its text."""

    def __init__(self, folder: Path) -> None:
        """Opens what `build` wrote, memory-mapped.

        Raises:
            BabeletError: It is damaged.
        """
        require_seal(folder, remedy=f"delete {folder} and run the command again")
        self._vectors = np.load(folder / _VECTORS, mmap_mode="r")
        self._starts = np.load(folder / _STARTS)
        self._places = np.load(folder / _PLACES)

    @classmethod
    def build(
        cls,
        encode: EncodeTokens,
        rows: Sequence[int],
        texts: Sequence[str],
        width: int,
        folder: Path,
    ) -> "ContextStore":
        """Writes the vectors of `texts`, which are those of the rows `rows`.

        Args:
            encode: The encoder.
            rows: Numbers of the texts, from 0; others have no vectors.
            texts: One for each row.
            width: Of a vector.
            folder: Replaced if it is there.
        """
        places = np.full(max(rows) + 1, -1, np.int64)
        places[np.asarray(rows)] = np.arange(len(rows))
        starts = [0]
        with atomic_path(folder) as partial:
            partial.mkdir()
            raw = partial / "raw"
            with raw.open("wb") as file:
                for vectors in _encoded(encode, texts):
                    file.write(np.ascontiguousarray(vectors, np.float16).tobytes())
                    starts.append(starts[-1] + len(vectors))
            shape = (starts[-1], width)
            stored = reserved_array(partial / _VECTORS, np.float16, shape)
            stored[:] = np.memmap(raw, np.float16, "r", shape=shape)
            stored.flush()
            raw.unlink()
            np.save(partial / _STARTS, np.array(starts))
            np.save(partial / _PLACES, places)
            seal(partial)
        return cls(folder)

    def padded(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        """Returns the vectors of `rows`, as `padded` does."""
        return padded(self._of(rows))

    def remembered(self, texts: Sequence[str], rows: Sequence[int]) -> EncodeTokens:
        """Returns an encoder of these texts, of those rows, that computes nothing."""
        row_of = dict(zip(texts, rows, strict=True))
        return lambda asked: self._of(np.array([row_of[text] for text in asked]))

    def _of(self, rows: np.ndarray) -> list[np.ndarray]:
        places = self._places[rows]
        begins, ends = self._starts[places], self._starts[places + 1]
        return [self._vectors[a:b] for a, b in zip(begins, ends, strict=True)]


def padded(vectors: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
    """Returns vectors of texts (tokens, width) as one batch.

    Returns:
        "context" float16 (batch, length, width), 0 at padding, and "context_mask"
        bool (batch, length).
    """
    length = max(len(own) for own in vectors)
    shape = (len(vectors), length)
    batch = np.zeros((*shape, vectors[0].shape[1]), np.float16)
    mask = np.zeros(shape, bool)
    for row, own in enumerate(vectors):
        batch[row, : len(own)] = own
        mask[row, : len(own)] = True
    return {"context": batch, "context_mask": mask}


def _encoded(encode: EncodeTokens, texts: Sequence[str]) -> Iterable[np.ndarray]:
    with tqdm(total=len(texts), desc="Context", unit=" texts") as progress:
        for start in range(0, len(texts), _PART):
            part = texts[start : start + _PART]
            yield from encode(part)
            progress.update(len(part))
