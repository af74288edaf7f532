"""What quantisation beyond the exported tiers does to a student, and which part of it.

    python -m benchmarks.refused_precisions --workdir=runs/smart_home

Full-integer int8, activations too, by LiteRT's converter: with the students' penalty
for padding and with a smaller one, and with some operations left in float32. Then
matrices and token table in 4 bits, weights alone, activations in float32. Cosines are
with the student in float32, on the first pairs of the run's parity texts.
"""

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf
from absl import flags

from babelet.core import command
from babelet.data.tokenizer import Tokenizer
from babelet.export.litert_predict import Predict, litert_predict
from babelet.export.predict import keras_predict
from babelet.export.rebuild import rebuild_student
from babelet.export.saved_model import save_functions, token_function
from babelet.export.task_export import read_texts
from babelet.model import backbone

# Layer normalisation and the residual sums; pooling and unit length; matrices.
_NORMS = ["ADD", "MUL", "MEAN", "SQUARED_DIFFERENCE", "RSQRT", "NEG"]
_HEAD = ["SUM", "DIV", "L2_NORMALIZATION"]
_MATRICES = ["FULLY_CONNECTED"]
# By name: the penalty for padding, and the operations in float32.
FULL_INTEGER = {
    "all in int8": (backbone.MASKED_SCORE, []),
    "all in int8, penalty -30": (-30.0, []),
    "penalty -30, float32: norms": (-30.0, _NORMS),
    "penalty -30, float32: norms, head": (-30.0, _NORMS + _HEAD),
    "penalty -30, float32: norms, head, matrices": (-30.0, _NORMS + _HEAD + _MATRICES),
}
_BLOCK = 32


class _Test(NamedTuple):
    tokenizer: Tokenizer
    texts: list[str]
    # Other texts, whose activations set the ranges.
    calibration: list[str]
    expected: np.ndarray

    def line(self, name: str, predict: Predict) -> str:
        cosines = (predict(self.texts) * self.expected).sum(axis=1)
        return f"{name:46} cosine min {cosines.min():.3f} mean {cosines.mean():.3f}"


def full_integer(
    workdir: Path, test: _Test, penalty: float, in_float: Sequence[str]
) -> Predict:
    """Returns `predict` over the student with quantised activations.

    Args:
        workdir: The run.
        test: Has the calibration texts.
        penalty: Added to the attention scores of padding.
        in_float: LiteRT operations that stay in float32.
    """
    usual, backbone.MASKED_SCORE = backbone.MASKED_SCORE, penalty
    try:
        student = rebuild_student(workdir).student
        function = token_function(student, mask_dtype=tf.int32)
        with tempfile.TemporaryDirectory() as folder:
            saved, file = Path(folder, "saved_model"), Path(folder, "student.tflite")
            save_functions(student, {"serving_default": function}, saved)
            file.write_bytes(_converted(saved, test, in_float))
            return litert_predict(file, test.tokenizer, 1)
    finally:
        backbone.MASKED_SCORE = usual


def _converted(saved: Path, test: _Test, in_float: Sequence[str]) -> bytes:
    def calibration() -> object:
        for text in test.calibration:
            inputs = test.tokenizer.pad(test.tokenizer.encode([text]), 8)
            yield {name: value.astype(np.int32) for name, value in inputs.items()}

    converter = tf.lite.TFLiteConverter.from_saved_model(str(saved))
    builtins = tf.lite.OpsSet.TFLITE_BUILTINS
    converter.target_spec.supported_ops = [
        builtins,
        tf.lite.OpsSet.TFLITE_BUILTINS_INT8,
    ]
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = calibration
    options = tf.lite.experimental.QuantizationDebugOptions(
        denylisted_ops=list(in_float)
    )
    debugger = tf.lite.experimental.QuantizationDebugger(
        converter=converter, debug_dataset=calibration, debug_options=options
    )
    return debugger.get_nondebug_quantized_model()


def rounded(weights: np.ndarray, bits: int, axis: int | None) -> np.ndarray:
    """Returns weights as symmetric integers of `bits` would give them back.

    Args:
        weights: float32.
        bits: 8 or 4.
        axis: Along which one scale holds; None: one for all.
    """
    largest = 2 ** (bits - 1) - 1
    scale = np.abs(weights).max(axis=axis, keepdims=True) / largest
    scale = np.where(scale == 0, 1, scale)
    return (np.round(weights / scale) * scale).astype(np.float32)


def in_blocks(kernel: np.ndarray) -> np.ndarray:
    """Returns a matrix (in, out) in 4 bits, a scale for 32 weights of a channel."""
    blocks = kernel.reshape(-1, _BLOCK, kernel.shape[1])
    return rounded(blocks, 4, 1).reshape(kernel.shape)


# By name: what becomes of a matrix, and of the token table.
Change = Callable[[np.ndarray], np.ndarray]
FOUR_BITS: dict[str, tuple[Change, Change]] = {
    "matrices int4 by channel, table int8": (
        lambda kernel: rounded(kernel, 4, 0),
        lambda table: rounded(table, 8, None),
    ),
    "matrices int4 in blocks of 32, table int8": (
        in_blocks,
        lambda table: rounded(table, 8, None),
    ),
    "matrices int8 by channel, table int4 by row": (
        lambda kernel: rounded(kernel, 8, 0),
        lambda table: rounded(table, 4, 1),
    ),
}


def with_weights(student: keras.Model, matrix: Change, table: Change) -> None:
    """Changes the student's matrices and its token table, in place."""
    for variable in student.variables:
        if variable.path.endswith("kernel"):
            variable.assign(matrix(np.array(variable)))
        elif variable.path.endswith("tokens"):
            variable.assign(table(np.array(variable)))


def main(_: list[str]) -> None:
    """Prints a line for each way to quantise."""
    workdir = Path(flags.FLAGS.workdir)
    student, tokenizer = rebuild_student(workdir)[:2]
    rows = read_texts(workdir).values()
    texts = [text for pairs in rows for pair in pairs[:4] for text in pair]
    others = [text for pairs in rows for pair in pairs[4:8] for text in pair]
    test = _Test(tokenizer, texts, others, keras_predict(student, tokenizer)(texts))
    for name, (penalty, in_float) in FULL_INTEGER.items():
        predict = full_integer(workdir, test, penalty, in_float)
        print(test.line(name, predict), flush=True)
    for name, changes in FOUR_BITS.items():
        student = rebuild_student(workdir).student
        with_weights(student, *changes)
        print(test.line(name, keras_predict(student, tokenizer)), flush=True)


if __name__ == "__main__":
    command.path_flag("workdir", None, "A finished run.", required=True)
    command.run(main)
