"""The student as a LiteRT file that takes text: the tokenizer is an operation in it.

One signature, `serving_default`: `text` string (batch,) -> `embedding` float32 (batch,
dim). The text becomes the ids that `data.tokenizer` gives it: an empty one is its start
and end token, a long one loses pieces from its end and keeps the end token.

Two kinds of file that differ in nothing but a name, that of the tokenizer's operation:

- for LiteRT with the operations of TensorFlow Text, as TensorFlow Text names it;
- for MediaPipe Tasks, which have the same operation under the name it had in the
  Universal Sentence Encoder: `TextEmbedder` loads the file as it is.

What the model gives for its ids is no concern of this module: a classifier is
converted by the same two functions.
"""

from pathlib import Path
from typing import Any

import keras
import tensorflow as tf
from ai_edge_litert import schema_py_generated as schema

from babelet.core.errors import BabeletError
from babelet.data.tokenizer import Tokenizer
from babelet.export.litert import convert_functions, write_model
from babelet.export.metadata import attach_metadata, split_model
from babelet.export.saved_model import token_function
from babelet.export.task_export import Tier
from babelet.export.tokenization import text_function

TFTEXT_OP = b"TFText>FastSentencepieceTokenize"
MEDIAPIPE_OP = b"TFSentencepieceTokenizeOp"
# The only operations beyond the builtin ones: all that MediaPipe Tasks register.
CUSTOM_OPS = frozenset({TFTEXT_OP.decode(), "RaggedTensorToTensor"})


def convert_text(
    student: keras.Model,
    tokenizer: Tokenizer,
    path: Path,
    quantisation: Tier,
    metadata: dict[str, Any],
) -> None:
    """Writes `student` with its tokenizer, for LiteRT with TensorFlow Text.

    Args:
        student: Inputs `token_ids` and `padding_mask`; built in float32.
        tokenizer: The student's.
        path: The .tflite file; its folder holds a temporary SavedModel meanwhile.
        quantisation: As in `export.litert.convert`; the tokenizer stays whole.
        metadata: Goes inside the file; `export.metadata.read_metadata` returns it.

    Raises:
        BabeletError: An operation has no LiteRT kernel, or the disk is full.
    """
    from_tokens = token_function(student, mask_dtype=tf.bool)
    function = text_function(from_tokens, tokenizer)
    content = convert_functions(
        student, {"serving_default": function}, path, quantisation, CUSTOM_OPS
    )
    write_model(path, content, metadata)


def convert_mediapipe(
    student: keras.Model,
    tokenizer: Tokenizer,
    path: Path,
    quantisation: Tier,
    metadata: dict[str, Any],
) -> None:
    """Writes what `convert_text` writes, for MediaPipe Tasks.

    If that file stands beside `path`, as an export lays it out, it is not made again.
    """
    made = path.with_name(f"student_text_{quantisation}.tflite")
    if not made.is_file():
        convert_text(student, tokenizer, path, quantisation, metadata)
        made = path
    # Not with the archive at its end: that has the digest of the other name's bytes.
    model, _ = split_model(made)
    path.write_bytes(renamed(model, TFTEXT_OP, MEDIAPIPE_OP))
    attach_metadata(path, metadata)


def renamed(content: bytes, old: bytes, new: bytes) -> bytes:
    """Returns a LiteRT file whose custom operation `old` is called `new`.

    Not a byte moves: the new name is written over the old one, in the room that the
    longer of the two names had.

    Args:
        content: The file, with whatever is appended to it.
        old: The name in the file.
        new: At most as long as the name the converter once gave the operation.

    Raises:
        BabeletError: The file has no operation of that name.
    """
    changed = bytearray(content)
    model = schema.Model.GetRootAs(changed, 0)
    codes = [model.OperatorCodes(i) for i in range(model.OperatorCodesLength())]
    found = [code for code in codes if code.CustomCode() == old]
    if len(found) != 1:
        raise BabeletError(
            f"The LiteRT file does not have the operation {old.decode()} once",
            received=f"{len(found)} of it",
            remedy="give a file that takes text, as the export wrote it",
        )
    # A flatbuffers string: its length in four bytes, its bytes, and a zero.
    table = found[0]._tab
    start = table.Indirect(table.Pos + table.Offset(6))
    room = max(len(TFTEXT_OP), len(MEDIAPIPE_OP)) + 1
    changed[start : start + 4] = len(new).to_bytes(4, "little")
    changed[start + 4 : start + 4 + room] = new.ljust(room, b"\0")
    return bytes(changed)
