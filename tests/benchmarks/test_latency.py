import dataclasses
import json

import keras
import pytest

from babelet.configs import intents
from babelet.configs.schema import EncoderStudentConfig, TeacherConfig
from babelet.export.litert import convert
from babelet.export.run import write_artefacts
from babelet.tasks.students import configured_classifier
from benchmarks.latency import compare, compare_with_teacher
from benchmarks.onnx_runtime import compare_with_onnx_runtime
from tests import e5s1_writer, run_record
from tests.export.conftest import SHAPE


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
    result = compare({name: tmp_path / name for name in ("teacher", "student")})
    teacher, student = result["models"].values()
    assert result["ratio"] == pytest.approx(teacher["median_ms"] / student["median_ms"])
    assert result["ratio"] > 2
    assert teacher["bytes"] > student["bytes"]


@pytest.fixture
def classifier(tmp_path, pairs, tokenizer, tokenizer_model):
    """A trained classifier's run with a small teacher, and its int8 file."""
    texts = [text for rows in pairs.values() for pair in rows for text in pair]
    pieces, scores = e5s1_writer.unigram(texts, 120)
    teacher = tmp_path / "teacher.bin"
    e5s1_writer.write_e5s1(teacher, pieces, scores, e5s1_writer.Shape())
    shape = dataclasses.asdict(SHAPE)
    del shape["output_dim"]
    config = dataclasses.replace(
        intents.get_config(),
        student=EncoderStudentConfig(**shape),
        teacher=TeacherConfig(path=str(teacher), max_length=24),
    )
    run = tmp_path / "run"
    (run / "export").mkdir(parents=True)
    (run / "tokenizer.model").write_bytes(tokenizer_model)
    (run / "labels.txt").write_text("on\noff\n")
    (run / "calibration.json").write_text('{"temperature": 0.5, "threshold": 0}')
    (run / "parity_texts.json").write_text(json.dumps(pairs))
    student = configured_classifier(SHAPE, tokenizer.vocabulary_size, classes=2)
    student.save_weights(run / "student.weights.h5")
    run_record.write(run, config)
    write_artefacts(run, run / "export", ["int8"])
    return run


def test_a_classifiers_run_is_timed_as_well(classifier, tmp_path):
    """A benchmark that takes scores for unit vectors ends, or shows cosines of 0.3."""
    result = compare_with_teacher(classifier, tmp_path)
    assert set(result["models"]) == {"teacher_fp32", "teacher_int8", "student_int8"}
    sizes = {name: row["bytes"] for name, row in result["models"].items()}
    assert sizes["teacher_int8"] < sizes["teacher_fp32"]
    assert min(row["median_ms"] for row in result["models"].values()) > 0
    models = compare_with_onnx_runtime(classifier)["models"]
    for row in models.values():
        assert 0.99 < row["min_cosine"] <= 1 + 1e-6
