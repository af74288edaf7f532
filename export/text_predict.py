"""Texts in, unit vectors out, through LiteRT files that take text.

The same interface as in `export/litert_predict.py`, and no tokenizer: it is inside.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import InterpreterWithCustomOps
from tensorflow_text.core.pybinds import tflite_registrar

from babelet.data.tokenizer import valid_unicode
from babelet.export.litert_predict import Predict, in_batches
from babelet.export.metadata import require_whole
from babelet.export.text_litert import MEDIAPIPE_OP, TFTEXT_OP, renamed


def text_predict(path: Path, batch_size: int = 32) -> Predict:
    """Returns `predict` over a LiteRT file for TensorFlow Text's operations.

    Raises:
        BabeletError: The file is damaged.
    """
    require_whole(path)
    return _predict(batch_size, model_path=str(path))


def mediapipe_predict(path: Path, batch_size: int = 32) -> Predict:
    """Returns `predict` over a file for MediaPipe Tasks, without MediaPipe.

    The file is read whole, and its tokenizer's operation gets the name under which
    TensorFlow Text registers it here; all other bytes are run as they are.

    Raises:
        BabeletError: The file is damaged.
    """
    require_whole(path)
    content = renamed(path.read_bytes(), MEDIAPIPE_OP, TFTEXT_OP)
    return _predict(batch_size, model_content=content)


def _predict(batch_size: int, **model: str | bytes) -> Predict:
    interpreter = InterpreterWithCustomOps(
        tflite_registrar.SELECT_TFTEXT_OPS, num_threads=1, **model
    )
    runner = interpreter.get_signature_runner("serving_default")
    ((name, output),) = runner.get_output_details().items()
    dim = int(output["shape_signature"][-1])

    def predict(texts: Sequence[str]) -> np.ndarray:
        rows = [valid_unicode(text).encode() for text in texts]
        return in_batches(
            lambda batch: runner(text=_strings(batch))[name],
            rows,
            dim,
            batch_size,
        )

    return predict


def _strings(rows: Sequence[bytes]) -> np.ndarray:
    # Not dtype "S": it drops a NUL at the end of a string.
    return np.array(rows, dtype=object)
