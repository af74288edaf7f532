"""Random strings through the four tokenizers: SentencePiece, and three exported."""

import io
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
import sentencepiece
from absl import logging

from babelet.data.tokenizer import Tokenizer
from babelet.export.array_gate import EDGE_CASES
from babelet.export.predict import saved_model_predict
from babelet.export.saved_model import export_saved_model
from babelet.export.text_litert import convert_mediapipe, convert_text
from babelet.export.text_predict import text_predict
from benchmarks.mediapipe_vectors import mediapipe_vectors
from benchmarks.token_identity import probe
from benchmarks.torture.inputs import sentences

Ids = list[list[int]]
_CHUNK = 10_000
_WIDTH = 96
# First characters of blocks of 128, of scripts, symbols, marks and controls.
_BLOCKS = (0x0, 0x80, 0x300, 0x370, 0x400, 0x530, 0x590, 0x600, 0x900, 0x980, 0xE00)
_BLOCKS += (0xE80, 0xF00, 0x1000, 0x10A0, 0x1100, 0x1200, 0x1780, 0x1E00, 0x1F00)
_BLOCKS += (0x2000, 0x2080, 0x2100, 0x2600, 0x3000, 0x3080, 0x4E00, 0xAC00, 0xE000)
_BLOCKS += (0xF900, 0xFB00, 0xFE00, 0xFF00, 0xFF80, 0x10300, 0x1D400, 0x1F300)
_BLOCKS += (0x1F600, 0x1F900, 0x20000, 0xE0000, 0x10FF80)
_SPECIAL = (
    "<s>", "</s>", "<pad>", "<unk>", "▁", "\0", "\n", "\r\n", "\t", " ", "  ", "\u3000",
    "\u00a0", "\u200b", "\u200d", "\u200e", "\u200f", "\u202e", "\u2066", "\u2069",
    "\ufeff", "\ufffd", "\uffff", "\u0301", "\u0323", "\ufe0f", "👩‍👩‍👧",
    "🏳️‍🌈", "ﬁ", "½", "ｶﾞ", "İ", "ß",
    "\u1e9b\u0323", "각", "각", "ำ", "\u0345", "\U0010ffff",
)  # fmt: skip


def random_strings(count: int, seed: int) -> list[str]:
    """Returns strings of every kind: any code point, scripts mixed, marks, long."""
    random = np.random.default_rng(seed)
    return [_string(random, number % 8) for number in range(count)]


def _string(random: np.random.Generator, kind: int) -> str:
    if kind == 0:  # Any code points at all.
        points = random.integers(0, 0x110000, random.integers(0, 30))
        return "".join(chr(p) for p in points.tolist() if not 0xD800 <= p < 0xE000)
    if kind == 1:  # A base with marks upon marks.
        marks = random.integers(0x300, 0x370, random.integers(0, 20)).tolist()
        return chr(random.integers(0x61, 0x24F)) + "".join(map(chr, marks))
    if kind == 2:  # Words that the vocabulary knows, cut and glued.
        rows = sentences()
        chosen = rows[random.integers(len(rows))][random.integers(3)]
        cut = int(random.integers(len(chosen) + 1))
        return chosen[cut:] + str(random.choice(_SPECIAL)) + chosen[:cut]
    repeats = (
        int(random.integers(100, 400)) if kind == 3 and random.random() < 0.1 else 1
    )
    parts = []
    for _ in range(random.integers(1, 6)):
        if random.random() < 0.3:
            parts.append(_SPECIAL[random.integers(len(_SPECIAL))])
        else:
            start = _BLOCKS[random.integers(len(_BLOCKS))]
            points = start + random.integers(0, 0x80, random.integers(1, 12))
            parts.append("".join(map(chr, points.tolist())))
    return "".join(parts) * repeats


def strings(folder: Path, count: int, seed: int) -> list[dict]:
    """Compares the ids of `count` strings in the four tokenizers.

    Returns:
        One row a tokenizer: `tokenizer`, `strings`, `differ`, and up to ten `examples`.
        MediaPipe's Python ends a string at NUL: such are not given to it.
    """
    logging.set_verbosity(logging.ERROR)
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = Tokenizer(_model(), _WIDTH)
    tokenizers = exported(tokenizer, folder)
    rows = {
        name: {"tokenizer": name, "strings": 0, "differ": 0, "examples": []}
        for name in tokenizers
    }
    texts = [*EDGE_CASES, *_SPECIAL, *random_strings(count, seed)][:count]
    for start in range(0, count, _CHUNK):
        chunk = texts[start : start + _CHUNK]
        for name, ids_of in tokenizers.items():
            given = [x for x in chunk if name != "MediaPipe" or "\0" not in x]
            compare(rows[name], given, tokenizer.encode(given), ids_of(given))
        print(f"{start + len(chunk):,} strings", file=sys.stderr, flush=True)
    return list(rows.values())


def compare(row: dict, texts: Sequence[str], expected: Ids, found: Ids) -> None:
    """Counts in `row` the texts whose ids differ."""
    row["strings"] += len(texts)
    for text, right, ids in zip(texts, expected, found, strict=True):
        if list(right) != list(ids):
            row["differ"] += 1
            if len(row["examples"]) < 10:
                row["examples"].append([ascii(text)[:200], list(right), list(ids)])


def exported(
    tokenizer: Tokenizer, folder: Path
) -> dict[str, Callable[[list[str]], Ids]]:
    """Returns the tokenizers inside exported files, which give the ids as vectors."""
    model = probe(tokenizer.max_length)
    export_saved_model(model, tokenizer, folder / "saved_model", {})
    convert_text(model, tokenizer, folder / "text.tflite", "fp32", {})
    convert_mediapipe(model, tokenizer, folder / "mediapipe.tflite", "fp32", {})
    saved, litert = (
        saved_model_predict(folder / "saved_model"),
        text_predict(folder / "text.tflite", 16),
    )

    def ids(vectors: Iterable[np.ndarray]) -> Ids:
        return [row[row >= 0].astype(int).tolist() for row in vectors]

    return {
        "SavedModel": lambda texts: ids(saved(texts)),
        "LiteRT": lambda texts: ids(litert(texts)),
        "MediaPipe": lambda texts: ids(
            mediapipe_vectors(folder / "mediapipe.tflite", texts)
        ),
    }


def _model() -> bytes:
    """Returns a SentencePiece Unigram model with pieces of every block."""
    model = io.BytesIO()
    words = [text for row in sentences() for text in row] * 20
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([*words, *_blocks()]),
        model_writer=model,
        vocab_size=6000,
        hard_vocab_limit=False,
        character_coverage=1.0,
        model_type="unigram",
        normalization_rule_name="nmt_nfkc",
        pad_id=0,
        bos_id=1,
        eos_id=2,
        unk_id=3,
        minloglevel=2,
        num_threads=1,
    )
    return model.getvalue()


def _blocks() -> list[str]:
    """Returns lines of characters side by side, so that pieces of them arise."""
    random = np.random.default_rng(0)
    lines = []
    for start in _BLOCKS:
        # Not all: what the vocabulary does not know is a case too.
        points = start + random.permutation(0x80)[:96]
        words = np.split(points, range(3, 96, 3))
        line = " ".join("".join(map(chr, word.tolist())) for word in words)
        lines += [line.replace("\0", "").replace("\n", "")] * 10
    return lines


def table(rows: list[dict]) -> list[list[str]]:
    """Returns the rows of a table: for each tokenizer the strings that differ."""
    lines = [["against SentencePiece", "strings", "differ", "first example"]]
    for row in rows:
        example = str(row["examples"][0])[:100] if row["examples"] else ""
        counts = f"{row['strings']:,}", str(row["differ"])
        lines.append([row["tokenizer"], *counts, example])
    return lines


def failed(row: dict) -> bool:
    """Says whether ids differ."""
    return row["differ"] > 0
