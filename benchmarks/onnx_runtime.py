"""The student's int8 file beside ONNX Runtime's dynamic int8 of the same student."""

import logging
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnxruntime.quantization import quantize_dynamic

from babelet.core.errors import BabeletError
from babelet.data.tokenizer import Tokenizer
from babelet.export.latency import Sentence, alternate, sentence_inputs
from babelet.export.litert_predict import Predict, litert_predict, tokens_predict
from babelet.export.predict import keras_predict
from babelet.export.rebuild import served_student, versions
from babelet.export.task_export import read_texts
from babelet.model.precision import cpu_flags
from benchmarks.onnx_student import student_graph

FLOAT_COSINE = 0.9999
# (A-B-B-A) this often: a single visit may meet another program.
_ROUNDS = 5
_TOKENS = 16


def compare_with_onnx_runtime(workdir: Path) -> dict[str, Any]:
    """Measures the student in LiteRT and in ONNX Runtime, both in int8.

    Batch 1, 16 tokens, one thread, order A-B-B-A in one process, five times over. How
    near the Keras student each is, is measured on the run's parity texts.

    Args:
        workdir: A run with its export.

    Returns:
        `models` by name: `bytes`, `median_ms`, `visits_ms`, `min_cosine` with the
        Keras student and `mean_cosine`; the `ratio` of ONNX Runtime's median to
        LiteRT's; `tokens`, `batch`, `threads`; and the `versions`.

    Raises:
        BabeletError: The run has no int8 file, or the ONNX graph in float32 does not
            give the student's vectors.
    """
    litert = workdir / "export" / "student_int8.tflite"
    if not litert.is_file():
        raise BabeletError(
            f"There is no {litert}",
            remedy="finish the run first: babelet distill with this workdir",
        )
    student, tokenizer, _ = served_student(workdir)
    pairs = [pair for rows in read_texts(workdir).values() for pair in rows]
    texts = sorted({text for pair in pairs for text in pair})
    expected = keras_predict(student, tokenizer)(texts)
    with tempfile.TemporaryDirectory() as folder:
        exact, dynamic = Path(folder, "fp32.onnx"), Path(folder, "int8.onnx")
        onnx.save(student_graph(student), exact)
        require_equal(onnx_predict(exact, tokenizer)(texts), expected)
        quantise(exact, dynamic)
        predicts = {
            "litert": litert_predict(litert, tokenizer),
            "onnxruntime": onnx_predict(dynamic, tokenizer),
        }
        runs = {
            "litert": Sentence(litert, _TOKENS, 1).run,
            "onnxruntime": _run(dynamic),
        }
        models = alternate(runs, rounds=_ROUNDS)
        for name, path in (("litert", litert), ("onnxruntime", dynamic)):
            found = cosines(predicts[name](texts), expected)
            models[name] |= {
                "bytes": path.stat().st_size,
                "min_cosine": float(found.min()),
                "mean_cosine": float(found.mean()),
            }
    return {
        "models": models,
        "ratio": models["onnxruntime"]["median_ms"] / models["litert"]["median_ms"],
        "tokens": _TOKENS,
        "batch": 1,
        "threads": 1,
        "versions": versions()
        | {"onnxruntime": onnxruntime.__version__, "onnx": onnx.__version__},
    }


def quantise(source: Path, target: Path) -> None:
    """Writes ONNX Runtime's dynamic int8 of a model, with its default settings.

    But for weights of 7 bits where the CPU needs them: AVX2 without VNNI adds products
    in 16 bits, and of 8 they overflow (a cosine of 0.94 with the student, measured).
    """
    # It advises a step of preparation that this graph does not need.
    logging.getLogger().setLevel(logging.ERROR)
    # Types do not propagate through the fused attention; all else here is float32.
    options = {"DefaultTensorType": onnx.TensorProto.FLOAT}
    flags = cpu_flags()
    narrow = "avx2" in flags and not flags & {"avx512_vnni", "avx_vnni"}
    quantize_dynamic(source, target, reduce_range=narrow, extra_options=options)


def onnx_predict(path: Path, tokenizer: Tokenizer) -> Predict:
    """Returns `predict` over an ONNX file of `student_graph`."""
    session = _session(path)

    def encode(inputs: dict[str, np.ndarray]) -> np.ndarray:
        ids = {name: values.astype(np.int32) for name, values in inputs.items()}
        return np.asarray(session.run(None, ids)[0])

    dim = session.get_outputs()[0].shape[-1]
    return tokens_predict(encode, tokenizer, dim, batch_size=8, multiple=1)


def _session(path: Path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    providers = ["CPUExecutionProvider"]
    return onnxruntime.InferenceSession(str(path), options, providers=providers)


def _run(path: Path) -> Callable[[], None]:
    """Returns a function that encodes one sentence, its buffers bound beforehand."""
    session = _session(path)
    binding = session.io_binding()
    for name, value in sentence_inputs(_TOKENS).items():
        binding.bind_cpu_input(name, value)
    binding.bind_output(session.get_outputs()[0].name)
    return lambda: session.run_with_iobinding(binding)


def cosines(got: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """Returns float64 (N,), of vectors or of rows of scores (N, dim)."""
    got, expected = got.astype(np.float64), expected.astype(np.float64)
    lengths = np.linalg.norm(got, axis=1) * np.linalg.norm(expected, axis=1)
    return (got * expected).sum(axis=1) / lengths


def require_equal(got: np.ndarray, expected: np.ndarray) -> None:
    """Raises the user's error unless two sets of vectors or scores are equal."""
    cosine = float(cosines(got, expected).min())
    if not cosine >= FLOAT_COSINE:
        raise BabeletError(
            "The ONNX graph is not the student",
            expected=f"a cosine of at least {FLOAT_COSINE} in float32",
            received=f"{cosine:.6f}",
            consequence="Its time would say nothing",
            remedy="report this line",
        )
