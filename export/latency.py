"""How long one sentence takes a LiteRT file, on one thread."""

import time
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter


def measure_latency(
    models: dict[str, Path], tokens: int = 16, invocations: int = 200
) -> dict[str, Any]:
    """Measures batch 1 on one thread, XNNPACK on, in the order A B ... B A.

    Every model is visited once on the way there and once on the way back, so that a
    machine that warms up or slows down does so for all of them.

    Args:
        models: LiteRT files by name, with the inputs `export.litert` gives them.
        tokens: Length of the sentence, no padding.
        invocations: Timed runs at each visit, after a tenth as many untimed.

    Returns:
        By name `median_ms` over all its runs and `visits_ms`, each visit's median;
        beside them `tokens`, `batch`, `threads`.
    """
    runs = {name: _Sentence(path, tokens) for name, path in models.items()}
    visits: dict[str, list[np.ndarray]] = {name: [] for name in models}
    for name in [*models, *reversed(models)]:
        visits[name].append(runs[name].times_ms(invocations))
    result = {
        name: {
            "median_ms": float(np.median(np.concatenate(times))),
            "visits_ms": [float(np.median(visit)) for visit in times],
        }
        for name, times in visits.items()
    }
    return {"models": result, "tokens": tokens, "batch": 1, "threads": 1}


class _Sentence:
    """A LiteRT file with one sentence of `tokens` tokens set as its input."""

    def __init__(self, path: Path, tokens: int) -> None:
        self._interpreter = Interpreter(str(path), num_threads=1)
        details = self._interpreter.get_signature_runner().get_input_details()
        for each in details.values():
            self._interpreter.resize_tensor_input(each["index"], (1, tokens))
        self._interpreter.allocate_tensors()
        values = {
            "token_ids": np.arange(4, 4 + tokens, dtype=np.int32)[None],
            "padding_mask": np.ones((1, tokens), np.int32),
        }
        for name, each in details.items():
            self._interpreter.set_tensor(each["index"], values[name])

    def times_ms(self, invocations: int) -> np.ndarray:
        for _ in range(max(1, invocations // 10)):
            self._interpreter.invoke()
        times = np.zeros(invocations)
        for index in range(invocations):
            start = time.perf_counter()
            self._interpreter.invoke()
            times[index] = time.perf_counter() - start
        return times * 1e3
