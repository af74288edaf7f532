"""What MediaPipe's own `TextEmbedder` makes of texts, in a process of its own.

    echo '["Hello"]' | python -m benchmarks.mediapipe_vectors MODEL > vectors.npz

MediaPipe is no part of Babelet; it is installed for tests and measurements. It runs
apart, with a limit of time: after one error it can wait for itself for ever.
"""

import io
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from babelet.core.child import run_child
from babelet.core.errors import BabeletError

_ROOT = Path(__file__).resolve().parent.parent


def mediapipe_vectors(
    model: Path, texts: Sequence[str], seconds: float = 300
) -> list[np.ndarray]:
    """Returns what MediaPipe gives for each text, float32 (dim,), as it is.

    Args:
        model: A .tflite file that takes text, for MediaPipe Tasks.
        texts: Without NUL, where MediaPipe's Python ends a string.
        seconds: After them MediaPipe is given up.

    Raises:
        BabeletError: MediaPipe is not installed, fails, or does not end in time.
    """
    command = [sys.executable, "-m", "benchmarks.mediapipe_vectors", str(model)]
    try:
        done = run_child(
            command,
            given=json.dumps(list(texts)).encode(),
            seconds=seconds,
            cwd=_ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
    except subprocess.TimeoutExpired as error:
        raise _failure(model, f"no end after {seconds:.0f} s") from error
    if done.returncode != 0:
        lines = done.stderr.decode(errors="replace").strip().splitlines()
        raise _failure(model, lines[-1] if lines else f"status {done.returncode}")
    saved = np.load(io.BytesIO(done.stdout))
    return np.split(saved["values"], np.cumsum(saved["widths"])[:-1])


def _failure(model: Path, received: str) -> BabeletError:
    return BabeletError(
        f"MediaPipe does not run {model}",
        expected="a vector for every text",
        received=received,
        remedy="install requirements-dev.txt and, on Debian or Ubuntu, the packages "
        "libegl1 and libgles2; give a student_mediapipe_*.tflite file of an export",
    )


def _embed(model: str, texts: Sequence[str]) -> bytes:
    """Returns an .npz file: `values`, one vector after another, and their `widths`."""
    from mediapipe.tasks.python.text import TextEmbedder

    with TextEmbedder.create_from_model_path(model) as embedder:
        rows = [embedder.embed(text).embeddings[0].embedding for text in texts]
    file = io.BytesIO()
    values = np.concatenate([np.zeros(0), *rows]).astype(np.float32)
    np.savez(file, values=values, widths=[len(row) for row in rows])
    return file.getvalue()


if __name__ == "__main__":
    sys.stdout.buffer.write(_embed(sys.argv[1], json.load(sys.stdin)))
