"""Tokenized sentences on disk, laid out as batches without touching a string."""

import json
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

import numpy as np

from babelet.core.atomic import atomic_path
from babelet.core.checksums import require_seal, seal
from babelet.core.errors import BabeletError
from babelet.data.tokenizer import Tokenizer, padded

_TEXTS_PER_CHUNK = 4096


class TokenStore:
    """The token ids of many sentences, memory-mapped.

    A folder of `tokens.bin` (the rows one after another), `starts.bin` (int64),
    `lengths.bin` (int32) and `store.json`.

    Attributes:
        fingerprint: What `build` was given: compare it with the current inputs' and
            build again when it differs.
        starts: int64 (N,), where each sentence begins among all tokens.
        lengths: int32 (N,), tokens of each sentence.
    """

    def __init__(self, folder: Path) -> None:
        folder = Path(folder)
        require_seal(folder, remedy=f"delete {folder} and run the command again")
        try:
            facts = json.loads((folder / "store.json").read_text(encoding="utf-8"))
            count, tokens = facts["sentences"], facts["tokens"]
            self.fingerprint: str = facts["fingerprint"]
            self.max_length: int = facts["max_length"]
            self._pad_id: int = facts["pad_id"]
            self._flat = _open(folder / "tokens.bin", facts["dtype"], tokens)
            self.starts = _open(folder / "starts.bin", "int64", count)
            self.lengths = _open(folder / "lengths.bin", "int32", count)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise BabeletError(
                f"Cannot open the tokenized sentences in {folder}: {error}",
                remedy="delete that folder and run the command again",
            ) from error

    def __len__(self) -> int:
        return len(self.lengths)

    def padded(self, ids: np.ndarray, multiple: int = 8) -> dict[str, np.ndarray]:
        """Returns the sentences `ids` as one batch.

        Args:
            ids: int (B,), sentence numbers; they may repeat.
            multiple: The width L is a multiple of it, but at most `max_length`.

        Returns:
            "token_ids": int32 (B, L); "padding_mask": bool (B, L), True on tokens.
        """
        ids = np.asarray(ids, np.int64)
        starts, lengths = self.starts[ids], self.lengths[ids]
        return padded(
            self._flat, starts, lengths, self._pad_id, multiple, self.max_length
        )

    @classmethod
    def build(
        cls, tokenizer: Tokenizer, texts: Iterable[str], folder: Path, fingerprint: str
    ) -> "TokenStore":
        """Tokenizes `texts` into `folder`, whole or not at all, and opens it.

        Memory stays the same however many texts there are.

        Args:
            tokenizer: Its `max_length` cuts the rows.
            texts: Read once, in order: row i of the store is the i-th text.
            folder: Replaced if it is there.
            fingerprint: Names the inputs (texts, tokenizer, length).
        """
        # Ids reach vocabulary_size - 1, so 65,536 of them still fit.
        dtype = "uint16" if tokenizer.vocabulary_size <= 65_536 else "int32"
        sentences = tokens = 0
        with atomic_path(folder) as partial:
            partial.mkdir()
            with (
                (partial / "tokens.bin").open("wb") as flat_file,
                (partial / "starts.bin").open("wb") as starts_file,
                (partial / "lengths.bin").open("wb") as lengths_file,
            ):
                for chunk in _chunks(texts):
                    rows = tokenizer.encode(chunk)
                    lengths = np.array([len(row) for row in rows], np.int64)
                    starts = tokens + np.cumsum(lengths) - lengths
                    flat_file.write(np.concatenate(rows).astype(dtype).tobytes())
                    starts_file.write(starts.tobytes())
                    lengths_file.write(lengths.astype(np.int32).tobytes())
                    sentences += len(rows)
                    tokens += int(lengths.sum())
            facts = {
                "fingerprint": fingerprint,
                "sentences": sentences,
                "tokens": tokens,
                "dtype": dtype,
                "pad_id": tokenizer.pad_id,
                "max_length": tokenizer.max_length,
            }
            text = json.dumps(facts, indent=2) + "\n"
            (partial / "store.json").write_text(text, encoding="utf-8")
            seal(partial)
        return cls(folder)


def _chunks(texts: Iterable[str]) -> Iterator[list[str]]:
    iterator = iter(texts)
    while chunk := list(islice(iterator, _TEXTS_PER_CHUNK)):
        yield chunk


def _open(path: Path, dtype: str, count: int) -> np.ndarray:
    """Returns the file as a read-only memory-mapped array (count,) of `dtype`."""
    expected = count * np.dtype(dtype).itemsize
    if path.stat().st_size != expected:
        raise ValueError(f"{path.name} is not {expected} bytes long")
    if not count:
        # An empty file cannot be mapped.
        return np.zeros(0, dtype)
    return np.memmap(path, dtype, mode="r", shape=(count,)).view(np.ndarray)
