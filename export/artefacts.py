"""The files an export consists of, and how to run and measure each."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from data.tokenizer import Tokenizer
from export import predict
from export.litert_predict import Predict, litert_predict


class Artefact(NamedTuple):
    """One way into one exported file."""

    name: str
    # Within the export folder.
    path: str
    minimum_cosine: float
    # (path, tokenizer, batch size, lengths are multiples of) -> predict
    open: Callable[[Path, Tokenizer, int, int], Predict]


ARTEFACTS = (
    Artefact(
        "saved_model (serving_default)",
        "saved_model",
        0.9999,
        lambda path, _, batch, __: predict.saved_model_predict(path, batch),
    ),
    Artefact(
        "saved_model (from_tokens)",
        "saved_model",
        0.9999,
        predict.saved_model_tokens_predict,
    ),
    Artefact("student_fp32.tflite", "student_fp32.tflite", 0.9999, litert_predict),
    Artefact("student_int8.tflite", "student_int8.tflite", 0.98, litert_predict),
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
