"""Writes small BERT folders as Hugging Face lays them out; their textbook result."""

import json

import numpy as np
from safetensors.numpy import save_file
from scipy.special import erf

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
PAD, UNK, CLS, SEP, MASK = range(5)
LAYERS, HEADS, POSITIONS = 2, 4, 32


def write_folder(folder, words, hidden=48, pooling="cls", seed=0):
    """Writes the folder; returns its weights, float64 by name.

    Args:
        folder: A `Path`, created.
        words: The vocabulary after the special pieces.
        hidden: The width.
        pooling: "cls" or "mean", as sentence-transformers records it.
        seed: Decides the weights.
    """
    folder.mkdir()
    pieces = [*SPECIAL, *words]
    weights = random_weights(len(pieces), hidden, seed)
    save_file(weights, folder / "model.safetensors")
    files = {
        "config.json": {
            "architectures": ["BertModel"],
            "model_type": "bert",
            "hidden_act": "gelu",
            "vocab_size": len(pieces),
            "hidden_size": hidden,
            "intermediate_size": 2 * hidden,
            "num_hidden_layers": LAYERS,
            "num_attention_heads": HEADS,
            "max_position_embeddings": POSITIONS,
            "layer_norm_eps": 1e-12,
        },
        "tokenizer_config.json": {"do_lower_case": True, "strip_accents": None},
        "tokenizer.json": {
            "model": {
                "type": "WordPiece",
                "vocab": {piece: i for i, piece in enumerate(pieces)},
            }
        },
        "modules.json": [{"type": "sentence_transformers.models.Normalize"}],
        "1_Pooling/config.json": {"pooling_mode_cls_token": pooling == "cls"},
    }
    (folder / "1_Pooling").mkdir()
    for name, content in files.items():
        (folder / name).write_text(json.dumps(content), encoding="utf-8")
    return {name: value.astype(np.float64) for name, value in weights.items()}


def random_weights(vocabulary, hidden, seed):
    """Returns float32 tensors under Hugging Face's names."""
    draw = np.random.default_rng(seed)
    shapes = {
        "embeddings.word_embeddings.weight": (vocabulary, hidden),
        "embeddings.position_embeddings.weight": (POSITIONS, hidden),
        "embeddings.token_type_embeddings.weight": (2, hidden),
        "embeddings.LayerNorm.weight": (hidden,),
        "embeddings.LayerNorm.bias": (hidden,),
        "pooler.dense.weight": (hidden, hidden),
        "pooler.dense.bias": (hidden,),
    }
    for layer in range(LAYERS):
        start = f"encoder.layer.{layer}"
        for name in ("query", "key", "value"):
            shapes[f"{start}.attention.self.{name}.weight"] = (hidden, hidden)
            shapes[f"{start}.attention.self.{name}.bias"] = (hidden,)
        for name, rows, columns in (
            ("attention.output", hidden, hidden),
            ("intermediate", 2 * hidden, hidden),
            ("output", hidden, 2 * hidden),
        ):
            shapes[f"{start}.{name}.dense.weight"] = (rows, columns)
            shapes[f"{start}.{name}.dense.bias"] = (rows,)
        for name in ("attention.output", "output"):
            shapes[f"{start}.{name}.LayerNorm.weight"] = (hidden,)
            shapes[f"{start}.{name}.LayerNorm.bias"] = (hidden,)
    return {
        name: (draw.normal(0, 0.3, shape) + name.endswith("LayerNorm.weight")).astype(
            np.float32
        )
        for name, shape in shapes.items()
    }


def write_modules(folder, *modules, pooling="cls_token", prompts=None):
    """Writes what sentence-transformers keeps beside an encoder.

    Args:
        folder: That of `write_folder`.
        modules: Their kinds, in order; a Dense is (kind, kernel, bias, activation).
        pooling: The mode that is true, such as "mean_tokens".
        prompts: config_sentence_transformers.json, if any.
    """
    rows = []
    for number, module in enumerate(modules):
        kind, *dense = module if isinstance(module, tuple) else (module,)
        path = f"{number}_{kind}" if number else ""
        row = {"idx": number, "name": str(number), "path": path}
        rows.append(row | {"type": f"sentence_transformers.models.{kind}"})
        if dense:
            kernel, bias, activation = dense
            (folder / path).mkdir(exist_ok=True)
            tensors = {"linear.weight": kernel, "linear.bias": bias}
            save_file(tensors, folder / path / "model.safetensors")
            settings = {
                "in_features": kernel.shape[1],
                "out_features": kernel.shape[0],
                "bias": True,
                "activation_function": f"torch.nn.modules.activation.{activation}",
            }
            (folder / path / "config.json").write_text(json.dumps(settings))
    (folder / "modules.json").write_text(json.dumps(rows))
    if "Pooling" in modules:
        path = rows[modules.index("Pooling")]["path"]
        modes = {"pooling_mode_cls_token": False, f"pooling_mode_{pooling}": True}
        (folder / path / "config.json").write_text(json.dumps(modes))
    if prompts is not None:
        file = folder / "config_sentence_transformers.json"
        file.write_text(json.dumps(prompts))


def sentence_vector(ids, weights, pooling, head=()):
    """Returns the unit vector of one sentence by the textbook, in float64.

    Args:
        ids: Of its tokens.
        weights: By name.
        pooling: "cls", "mean", "max" or "last".
        head: Functions of the vector after the pooling.
    """

    def norm(x, name):
        x = x - x.mean(-1, keepdims=True)
        x = x / np.sqrt((x**2).mean(-1, keepdims=True) + 1e-12)
        return x * weights[f"{name}.weight"] + weights[f"{name}.bias"]

    def dense(x, name):
        return x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]

    tables = {
        name: weights[f"embeddings.{name}_embeddings.weight"]
        for name in ("word", "position", "token_type")
    }
    x = tables["word"][ids] + tables["position"][: len(ids)] + tables["token_type"][0]
    x = norm(x, "embeddings.LayerNorm")
    for layer in range(sum("query.weight" in name for name in weights)):
        start = f"encoder.layer.{layer}"
        heads = 12 if x.shape[1] == 384 else HEADS
        query, key, value = (
            dense(x, f"{start}.attention.self.{name}").reshape(len(ids), heads, -1)
            for name in ("query", "key", "value")
        )
        scores = np.einsum("qhd,khd->hqk", query, key) / np.sqrt(query.shape[2])
        scores = np.exp(scores - scores.max(-1, keepdims=True))
        shares = scores / scores.sum(-1, keepdims=True)
        mixed = np.einsum("hqk,khd->qhd", shares, value).reshape(x.shape)
        attended = x + dense(mixed, f"{start}.attention.output.dense")
        x = norm(attended, f"{start}.attention.output.LayerNorm")
        inner = dense(x, f"{start}.intermediate.dense")
        inner = inner * 0.5 * (1 + erf(inner / np.sqrt(2)))
        x = norm(x + dense(inner, f"{start}.output.dense"), f"{start}.output.LayerNorm")
    pooled = {"cls": x[0], "mean": x.mean(0), "max": x.max(0), "last": x[-1]}
    vector = pooled[pooling]
    for layer in head:
        vector = layer(vector)
    return vector / np.linalg.norm(vector)
