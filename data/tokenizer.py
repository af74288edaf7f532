"""Text to token ids with a SentencePiece model."""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import sentencepiece

from babelet.core.errors import BabeletError

_SURROGATE = re.compile("[\ud800-\udfff]")


class Tokenizer:
    """A SentencePiece model, with the length its sentences are cut to.

    `max_length` counts the start and end tokens. `model` is a serialised proto or
    the path of one; ids are the proto's.
    """

    def __init__(self, model: bytes | Path, max_length: int) -> None:
        self.max_length = max_length
        self.model_bytes = model if isinstance(model, bytes) else _read(model)
        self._processor = load(self.model_bytes)
        self.vocabulary_size: int = self._processor.vocab_size()
        self.pad_id: int = self._processor.pad_id()
        self.bos_id: int = self._processor.bos_id()
        self.eos_id: int = self._processor.eos_id()
        self.unk_id: int = self._processor.unk_id()
        # In the order in which a model is told of them.
        self.special_ids = (self.pad_id, self.bos_id, self.eos_id, self.unk_id)
        if min(self.special_ids) < 0:
            raise BabeletError(
                "The SentencePiece model lacks a special piece",
                expected="ids of pad, bos, eos and unk",
                received=", ".join(map(str, self.special_ids)),
                remedy="use the tokenizer.model that vocabulary trimming wrote",
            )
        if max_length < 2:
            raise BabeletError(
                "Sentences cannot be cut that short",
                expected="max_length of 2 or more, for the start and end tokens",
                received=str(max_length),
                remedy="raise student.max_length",
            )

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """Returns [bos, pieces..., eos] for each text, at most `max_length` ids.

        A longer text loses pieces from its end; the end token stays.
        """
        room = self.max_length - 2
        return [
            [self.bos_id, *pieces[:room], self.eos_id] for pieces in self.pieces(texts)
        ]

    def pieces(self, texts: Sequence[str]) -> list[list[int]]:
        """Returns the piece ids of each text, uncut and without start and end."""
        return self._processor.encode([valid_unicode(text) for text in texts])

    def piece_texts(self) -> list[str]:
        """Returns what each piece stands for, by id, without spaces around it.

        The piece that is a space alone stands for itself.
        """
        pieces = map(self._processor.id_to_piece, range(self.vocabulary_size))
        return [piece.replace("▁", " ").strip() or piece for piece in pieces]

    def decode(self, rows: Sequence[Sequence[int]]) -> list[str]:
        """Returns the text of each row of ids; start, end and padding are no text."""
        # One by one: as a batch, rows without ids are left out of the result.
        return [self._processor.decode([int(i) for i in row]) for row in rows]

    def pad(self, ids: Sequence[Sequence[int]], multiple: int = 8) -> dict:
        """Lays rows of ids out as one rectangle; see `padded`.

        Args:
            ids: B lists of ids, as `encode` returns them.
            multiple: The width L is a multiple of it, but at most `max_length`.

        Returns:
            "token_ids": int32 (B, L); "padding_mask": bool (B, L), True on tokens.
        """
        lengths = np.fromiter((len(row) for row in ids), np.int64, len(ids))
        flat = np.fromiter((i for row in ids for i in row), np.int32, lengths.sum())
        starts = np.cumsum(lengths) - lengths
        return padded(flat, starts, lengths, self.pad_id, multiple, self.max_length)


def padded(
    flat: np.ndarray,
    starts: np.ndarray,
    lengths: np.ndarray,
    pad_id: int,
    multiple: int,
    max_length: int,
) -> dict[str, np.ndarray]:
    """Lays ragged rows out as a rectangle.

    Args:
        flat: integers (N,), the rows one after another.
        starts: int (B,), where each row begins in `flat`.
        lengths: int (B,), at most `max_length`.
        pad_id: The id right of each row's end.
        multiple: The width L is the next multiple of it, so that few shapes occur.
        max_length: L never exceeds it: the model has no positions beyond.

    Returns:
        "token_ids": int32 (B, L); "padding_mask": bool (B, L), True on tokens.
    """
    longest = int(lengths.max(initial=1))
    width = min(-(-longest // multiple) * multiple, max(max_length, longest))
    columns = np.arange(width)
    mask = columns < lengths[:, None]  # (B, L)
    token_ids = np.full(mask.shape, pad_id, np.int32)
    token_ids[mask] = flat[(starts[:, None] + columns)[mask]]
    return {"token_ids": token_ids, "padding_mask": mask}


def valid_unicode(text: str) -> str:
    """Returns `text` with lone surrogates, which UTF-8 cannot hold, as U+FFFD."""
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)


def load(model: bytes) -> sentencepiece.SentencePieceProcessor:
    """Returns the processor of a serialised SentencePiece proto.

    Raises:
        BabeletError: `model` is not one.
    """
    processor = sentencepiece.SentencePieceProcessor()
    try:
        # An empty or foreign proto loads "successfully" with no pieces.
        if processor.LoadFromSerializedProto(model) and processor.vocab_size():
            return processor
        reason = "it holds no pieces"
    except (RuntimeError, ValueError) as error:
        reason = str(error)
    raise BabeletError(
        f"Cannot load a SentencePiece model: {reason}",
        expected="a serialised SentencePiece model",
        received=f"{len(model)} bytes",
        remedy="delete the damaged file and run the command again",
    )


def _read(path: Path) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise BabeletError(
            f"Cannot read the tokenizer {path}: {error.strerror}",
            remedy="run training again with this workdir: it writes tokenizer.model",
        ) from error
