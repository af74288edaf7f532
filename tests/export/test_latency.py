import numpy as np

from babelet.export import latency
from babelet.export.latency import alternate, measure_latency


def test_functions_are_visited_there_and_back():
    """Measured one after the other, a machine that slows down decides the ratio."""
    calls = []
    runs = {name: lambda name=name: calls.append(name) for name in "AB"}
    result = alternate(runs, invocations=10, rounds=2)
    # One untimed call and ten timed ones at each visit.
    assert calls == [name for name in "ABBAABBA" for _ in range(11)]
    for figures in result.values():
        assert len(figures["visits_ms"]) == 4
        assert min(figures["visits_ms"]) <= figures["median_ms"]
        assert figures["median_ms"] <= max(figures["visits_ms"])


def test_files_are_visited_there_and_back(artefacts, monkeypatch):
    """The files' own measurement could leave out what the order is for."""
    seen, timed = [], latency._times_ms

    def watched(run, invocations):
        seen.append(run)
        return timed(run, invocations)

    monkeypatch.setattr(latency, "_times_ms", watched)
    models = {name: artefacts / f"student_{name}.tflite" for name in ("fp32", "int8")}
    result = measure_latency(models, tokens=16, invocations=5)["models"]
    first, second, third, fourth = seen
    assert first == fourth != second == third
    assert list(result) == ["fp32", "int8"]
    for figures in result.values():
        assert len(figures["visits_ms"]) == 2 and min(figures["visits_ms"]) > 0
        # Of an equal number of runs each.
        assert np.ptp([*figures["visits_ms"], figures["median_ms"]]) == np.ptp(
            figures["visits_ms"]
        )
