"""Texts in, unit vectors out, through a LiteRT file; no TensorFlow.

A `predict` function maps N texts to float32 (N, dim). It sorts them by length, so that
little is padded, and runs `batch_size` at a time.
"""

import contextlib
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from babelet.core.errors import BabeletError
from babelet.core.quiet import without_noise
from babelet.data.tokenizer import Tokenizer
from babelet.export.metadata import require_whole

Predict = Callable[[Sequence[str]], np.ndarray]
# {"token_ids": int32 (B, L), "padding_mask": bool (B, L)} -> float32 (B, dim)
Encode = Callable[[dict[str, np.ndarray]], np.ndarray]


def litert_predict(
    path: Path,
    tokenizer: Tokenizer,
    batch_size: int = 32,
    multiple: int = 8,
    num_threads: int = 1,
) -> Predict:
    """Returns `predict` over a LiteRT file, on the CPU with XNNPACK.

    Raises:
        BabeletError: The file is damaged, or takes no token ids.
    """
    interpreter = opened(path, num_threads)
    runner = interpreter.get_signature_runner("serving_default")
    ((name, output),) = runner.get_output_details().items()

    def encode(inputs: dict[str, np.ndarray]) -> np.ndarray:
        mask = inputs["padding_mask"].astype(np.int32)
        return runner(token_ids=inputs["token_ids"], padding_mask=mask)[name]

    dim = int(output["shape_signature"][-1])
    return tokens_predict(encode, tokenizer, dim, batch_size, multiple)


def opened(path: Path, num_threads: int = 1) -> Interpreter:
    """Returns the interpreter of a LiteRT file whose input is token ids.

    Raises:
        BabeletError: The file is damaged, or takes text.
        ValueError: LiteRT's own for what is no such file.
    """
    require_whole(path)
    with without_noise():
        interpreter = Interpreter(str(path), num_threads=num_threads)
        with contextlib.suppress(RuntimeError):  # Those of text lack an operation.
            interpreter.allocate_tensors()
    signatures = interpreter.get_signature_list().values()
    if any(each["inputs"] == ["text"] for each in signatures):
        name = re.sub("_(text|mediapipe)_", "_", path.name)
        name = "student_int8.tflite" if name == path.name else name
        raise BabeletError(
            f"{path} has its tokenizer inside, for MediaPipe Tasks or for LiteRT with "
            "the operations of TensorFlow Text",
            expected="a file from token ids to vectors or scores",
            remedy=f"use {path.with_name(name)}, which has the same weights",
        )
    return interpreter


def tokens_predict(
    encode: Encode, tokenizer: Tokenizer, dim: int, batch_size: int, multiple: int
) -> Predict:
    """Returns `predict` over a function of padded token ids.

    Args:
        encode: Token ids and mask of one batch to float32 (B, dim).
        tokenizer: The student's.
        dim: Width of the vectors.
        batch_size: Texts to a batch.
        multiple: Lengths are padded to a multiple of it.
    """

    def predict(texts: Sequence[str]) -> np.ndarray:
        return in_batches(
            lambda rows: encode(tokenizer.pad(rows, multiple)),
            tokenizer.encode(texts),
            dim,
            batch_size,
        )

    return predict


def in_batches(
    encode: Callable[[list], np.ndarray], items: list, dim: int, batch_size: int
) -> np.ndarray:
    """Returns float32 (len(items), dim), in order, encoded shortest first.

    Args:
        encode: At most `batch_size` items to float32 (B, dim).
        items: Whatever has a length.
        dim: Width of the vectors.
        batch_size: Items to a batch.
    """
    rows = batched_by_length(encode, items, batch_size)
    return np.array(rows, np.float32).reshape(len(items), dim)


def batched_by_length(
    run: Callable[[list], Iterable[Any]], items: Sequence[Any], batch_size: int
) -> list[Any]:
    """Returns what `run` gives for each item, in order, run shortest first.

    Args:
        run: At most `batch_size` items to as many results.
        items: Whatever has a length.
        batch_size: Items to a batch.
    """
    results: list[Any] = [None] * len(items)
    order = sorted(range(len(items)), key=lambda i: len(items[i]))
    for start in range(0, len(order), batch_size):
        rows = order[start : start + batch_size]
        found = run([items[row] for row in rows])
        for row, result in zip(rows, found, strict=True):
            results[row] = result
    return results
