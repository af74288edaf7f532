import keras
import pytest

from benchmarks.latency import compare
from export.litert import convert


def test_the_ratio_is_the_teachers_time_over_the_students(tmp_path):
    """Turned over, a student that is slower than its teacher reads as faster."""
    for name, width in (("teacher", 2048), ("student", 8)):
        token_ids = keras.Input((None,), dtype="int32", name="token_ids")
        mask = keras.Input((None,), dtype="bool", name="padding_mask")
        hidden = keras.layers.Embedding(64, width)(token_ids)
        hidden = keras.layers.Dense(width)(hidden)
        seen = keras.ops.expand_dims(keras.ops.cast(mask, "float32"), -1)
        vectors = keras.ops.sum(hidden * seen, axis=1)
        model = keras.Model({"token_ids": token_ids, "padding_mask": mask}, vectors)
        convert(model, tmp_path / name, "fp32", {})
    result = compare(tmp_path / "teacher", tmp_path / "student")
    teacher, student = result["models"].values()
    assert result["ratio"] == pytest.approx(teacher["median_ms"] / student["median_ms"])
    assert result["ratio"] > 2
    assert teacher["bytes"] > student["bytes"]
