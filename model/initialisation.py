"""Initial weights of the student, taken from named layers of the teacher."""

from collections.abc import Callable, Sequence

import keras
import numpy as np


def initialise_from_teacher(
    student: keras.Model,
    backbone: keras.Model,
    *,
    layers: Sequence[int],
    teacher_ids: np.ndarray | None,
) -> list[str]:
    """Copies teacher weights into `student` where the shapes allow.

    Args:
        student: As built by `build_encoder`.
        backbone: A KerasHub `BertBackbone`, the teacher's.
        layers: For each student layer, the teacher layer it starts from.
        teacher_ids: int (vocabulary_size,), the teacher's row of each student token;
            None if their vocabularies have nothing in common.

    Returns:
        The paths of the student's variables that were set; others stay random.

    Raises:
        ValueError: A layer that the teacher does not have.
    """
    source = {variable.path: variable for variable in backbone.variables}
    available = backbone.num_layers
    absent = [index for index in layers if not 0 <= index < available]
    if absent:
        raise ValueError(
            f"init_layers must be in 0..{available - 1}, the teacher's layers. "
            f"Received: {absent}"
        )
    targets = {variable.path: variable for variable in student.variables}
    copied = []
    for path, value in _weights(source, layers, teacher_ids).items():
        variable = targets.get(path)
        if variable is None:
            continue
        if path == "embedding/positions":
            # Learned positions are useful one by one: take as many as there are.
            value = value[: variable.shape[0]]
        if tuple(variable.shape) == value.shape:
            variable.assign(value)
            copied.append(path)
    return copied


def _weights(
    source: dict, layers: Sequence[int], teacher_ids: np.ndarray | None
) -> dict[str, np.ndarray]:
    """Returns the teacher's weights under the student's names and layouts."""

    def take(path: str) -> np.ndarray:
        return keras.ops.convert_to_numpy(source[path]).astype("float32")

    # The student has no token types: type 0, which every token had, goes into the
    # positions.
    positions = (
        take("position_embedding/embeddings") + take("segment_embedding/embeddings")[0]
    )
    weights = {
        "embedding/positions": positions,
        "embedding/norm/gamma": take("embeddings_layer_norm/gamma"),
        "embedding/norm/beta": take("embeddings_layer_norm/beta"),
    }
    if teacher_ids is not None:
        table = source["token_embedding/embeddings"]
        rows = keras.ops.take(table, teacher_ids, axis=0)
        weights["embedding/tokens"] = keras.ops.convert_to_numpy(rows)
    for index, layer in enumerate(layers):
        weights |= _layer_weights(take, f"transformer_layer_{layer}", f"layer_{index}")
    return weights


def _layer_weights(
    take: Callable[[str], np.ndarray], teacher: str, student: str
) -> dict:
    attention = f"{teacher}/self_attention_layer"
    hidden_dim = take(f"{teacher}/self_attention_layer_norm/gamma").shape[0]
    projections = ("query", "key", "value")
    kernels = [take(f"{attention}/{name}/kernel") for name in projections]
    biases = [take(f"{attention}/{name}/bias") for name in projections]
    weights = {
        "query_key_value/kernel": np.concatenate(
            [kernel.reshape(hidden_dim, -1) for kernel in kernels], axis=1
        ),
        "query_key_value/bias": np.concatenate([bias.ravel() for bias in biases]),
        "attention_output/kernel": take(f"{attention}/attention_output/kernel").reshape(
            -1, hidden_dim
        ),
        "attention_output/bias": take(f"{attention}/attention_output/bias"),
    }
    same = {
        "attention_norm/gamma": "self_attention_layer_norm/gamma",
        "attention_norm/beta": "self_attention_layer_norm/beta",
        "feedforward_intermediate/kernel": "feedforward_intermediate_dense/kernel",
        "feedforward_intermediate/bias": "feedforward_intermediate_dense/bias",
        "feedforward_output/kernel": "feedforward_output_dense/kernel",
        "feedforward_output/bias": "feedforward_output_dense/bias",
        "feedforward_norm/gamma": "feedforward_layer_norm/gamma",
        "feedforward_norm/beta": "feedforward_layer_norm/beta",
    }
    weights |= {name: take(f"{teacher}/{path}") for name, path in same.items()}
    return {f"{student}/{name}": value for name, value in weights.items()}
