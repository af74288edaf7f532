"""The peer must be the same student, or the ratio compares two models."""

import json
import shutil

import keras
import numpy as np
import onnx
import pytest

from babelet.core.errors import BabeletError
from babelet.export.predict import keras_predict
from babelet.export.run import write_artefacts
from babelet.model.heads import Scores
from babelet.tasks.students import configured_classifier
from benchmarks.onnx_runtime import (
    compare_with_onnx_runtime,
    onnx_predict,
    quantise,
    require_equal,
)
from benchmarks.onnx_student import student_graph
from tests.export.conftest import SHAPE

TEXTS = ["Turn on the lamp", "電池残量が少なくなっています", "?", ""]


@pytest.mark.parametrize("pooling", ["mean", "cls", "max"])
def test_the_graph_gives_the_vectors_of_the_student(
    make_student, tokenizer, tmp_path, pooling
):
    """A graph that forgets the mask, or the pooling, may well be faster."""
    student = make_student(pooling)
    onnx.save(student_graph(student), tmp_path / "student.onnx")
    got = onnx_predict(tmp_path / "student.onnx", tokenizer)(TEXTS)
    expected = keras_predict(student, tokenizer)(TEXTS)
    assert np.abs(got - expected).max() < 1e-5


def test_the_graph_gives_the_scores_of_a_classifier(tokenizer, tmp_path):
    """Logits timed in the place of scores are another model, and have no sum."""
    keras.utils.set_random_seed(2)
    model = configured_classifier(SHAPE, tokenizer.vocabulary_size, classes=3)
    scores = Scores(0.01, name="scores")(model.output)
    student = keras.Model(model.input, scores)
    onnx.save(student_graph(student), tmp_path / "student.onnx")
    got = onnx_predict(tmp_path / "student.onnx", tokenizer)(TEXTS)
    expected = keras_predict(student, tokenizer)(TEXTS)
    assert np.abs(got - expected).max() < 1e-4
    np.testing.assert_allclose(got.sum(axis=1), 1, atol=1e-5)
    assert np.ptp(got, axis=0).max() > 0.01


def test_it_is_quantised_and_its_tables_too(make_student, tmp_path):
    """Left in float32, the peer is slow and large, and the comparison flatters us."""
    student = make_student()
    onnx.save(student_graph(student), tmp_path / "fp32.onnx")
    quantise(tmp_path / "fp32.onnx", tmp_path / "int8.onnx")
    graph = onnx.load(tmp_path / "int8.onnx").graph
    operations = [node.op_type for node in graph.node]
    assert operations.count("QAttention") == 2
    assert operations.count("MatMulInteger") + operations.count("MatMul") == 7
    assert "MatMul" not in operations
    table = tuple(student.get_layer("embedding").tokens.shape)
    types = {tuple(each.dims): each.data_type for each in graph.initializer}
    assert types[table] in (onnx.TensorProto.INT8, onnx.TensorProto.UINT8)


def test_the_ratio_is_onnx_runtimes_time_over_litert_s(workdir, pairs, tmp_path):
    """Turned over, the slower of the two reads as the faster."""
    run = tmp_path / "run"
    shutil.copytree(workdir, run)
    (run / "export").mkdir()
    write_artefacts(run, run / "export", ["int8"])
    (run / "parity_texts.json").write_text(json.dumps(pairs))
    result = compare_with_onnx_runtime(run)
    litert, peer = (result["models"][name] for name in ("litert", "onnxruntime"))
    assert result["ratio"] == pytest.approx(peer["median_ms"] / litert["median_ms"])
    assert min(litert["min_cosine"], peer["min_cosine"]) > 0.99
    assert {"ai-edge-litert", "onnxruntime"} <= set(result["versions"])


def test_a_run_without_an_int8_file_is_an_error(tmp_path):
    """A missing file is named before anything long begins."""
    with pytest.raises(BabeletError, match="student_int8.tflite"):
        compare_with_onnx_runtime(tmp_path)


def test_another_model_is_not_timed(make_student, tokenizer):
    """A faster graph that computes something else wins every benchmark."""
    vectors = keras_predict(make_student(), tokenizer)(TEXTS)
    with pytest.raises(BabeletError, match="is not the student"):
        require_equal(vectors[::-1], vectors)
