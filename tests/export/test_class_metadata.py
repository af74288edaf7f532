import ctypes
import sys
import zipfile

import flatbuffers
import keras
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter

from babelet.core.errors import BabeletError
from babelet.export.class_metadata import with_class_metadata
from babelet.export.litert import convert
from babelet.export.litert_predict import litert_predict
from babelet.export.metadata import read_metadata
from babelet.export.text_litert import convert_mediapipe
from babelet.model.heads import Scores
from babelet.tasks.students import configured_classifier
from benchmarks.mediapipe_classes import mediapipe_classes
from tests.export.conftest import SHAPE

LABELS = ["on", "off", "dim"]


@pytest.fixture(scope="module")
def classifier(tokenizer):
    keras.utils.set_random_seed(2)
    model = configured_classifier(SHAPE, tokenizer.vocabulary_size, len(LABELS))
    table = model.get_layer("embedding").tokens
    table.assign(table * 20)
    scores = Scores(0.5, name="scores")(model.output)
    return keras.Model(model.input, scores)


@pytest.fixture(scope="module")
def files(classifier, tmp_path_factory):
    """The classifier with names for its classes, and without."""
    folder = tmp_path_factory.mktemp("files")
    named, bare = folder / "named.tflite", folder / "bare.tflite"
    convert(classifier, named, "int8", {"labels": LABELS, "max_length": 24})
    convert(classifier, bare, "int8", {"max_length": 24})
    return named, bare


def test_names_change_no_weight_and_no_score(files, tokenizer):
    """A model written anew for its names loses its weights' alignment, and speed."""
    named, bare = (path.read_bytes() for path in files)
    model = schema.Model.GetRootAs(bare, 0)
    for index in range(model.BuffersLength()):
        data = model.Buffers(index)
        if data.DataLength() > 100:
            field = data._tab.Vector(data._tab.Offset(4))
            size = data.DataLength()
            assert named[field : field + size] == bare[field : field + size]
    texts = ["Turn on the lamp", "Schalte die Lampe ein", ""]
    got, expected = (litert_predict(path, tokenizer)(texts) for path in files)
    np.testing.assert_array_equal(got, expected)
    np.testing.assert_allclose(got.sum(axis=1), 1, atol=1e-3)


def test_scores_are_the_output_and_the_students(files, classifier, tokenizer):
    """Logits under the name of scores: refusal by a threshold never happens."""
    runner = Interpreter(str(files[0])).get_signature_runner()
    assert list(runner.get_output_details()) == ["scores"]
    texts = ["Turn on the lamp", "Неизвестное устройство"]
    inputs = tokenizer.pad(tokenizer.encode(texts))
    expected = classifier(inputs).numpy()
    got = litert_predict(files[0], tokenizer)(texts)
    np.testing.assert_allclose(got, expected, atol=0.05)


def test_the_table_names_the_file_of_labels(files):
    """MediaPipe finds no names in a table at another place, and shows numbers."""
    content = files[0].read_bytes()
    model = schema.Model.GetRootAs(content, 0)
    names = [model.Metadata(i).Name() for i in range(model.MetadataLength())]
    assert names.count(b"TFLITE_METADATA") == 1
    entry = model.Metadata(names.index(b"TFLITE_METADATA"))
    table = bytes(model.Buffers(entry.Buffer()).DataAsNumpy())
    assert table[4:8] == b"M001"
    file = _field(_root(table), 3, 3, 6)
    assert file.String(file.Pos + file.Offset(4)) == b"labels.txt"
    # TENSOR_AXIS_LABELS
    kind = file.Pos + file.Offset(8)
    assert table[kind] == 2


def _root(table):
    start = flatbuffers.encode.Get(flatbuffers.packer.uoffset, table, 0)
    return flatbuffers.table.Table(bytearray(table), start)


def _field(table, *fields):
    """Follows the first elements of vectors of tables, by field number."""
    for number in fields:
        vector = table.Vector(table.Offset(4 + 2 * number))
        table = flatbuffers.table.Table(table.Bytes, table.Indirect(vector))
    return table


def test_the_names_are_at_the_end_of_the_file(files):
    """The phone's reader takes names from the archive, ours from the metadata."""
    with zipfile.ZipFile(files[0]) as archive:
        assert archive.read("labels.txt").decode().split() == LABELS
    assert read_metadata(files[0])["labels"] == LABELS
    with zipfile.ZipFile(files[1]) as archive:
        assert archive.namelist() == ["babelet.json"]


def test_a_model_without_the_converters_note_is_an_error(files):
    """Names written nowhere would be missed on the phone only."""
    content = files[0].read_bytes()
    with pytest.raises(BabeletError, match="no place for the names"):
        with_class_metadata(content)


def test_mediapipe_names_the_class_that_the_student_names(
    classifier, tokenizer, pairs, tmp_path
):
    """Names that only our own reader finds are no names for the phone."""
    try:
        for name in ("libEGL.so.1", "libGLESv2.so.2"):
            ctypes.CDLL(name if sys.platform == "linux" else None)
    except OSError as error:
        pytest.skip(f"MediaPipe needs libegl1 and libgles2: {error}")
    path = tmp_path / "classifier.tflite"
    metadata = {"labels": LABELS, "max_length": 24}
    convert_mediapipe(classifier, tokenizer, path, "fp32", metadata)
    texts = [text for rows in pairs.values() for pair in rows for text in pair]
    scores = classifier(tokenizer.pad(tokenizer.encode(texts))).numpy()
    for (name, score), row in zip(mediapipe_classes(path, texts), scores, strict=True):
        assert name == LABELS[row.argmax()]
        assert score == pytest.approx(row.max(), abs=1e-3)
