"""The student as a LiteRT file that runs on a phone, from token ids.

One signature, `serving_default`: `token_ids` int32 (batch, length) and `padding_mask`
int32 (batch, length), 1 at tokens and 0 at padding -> `embedding` float32 (batch, dim)
of unit length. Batch and length are free up to the student's `max_length`; resize the
inputs before allocating. The mask is int32 where the SavedModel's is bool: both inputs
then fill from the same kind of buffer in Java, Swift, C++ and JavaScript.
"""

from collections.abc import Set
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf
from ai_edge_litert import schema_py_generated as schema

from babelet.core.atomic import remove
from babelet.core.errors import BabeletError
from babelet.export.class_metadata import with_class_metadata
from babelet.export.metadata import attach_metadata
from babelet.export.saved_model import save_functions, token_function
from babelet.export.task_export import Tier
from babelet.export.tokenization import Function


def convert(
    student: keras.Model,
    path: Path,
    quantisation: Tier,
    metadata: dict[str, Any],
) -> None:
    """Writes `student` to `path` as a LiteRT file of builtin operations only.

    Args:
        student: Inputs `token_ids` and `padding_mask`, output (batch, dim); built in
            float32.
        path: The .tflite file; its folder holds a temporary SavedModel meanwhile.
        quantisation: "fp32"; "fp16": weights and embedding tables in 16 bits,
            computed with in 32, or in 16 where the device does; "int8": both in 8
            bits, activations quantised as they arise.
        metadata: Goes inside the file; `export.metadata.read_metadata` returns it.

    Raises:
        BabeletError: An operation has no builtin LiteRT kernel, or the disk is full.
    """
    functions = {"serving_default": token_function(student, mask_dtype=tf.int32)}
    content = convert_functions(student, functions, path, quantisation)
    write_model(path, content, metadata)


def write_model(path: Path, content: bytes, metadata: dict[str, Any]) -> None:
    """Writes a converted model with its metadata, and the names of its classes."""
    path.write_bytes(with_class_metadata(content) if "labels" in metadata else content)
    attach_metadata(path, metadata)


def convert_functions(
    student: keras.Model,
    functions: dict[str, Function],
    path: Path,
    quantisation: Tier,
    custom_ops: Set[str] = frozenset(),
) -> bytes:
    """Returns `functions`, which call `student`, as one LiteRT model.

    Args:
        student: Holds the weights.
        functions: Signatures by name; they share the weights.
        path: Beside it, a temporary SavedModel is written.
        quantisation: As in `convert`.
        custom_ops: Names of the operations allowed beyond the builtin ones.

    Raises:
        BabeletError: Another operation has no builtin kernel, or the disk is full.
    """
    # By way of a SavedModel: the converter's shorter way from a Keras model's
    # function writes a file without weights, and says nothing.
    folder = path.with_name(f".{path.name}.source")
    remove(folder)
    try:
        save_functions(student, functions, folder)
        return _convert_folder(folder, quantisation, custom_ops)
    finally:
        remove(folder)


def _convert_folder(folder: Path, quantisation: Tier, custom_ops: Set[str]) -> bytes:
    converter = tf.lite.TFLiteConverter.from_saved_model(str(folder))
    # Only builtins: with TensorFlow operations allowed, the file converts, and then
    # fails on every phone without the Flex library.
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    converter.allow_custom_ops = bool(custom_ops)
    if quantisation != "fp32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if quantisation == "fp16":
        converter.target_spec.supported_types = [tf.float16]
    try:
        content = converter.convert()
    except Exception as error:
        if "neither a custom op nor a flex op" not in str(error):
            raise
        raise _does_not_convert(_missing(str(error))) from error
    # Where one custom operation is allowed, the converter lets all of them pass.
    if unknown := _custom_ops(content) - custom_ops:
        raise _does_not_convert(sorted(unknown))
    return content


def _custom_ops(content: bytes) -> set[str]:
    model = schema.Model.GetRootAs(content, 0)
    codes = [model.OperatorCodes(i) for i in range(model.OperatorCodesLength())]
    return {code.CustomCode().decode() for code in codes if code.CustomCode()}


def _does_not_convert(operations: list[str]) -> BabeletError:
    return BabeletError(
        "The model does not convert to LiteRT",
        expected="builtin operations only",
        received=" ".join(operations),
        consequence="The file would not run on a phone",
        remedy="write the layer that uses them with other operations",
    )


def _missing(message: str) -> list[str]:
    marked = [line for line in message.splitlines() if line.strip().startswith("tf.")]
    return marked or message.splitlines()[:1]
