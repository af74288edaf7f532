from babelet.export.latency import measure_latency


def test_models_are_visited_there_and_back(artefacts):
    """Measured one after the other, a machine that slows down decides the ratio."""
    models = {name: artefacts / f"student_{name}.tflite" for name in ("fp32", "int8")}
    result = measure_latency(models, tokens=16, invocations=5)
    assert list(result["models"]) == ["fp32", "int8"]
    for figures in result["models"].values():
        low, high = sorted(figures["visits_ms"])
        assert 0 < low <= high
        assert figures["median_ms"] > 0
