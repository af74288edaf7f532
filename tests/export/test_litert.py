import keras
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter

from babelet.core.errors import BabeletError
from babelet.export.litert import convert
from babelet.export.litert_predict import litert_predict
from babelet.export.metadata import read_metadata
from babelet.export.predict import keras_predict
from benchmarks.latency import sentence_model

BUILTIN = {
    code: name for name, code in vars(schema.BuiltinOperator).items() if name.isupper()
}


@pytest.fixture(scope="module", params=["fp32", "fp16", "int8"])
def quantised(request, artefacts):
    return artefacts / f"student_{request.param}.tflite", request.param


def test_inputs_and_output_have_the_names_and_types_the_readme_gives(quantised):
    """Inputs in an order of the converter's choosing get swapped on the phone."""
    (signature,) = Interpreter(str(quantised[0])).get_signature_list().items()
    runner = Interpreter(str(quantised[0])).get_signature_runner("serving_default")
    inputs = {name: each["dtype"] for name, each in runner.get_input_details().items()}
    assert inputs == {"token_ids": np.int32, "padding_mask": np.int32}
    assert list(runner.get_output_details()) == ["embedding"]
    assert signature[0] == "serving_default"


def test_any_batch_and_length_up_to_the_limit(quantised, make_student, tokenizer):
    """A batch or length frozen by the trace works in the demo alone."""
    expected = keras_predict(make_student(), tokenizer)
    for texts, multiple in ([["lamp"], 1], [["The door is open"] * 5 + [""], 24]):
        got = litert_predict(quantised[0], tokenizer, 8, multiple)(texts)
        assert ((got * expected(texts)).sum(axis=1) > 0.999).all()


def test_more_tokens_than_positions_are_an_error(quantised, tokenizer):
    """Positions that wrap or repeat would give a wrong vector without a word."""
    runner = Interpreter(str(quantised[0])).get_signature_runner()
    ones = np.ones((1, tokenizer.max_length + 1), np.int32)
    with pytest.raises(RuntimeError):
        runner(token_ids=ones, padding_mask=ones)


def test_int8_stores_the_token_table_in_8_bits(artefacts, tokenizer):
    """Left in float32, the table alone is most of a 'quantised' download."""
    content = (artefacts / "student_int8.tflite").read_bytes()
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    tensors = model.subgraphs[0].tensors
    tables = [
        tensors[operator.inputs[0]]
        for operator in model.subgraphs[0].operators
        if _name(model, operator) == "GATHER"
    ]
    # The positions of so small a student are under the converter's minimum size.
    largest = max(tables, key=lambda table: np.prod(table.shape))
    assert list(largest.shape) == [tokenizer.vocabulary_size, 32]
    assert largest.type == schema.TensorType.INT8


def test_only_builtin_operations(quantised):
    """A Flex or custom operation converts here and fails on the phone."""
    model = schema.ModelT.InitFromPackedBuf(quantised[0].read_bytes(), 0)
    names = {BUILTIN[code.builtinCode] for code in model.operatorCodes}
    assert "CUSTOM" not in names
    assert {"FULLY_CONNECTED", "GATHER"} <= names


def test_sizes_are_four_and_one_bytes_for_each_parameter(tmp_path):
    """The weightless file that one converter route writes is tiny, and loads."""
    token_ids = keras.Input((None,), dtype="int32", name="token_ids")
    mask = keras.Input((None,), dtype="bool", name="padding_mask")
    vectors = keras.layers.Embedding(4000, 64)(token_ids)
    seen = keras.ops.expand_dims(keras.ops.cast(mask, "float32"), -1)
    model = keras.Model(
        {"token_ids": token_ids, "padding_mask": mask},
        keras.ops.sum(vectors * seen, axis=1),
    )
    for quantisation, width in (("fp32", 4), ("fp16", 2), ("int8", 1)):
        path = tmp_path / f"{quantisation}.tflite"
        convert(model, path, quantisation, {})
        assert abs(path.stat().st_size - width * 4000 * 64) < 10_000
    assert len(list(tmp_path.iterdir())) == 3


def test_an_operation_without_a_kernel_is_an_error_that_names_it(tmp_path):
    """Allowed to fall back to Flex, the converter hides it until the phone."""
    token_ids = keras.Input((None,), dtype="int32", name="token_ids")
    mask = keras.Input((None,), dtype="bool", name="padding_mask")
    seen = keras.ops.cast(mask, "float32") * keras.ops.cast(token_ids, "float32")
    model = keras.Model(
        {"token_ids": token_ids, "padding_mask": mask}, keras.ops.erfinv(seen)
    )
    with pytest.raises(BabeletError, match="tf.Erfinv"):
        convert(model, tmp_path / "model.tflite", "fp32", {})
    assert list(tmp_path.iterdir()) == []


def test_metadata_travels_inside_the_file(quantised):
    """A lone .tflite in an app must say which run and weights it holds."""
    metadata = read_metadata(quantised[0])
    assert len(metadata["weights_sha256"]) == 64
    assert metadata["versions"]["tensorflow"]


def test_a_kerashub_encoder_converts_through_the_same_converter(tmp_path, tokenizer):
    """A teacher timed through another converter makes the speed-up meaningless."""
    import keras_hub

    backbone = keras_hub.models.BertBackbone(
        vocabulary_size=tokenizer.vocabulary_size,
        num_layers=1,
        num_heads=2,
        hidden_dim=16,
        intermediate_dim=32,
        max_sequence_length=32,
    )
    model = sentence_model(backbone, "mean")
    convert(model, tmp_path / "teacher.tflite", "fp32", {})
    texts = ["Turn on the lamp", "?"]
    got = litert_predict(tmp_path / "teacher.tflite", tokenizer)(texts)
    assert np.allclose(got, keras_predict(model, tokenizer)(texts), atol=1e-5)


def _name(model, operator):
    code = model.operatorCodes[operator.opcodeIndex]
    return BUILTIN[code.builtinCode]
