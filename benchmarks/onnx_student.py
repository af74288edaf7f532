"""The student as an ONNX graph, to run it in ONNX Runtime beside its LiteRT file.

Written operation by operation from the weights, with ONNX Runtime's own fused
attention: what its optimiser aims at, and faster there than attention in single
operations.
"""

from typing import Any

import keras
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

_FUSED = "com.microsoft"
_EPSILON = 1e-12


class _Graph:
    """Operations in their order, each named by its number."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def constant(self, value: object) -> str:
        """Adds an array, of a Keras variable or of NumPy; returns its name."""
        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.array(value), name))
        return name

    def add(self, operation: str, *inputs: str, domain: str = "", **given: Any) -> str:
        """Adds an operation; returns the name of its result."""
        name = f"{operation}_{len(self.nodes)}"
        node = helper.make_node(
            operation, inputs, [name], name=name, domain=domain, **given
        )
        self.nodes.append(node)
        return name


def student_graph(student: keras.Model) -> onnx.ModelProto:
    """Returns the student as an ONNX model.

    Its inputs are `token_ids` and `padding_mask`, int32 (batch, length), its output is
    `embedding`, float32 (batch, dim), or of a classifier `scores`, float32 (batch,
    classes): those of the LiteRT file.

    Args:
        student: As `model.student.build_encoder` makes it, or what a run serves.
    """
    graph = _Graph()
    hidden = _embed(graph, student.get_layer("embedding"))
    for layer in student.layers:
        if layer.name.startswith("layer_"):
            hidden = _encode(graph, layer, hidden)
    vector = _pool(graph, student.get_layer("pooling").pooling, hidden)
    output = "scores" if student.output_names == ["scores"] else "embedding"
    result = (_scores if output == "scores" else _unit)(graph, student, vector)
    graph.nodes.append(helper.make_node("Identity", [result], [output]))
    inputs = [
        helper.make_tensor_value_info(name, TensorProto.INT32, ["batch", "length"])
        for name in ("token_ids", "padding_mask")
    ]
    outputs = [
        helper.make_tensor_value_info(
            output, TensorProto.FLOAT, ["batch", student.output_shape[-1]]
        )
    ]
    made = helper.make_graph(graph.nodes, "student", inputs, outputs, graph.constants)
    versions = [helper.make_opsetid("", 20), helper.make_opsetid(_FUSED, 1)]
    model = helper.make_model(made, opset_imports=versions, ir_version=10)
    onnx.checker.check_model(model)
    return model


def _embed(graph: _Graph, layer: keras.layers.Layer) -> str:
    tokens = graph.add("Gather", graph.constant(layer.tokens), "token_ids")
    shape = graph.add("Shape", "token_ids")
    length = graph.add("Gather", shape, graph.constant(np.int64(1)))
    zero, one = graph.constant(np.int64(0)), graph.constant(np.int64(1))
    places = graph.add("Range", zero, length, one)
    positions = graph.add("Gather", graph.constant(layer.positions), places)
    return _norm(graph, layer.norm, graph.add("Add", tokens, positions))


def _encode(graph: _Graph, layer: keras.layers.Layer, hidden: str) -> str:
    projection = layer.query_key_value
    mixed = graph.add(
        "Attention",
        hidden,
        graph.constant(projection.kernel),
        graph.constant(projection.bias),
        "padding_mask",
        domain=_FUSED,
        num_heads=layer.num_heads,
    )
    attended = _dense(graph, layer.attention_output, mixed)
    hidden = _norm(graph, layer.attention_norm, graph.add("Add", hidden, attended))
    wide = _dense(graph, layer.feedforward_intermediate, hidden)
    fed = _dense(graph, layer.feedforward_output, graph.add("Gelu", wide))
    return _norm(graph, layer.feedforward_norm, graph.add("Add", hidden, fed))


def _pool(graph: _Graph, pooling: str, hidden: str) -> str:
    if pooling == "cls":
        return graph.add("Gather", hidden, graph.constant(np.int64(0)), axis=1)
    visible = graph.add("Cast", "padding_mask", to=TensorProto.FLOAT)
    visible = graph.add("Unsqueeze", visible, graph.constant(np.array([2])))
    length = graph.constant(np.array([1]))
    if pooling == "max":
        hidden_part = graph.add("Sub", graph.constant(np.float32(1)), visible)
        penalty = graph.add("Mul", hidden_part, graph.constant(np.float32(1e9)))
        seen = graph.add("Sub", hidden, penalty)
        return graph.add("ReduceMax", seen, length, keepdims=0)
    seen = graph.add("Mul", hidden, visible)
    total = graph.add("ReduceSum", seen, length, keepdims=0)
    return graph.add("Div", total, graph.add("ReduceSum", visible, length, keepdims=0))


def _unit(graph: _Graph, student: keras.Model, vector: str) -> str:
    if "projection" in {layer.name for layer in student.layers}:
        vector = _dense(graph, student.get_layer("projection"), vector)
    return graph.add("LpNormalization", vector, axis=-1, p=2)


def _scores(graph: _Graph, student: keras.Model, vector: str) -> str:
    logits = _dense(graph, student.get_layer("classes"), vector)
    temperature = np.float32(student.get_layer("scores").temperature)
    calibrated = graph.add("Div", logits, graph.constant(temperature))
    return graph.add("Softmax", calibrated, axis=-1)


def _dense(graph: _Graph, layer: keras.layers.Dense, rows: str) -> str:
    product = graph.add("MatMul", rows, graph.constant(layer.kernel))
    return graph.add("Add", product, graph.constant(layer.bias))


def _norm(graph: _Graph, layer: keras.layers.Layer, rows: str) -> str:
    scale, shift = graph.constant(layer.gamma), graph.constant(layer.beta)
    return graph.add(
        "LayerNormalization", rows, scale, shift, axis=-1, epsilon=_EPSILON
    )
