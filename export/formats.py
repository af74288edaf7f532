"""The files an export consists of: how each is written, opened and measured."""

import difflib
import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from babelet.core.errors import BabeletError
from babelet.data.tokenizer import Tokenizer
from babelet.export import predict
from babelet.export.litert import Quantisation, convert
from babelet.export.litert_predict import Predict, litert_predict
from babelet.export.rebuild import Rebuilt
from babelet.export.saved_model import export_saved_model
from babelet.export.text_litert import convert_mediapipe, convert_text
from babelet.export.text_predict import mediapipe_predict, text_predict

# (student and tokenizer, path, metadata)
Write = Callable[[Rebuilt, Path, dict[str, Any]], None]
# (path, tokenizer, batch size, lengths are multiples of) -> predict
Open = Callable[[Path, Tokenizer, int, int], Predict]


class Format(NamedTuple):
    """One exported file or folder.

    Attributes:
        path: Within the export folder.
        tier: The precision of its weights.
        write: Writes it.
        ways: Ways into it, by name; "" where there is but one.
    """

    path: str
    tier: Quantisation
    write: Write
    ways: Mapping[str, Open]


def _saved_model() -> Format:
    return Format(
        "saved_model",
        "fp32",
        lambda built, path, metadata: export_saved_model(
            built.student, built.tokenizer, path, metadata
        ),
        {
            "serving_default": lambda path, _, batch, __: predict.saved_model_predict(
                path, batch
            ),
            "from_tokens": predict.saved_model_tokens_predict,
        },
    )


def _tokens(tier: Quantisation) -> Format:
    return Format(
        f"student_{tier}.tflite",
        tier,
        lambda built, path, metadata: convert(built.student, path, tier, metadata),
        {"": litert_predict},
    )


def _text(tier: Quantisation) -> Format:
    return Format(
        f"student_text_{tier}.tflite",
        tier,
        lambda built, path, metadata: convert_text(
            built.student, built.tokenizer, path, tier, metadata
        ),
        {"": lambda path, _, batch, __: text_predict(path, batch)},
    )


def _mediapipe(tier: Quantisation) -> Format:
    return Format(
        f"student_mediapipe_{tier}.tflite",
        tier,
        lambda built, path, metadata: convert_mediapipe(
            built.student, built.tokenizer, path, tier, metadata
        ),
        {"": lambda path, _, batch, __: mediapipe_predict(path, batch)},
    )


FORMATS: dict[str, Format] = {
    "saved_model": _saved_model(),
    "fp32": _tokens("fp32"),
    "fp16": _tokens("fp16"),
    "int8": _tokens("int8"),
    "text_fp32": _text("fp32"),
    "text_int8": _text("int8"),
    "mediapipe_fp32": _mediapipe("fp32"),
    "mediapipe_int8": _mediapipe("int8"),
}


class Artefact(NamedTuple):
    """One way into one exported file, as the parity gate takes them."""

    name: str
    # Within the export folder.
    path: str
    tier: Quantisation
    open: Open


def artefacts(formats: Sequence[str]) -> list[Artefact]:
    """Returns every way into the files of these formats."""
    return [
        Artefact(f"{each.path} ({way})" if way else each.path, *each[:2], opened)
        for each in (FORMATS[name] for name in formats)
        for way, opened in each.ways.items()
    ]


def require_known(formats: Sequence[str]) -> None:
    """Raises the user's error if a name is not in `FORMATS`, or there is none.

    Raises:
        BabeletError: With the nearest name.
    """
    for name in formats or [""]:
        if name not in FORMATS:
            near = difflib.get_close_matches(name, FORMATS, n=1)
            raise BabeletError(
                f"There is no export format {name!r}",
                expected=", ".join(FORMATS),
                remedy=f"write {near[0]}" if near else "choose among these",
            )


def measure(path: Path) -> dict[str, Any]:
    """Returns bytes and SHA-256 of a file, or of a folder's names and contents."""
    files = [path]
    if path.is_dir():
        files = sorted(file for file in path.rglob("*") if file.is_file())
    digest, size = hashlib.sha256(), 0
    for file in files:
        if file != path:
            digest.update(f"{file.relative_to(path).as_posix()}\0".encode())
        content = file.read_bytes()
        digest.update(content)
        size += len(content)
    return {"bytes": size, "sha256": digest.hexdigest()}
