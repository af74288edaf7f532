"""Writes small teachers in the E5S1 format (see model/teachers/e5s1.py)."""

import io
import re
import struct
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import sentencepiece

SPECIAL = ("<s>", "<pad>", "</s>", "<unk>")
# Full-width A becomes a; zero-width joiners vanish.
RULES = {"Ａ": "a", "\u200d": ""}


class Shape(NamedTuple):
    """Sizes of the encoder."""

    hidden: int = 32
    layers: int = 2
    heads: int = 4
    inner: int = 64
    positions: int = 24


def unigram(sentences: Iterable[str], size: int) -> tuple[list[str], list[float]]:
    """Returns pieces and scores of a Unigram model trained on `sentences`."""
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(sentences),
        model_writer=model,
        vocab_size=size,
        hard_vocab_limit=False,
        character_coverage=1.0,
        model_type="unigram",
        normalization_rule_name="nmt_nfkc",
        bos_id=0,
        pad_id=1,
        eos_id=2,
        unk_id=3,
        minloglevel=2,
        num_threads=1,
    )
    trained = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())
    ids = range(trained.vocab_size())
    pieces = [*SPECIAL, *(trained.id_to_piece(i) for i in ids[4:])]
    return pieces, [trained.get_score(i) for i in ids]


def nmt_nfkc() -> dict[str, str]:
    """Returns the rules of a real teacher's normaliser."""
    sentencepiece.set_min_log_level(1)
    rules = sentencepiece.SentencePieceNormalizer(rule_name="nmt_nfkc").decompile()
    return {source: target for source, target in rules if len(source) == 1}


def quantise(matrix: np.ndarray) -> tuple[bytes, np.ndarray]:
    """Returns Q4_0 bytes of (out, in) weights, and the weights they stand for."""
    blocks = matrix.reshape(-1, 32)
    scales = (np.abs(blocks).max(1) / 7).astype("<f2")
    nibbles = np.rint(blocks / scales[:, None].astype(np.float32)).clip(-8, 7) + 8
    nibbles = nibbles.astype(np.uint8)
    packed = nibbles[:, :16] | (nibbles[:, 16:] << 4)
    data = b"".join(
        scale.tobytes() + row.tobytes()
        for scale, row in zip(scales, packed, strict=True)
    )
    weights = (nibbles.astype(np.float32) - 8) * scales[:, None].astype(np.float32)
    return data, weights.reshape(matrix.shape)


def random_tensors(rows: int, shape: Shape, spread: float) -> dict[str, np.ndarray]:
    """Returns every tensor of an encoder by its name in the file, always the same."""
    random = np.random.default_rng(7)
    hidden, inner = shape.hidden, shape.inner
    shapes = {"emb.word": (rows, hidden), "emb.pos": (shape.positions, hidden)}
    shapes |= {"emb.type": (2, hidden), "emb.ln.w": (hidden,), "emb.ln.b": (hidden,)}
    for i in range(shape.layers):
        for name in ("q", "k", "v", "ao"):
            shapes |= {f"l{i}.{name}.w": (hidden, hidden), f"l{i}.{name}.b": (hidden,)}
        shapes |= {f"l{i}.fi.w": (inner, hidden), f"l{i}.fi.b": (inner,)}
        shapes |= {f"l{i}.fo.w": (hidden, inner), f"l{i}.fo.b": (hidden,)}
        for name in ("aln", "oln"):
            shapes |= {f"l{i}.{name}.w": (hidden,), f"l{i}.{name}.b": (hidden,)}
    tensors = {}
    for name, size in shapes.items():
        mean = 1.0 if name.endswith("ln.w") else 0.0
        scale = 0.3 if name == "emb.word" else spread
        tensors[name] = random.normal(mean, scale, size).astype(np.float32)
    return tensors


def write_e5s1(
    path: Path,
    pieces: Sequence[str],
    scores: Sequence[float],
    shape: Shape,
    rules: Mapping[str, str] = RULES,
    spread: float = 0.3,
) -> tuple[dict[str, np.ndarray], dict[str, int]]:
    """Writes a teacher with random weights; returns the weights, and offsets.

    The embedding table has one row more than there are pieces, as in the real file.

    Args:
        path: The file to write.
        pieces: The tokenizer's, SPECIAL first.
        scores: One for each piece.
        shape: Of the encoder.
        rules: Of the normaliser, from a character to its replacement.
        spread: Of all weights but the tokens' embeddings; the smaller, the more a
            vector is the mean of its tokens, which is easy to learn.
    """
    out = io.BytesIO()
    out.write(b"E5S1" + struct.pack("<I", 1))
    rows = len(pieces) + 1
    sizes = *shape[:4], rows, shape.positions, 2
    out.write(struct.pack("<7ifi", *sizes, 1e-12, 32))
    texts = [piece.encode() for piece in pieces]
    out.write(struct.pack("<5iQ", len(texts), 0, 2, 1, 3, sum(map(len, texts))))
    out.write(np.cumsum([0, *map(len, texts)]).astype("<u4").tobytes())
    out.write(np.array(scores, "<f4").tobytes() + b"".join(texts))
    table = b"".join(
        struct.pack(f"<IB{len(text)}I", ord(character), len(text), *map(ord, text))
        for character, text in rules.items()
    )
    out.write(struct.pack("<iI", len(rules), len(table)) + table)
    weights, stored = {}, {}
    for name, tensor in random_tensors(rows, shape, spread).items():
        if name == "emb.word" or re.fullmatch(r"l\d\.(q|k|v|ao|fi|fo)\.w", name):
            data, weights[name] = quantise(tensor)
            stored[name] = 1, data
        else:
            weights[name], stored[name] = tensor, (0, tensor.tobytes())
    offset = out.tell() + 4 + sum(2 + len(name) + 21 for name in stored)
    out.write(struct.pack("<i", len(stored)))
    offsets = {}
    for name, (kind, data) in stored.items():
        out.write(struct.pack("<H", len(name)) + name.encode())
        out.write(struct.pack("<BIQQ", kind, weights[name].size, offset, len(data)))
        offsets[name] = offset
        offset += len(data)
    out.write(b"".join(data for _, data in stored.values()))
    path.write_bytes(out.getvalue())
    return weights, offsets
