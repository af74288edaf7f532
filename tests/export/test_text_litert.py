import ctypes
import sys

import keras
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import InterpreterWithCustomOps
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from tensorflow_text.core.pybinds import tflite_registrar

from babelet.core.errors import BabeletError
from babelet.export.metadata import split_model
from babelet.export.predict import keras_predict
from babelet.export.text_litert import MEDIAPIPE_OP, TFTEXT_OP, convert_text, renamed
from babelet.export.text_predict import text_predict
from benchmarks.mediapipe_vectors import mediapipe_vectors
from benchmarks.token_identity import probe, token_ids_inside

UNUSUAL = [
    "",
    "   ",
    "Turn on the lamp " * 20,
    "🏠 👩‍👩‍👧",
    "<s> </s> <pad> <unk>",
    "\ufefflamp \u200b \u00ad",
    "ﬁ ½ ｶﾞ ① e\u0301",
    "▁lamp",
    "הדלק את light-ה ב-3 חדרים",
]
# A word of each script beside any character there is.
TEXT = st.text(
    st.one_of(
        st.characters(exclude_categories=["Cs"]), st.sampled_from("Lampe ランプ המנורה")
    ),
    max_size=40,
)


@pytest.fixture(scope="module", params=["fp32", "int8"])
def quantisation(request):
    return request.param


@pytest.fixture(scope="module")
def ids_inside(tokenizer, tmp_path_factory):
    """A function of texts to the ids inside a LiteRT file that takes text."""
    path = tmp_path_factory.mktemp("probe") / "ids.tflite"
    convert_text(probe(tokenizer.max_length), tokenizer, path, "fp32", {})
    predict = text_predict(path)
    return lambda texts: [row[row >= 0].tolist() for row in predict(texts)]


@pytest.fixture(scope="module")
def mediapipe():
    """Skips where the system lacks the libraries that MediaPipe is linked with."""
    try:
        for name in ("libEGL.so.1", "libGLESv2.so.2"):
            ctypes.CDLL(name if sys.platform == "linux" else None)
    except OSError as error:
        pytest.skip(f"MediaPipe needs libegl1 and libgles2: {error}")


@settings(max_examples=300)
@given(texts=st.lists(TEXT, min_size=1, max_size=4))
def test_ids_in_litert_are_those_of_sentencepiece(ids_inside, tokenizer, texts):
    """A normaliser that differs on rare characters goes unseen in ordinary text."""
    assert ids_inside(texts) == tokenizer.encode(texts)


def test_ids_of_unusual_text_and_of_a_nul(ids_inside, tokenizer, pairs):
    """A C string ends at its first NUL, and the text after it would be lost."""
    real = [text for rows in pairs.values() for pair in rows for text in pair]
    texts = [*real, *UNUSUAL, "lamp\x00 door", "\x00", "lamp\x00", "a\ud800b"]
    assert ids_inside(texts) == tokenizer.encode(texts)


@settings(
    max_examples=2,
    phases=[Phase.generate],  # Each example starts a process.
    suppress_health_check=list(HealthCheck),
)
@given(texts=st.lists(TEXT, min_size=100, max_size=150))
def test_ids_are_the_same_in_every_file_that_takes_text(
    mediapipe, tokenizer, pairs, texts
):
    """MediaPipe has a tokenizer of its own, of another version than TensorFlow's."""
    texts = [text.replace("\0", "") for text in texts] + UNUSUAL
    texts += [text for rows in pairs.values() for _, text in rows]
    expected = tokenizer.encode(texts)
    for where, ids in token_ids_inside(tokenizer, texts).items():
        assert ids == expected, where


def test_mediapipe_gives_the_students_vectors(
    mediapipe, artefacts, make_student, tokenizer, pairs, quantisation
):
    """A file that its own maker alone can run is no file for MediaPipe."""
    texts = [text for rows in pairs.values() for pair in rows for text in pair]
    texts += UNUSUAL
    path = artefacts / f"student_mediapipe_{quantisation}.tflite"
    got = np.stack(mediapipe_vectors(path, texts))
    expected = keras_predict(make_student(), tokenizer)(texts)
    assert (got * expected).sum(axis=1).min() > 0.99
    assert np.allclose(np.linalg.norm(got, axis=1), 1, atol=1e-3)


def test_one_string_goes_in_and_one_vector_comes_out(artefacts, quantisation):
    """MediaPipe takes any other number of inputs for another kind of model."""
    interpreter = InterpreterWithCustomOps(
        tflite_registrar.SELECT_TFTEXT_OPS,
        model_path=str(artefacts / f"student_text_{quantisation}.tflite"),
    )
    (given_,), (output,) = (
        interpreter.get_input_details(),
        interpreter.get_output_details(),
    )
    assert (given_["dtype"], list(given_["shape"])) == (np.bytes_, [1])
    assert (output["dtype"], list(output["shape"])) == (np.float32, [1, 16])


def test_text_files_add_the_tokenizer_once_and_nothing_else(artefacts, quantisation):
    """Doubled by each branch of a graph, a tokenizer weighs as much as a layer."""
    ids = (artefacts / f"student_{quantisation}.tflite").stat().st_size
    content = (artefacts / f"student_text_{quantisation}.tflite").read_bytes()
    tokenizer = _tokenizer_inside(content)
    assert len(tokenizer) > 1000
    assert content.count(tokenizer) == 1
    assert len(content) - ids - len(tokenizer) < 5000


def test_text_and_mediapipe_files_differ_in_one_name(artefacts, quantisation):
    """Converted separately, the two could come to hold different weights."""
    text, said = split_model(artefacts / f"student_text_{quantisation}.tflite")
    mediapipe, metadata = split_model(
        artefacts / f"student_mediapipe_{quantisation}.tflite"
    )
    changed = [i for i, (a, b) in enumerate(zip(text, mediapipe, strict=True)) if a - b]
    assert changed[-1] - changed[0] < 4 + len(TFTEXT_OP)
    assert renamed(mediapipe, MEDIAPIPE_OP, TFTEXT_OP) == text
    assert _custom(mediapipe) == {MEDIAPIPE_OP, b"RaggedTensorToTensor"}
    assert metadata["max_length"] == 24
    # The digest of other bytes; all else is said by both.
    assert metadata.pop("model_sha256") != said.pop("model_sha256")
    assert metadata == said


def test_a_file_without_the_operation_is_not_renamed(artefacts):
    """Bytes written where no name is would damage a weight."""
    content = (artefacts / "student_int8.tflite").read_bytes()
    with pytest.raises(BabeletError, match="Remedy: give a file that takes text"):
        renamed(content, TFTEXT_OP, MEDIAPIPE_OP)


def test_other_operations_without_a_kernel_are_an_error(tmp_path, tokenizer):
    """Where the tokenizer is allowed, the converter lets any custom operation pass."""
    token_ids = keras.Input((None,), dtype="int32", name="token_ids")
    mask = keras.Input((None,), dtype="bool", name="padding_mask")
    seen = keras.ops.cast(mask, "float32") * keras.ops.cast(token_ids, "float32")
    model = keras.Model(
        {"token_ids": token_ids, "padding_mask": mask}, keras.ops.erfinv(seen)
    )
    with pytest.raises(BabeletError, match="Erfinv"):
        convert_text(model, tokenizer, tmp_path / "model.tflite", "fp32", {})
    assert list(tmp_path.iterdir()) == []


def _custom(content):
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    return {code.customCode for code in model.operatorCodes if code.customCode}


def _tokenizer_inside(content):
    """The constant that the tokenizer's operation takes first."""
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    graph = model.subgraphs[0]
    (operator,) = [
        each
        for each in graph.operators
        if model.operatorCodes[each.opcodeIndex].customCode == TFTEXT_OP
    ]
    return bytes(model.buffers[graph.tensors[operator.inputs[0]].buffer].data)
