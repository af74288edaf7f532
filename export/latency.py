"""How long one sentence takes a LiteRT file, and what loading the file takes."""

import re
import resource
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from babelet.core.quiet import without_noise


def measure_latency(
    models: dict[str, Path], tokens: int = 16, invocations: int = 200, threads: int = 1
) -> dict[str, Any]:
    """Measures batch 1, XNNPACK on, in the order A B ... B A.

    Every model is visited once on the way there and once on the way back, so that a
    machine that warms up or slows down does so for all of them.

    Args:
        models: LiteRT files by name, with the inputs `export.litert` gives them.
        tokens: Length of the sentence, no padding.
        invocations: Timed runs at each visit, after a tenth as many untimed.
        threads: Processor cores that one sentence is computed on.

    Returns:
        By name `median_ms` over all its runs and `visits_ms`, each visit's median;
        beside them `tokens`, `batch`, `threads`.
    """
    runs = {name: Sentence(path, tokens, threads).run for name, path in models.items()}
    result = alternate(runs, invocations)
    return {"models": result, "tokens": tokens, "batch": 1, "threads": threads}


def alternate(
    runs: Mapping[str, Callable[[], object]], invocations: int = 200, rounds: int = 1
) -> dict[str, dict[str, Any]]:
    """Times functions in the order A B ... B A.

    Args:
        runs: By name what is timed.
        invocations: Timed calls at each visit, after a tenth as many untimed.
        rounds: How often there and back.

    Returns:
        By name `median_ms` over all its calls and `visits_ms`, each visit's median.
    """
    visits: dict[str, list[np.ndarray]] = {name: [] for name in runs}
    for name in [*runs, *reversed(list(runs))] * rounds:
        visits[name].append(_times_ms(runs[name], invocations))
    return {
        name: {
            "median_ms": float(np.median(np.concatenate(times))),
            "visits_ms": [float(np.median(visit)) for visit in times],
        }
        for name, times in visits.items()
    }


def _times_ms(run: Callable[[], object], invocations: int) -> np.ndarray:
    for _ in range(max(1, invocations // 10)):
        run()
    times = np.zeros(invocations)
    for index in range(invocations):
        start = time.perf_counter()
        run()
        times[index] = time.perf_counter() - start
    return times * 1e3


def sentence_inputs(tokens: int) -> dict[str, np.ndarray]:
    """Returns one sentence of any pieces: two int32 (1, tokens), no padding."""
    return {
        "token_ids": np.arange(4, 4 + tokens, dtype=np.int32)[None],
        "padding_mask": np.ones((1, tokens), np.int32),
    }


class Figures(NamedTuple):
    """One LiteRT file on a number of threads; see `measure_file`."""

    load_ms: float
    # Of the whole process, Python and LiteRT with it; and without these.
    peak_bytes: int
    model_bytes: int
    # By tokens.
    median_ms: dict[int, float]


def measure_file(
    path: Path, tokens: Sequence[int], threads: int, invocations: int = 50
) -> Figures:
    """Measures loading, memory and latency; call it in a new process.

    Loading lasts until the file is ready to run at the longest of `tokens`; memory
    is the peak after one run at that length.
    """
    before = _memory("VmRSS")
    start = time.perf_counter()
    sentence = Sentence(path, max(tokens), threads)
    load_ms = 1e3 * (time.perf_counter() - start)
    sentence.run()
    peak = _memory("VmHWM")
    medians = {}
    for count in tokens:
        result = measure_latency({path.name: path}, count, invocations, threads)
        medians[count] = result["models"][path.name]["median_ms"]
    return Figures(load_ms, peak, max(0, peak - before), medians)


def _memory(field: str) -> int:
    """Returns bytes: VmRSS, what this process holds, or VmHWM, its peak."""
    status = Path("/proc/self/status")
    if status.is_file():
        # Not getrusage: a process begins with the peak of the one that started it.
        (kilobytes,) = re.findall(rf"{field}:\s+(\d+)", status.read_text())
        return 1024 * int(kilobytes)
    unit = 1 if sys.platform == "darwin" else 1024
    return unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


class Sentence:
    """A LiteRT file with one sentence set as its input; `run` encodes it."""

    def __init__(self, path: Path, tokens: int, threads: int) -> None:
        """Loads the file and sets `sentence_inputs(tokens)`, on so many threads."""
        with without_noise():
            interpreter = Interpreter(str(path), num_threads=threads)
            details = interpreter.get_signature_runner().get_input_details()
            for each in details.values():
                interpreter.resize_tensor_input(each["index"], (1, tokens))
            interpreter.allocate_tensors()
        values = sentence_inputs(tokens)
        for name, each in details.items():
            interpreter.set_tensor(each["index"], values[name])
        self.run = interpreter.invoke
