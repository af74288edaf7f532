"""Folders of sentence-transformers and Hugging Face: read whole, or refused."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file

from babelet.configs.schema import TeacherConfig
from babelet.core.errors import BabeletError
from babelet.model.teachers import TEACHERS
from babelet.model.teachers.hugging_face import require_sizes
from babelet.model.teachers.kerashub import load
from babelet.model.teachers.sentence_modules import read_modules
from tests import hugging_face_writer as writer

WORDS = "turn on off the light in kitchen dim cafe ##s .".split()
IDS = {word: len(writer.SPECIAL) + i for i, word in enumerate(WORDS)}
TEXTS = ["Turn on the lights in the kitchen.", "dim", "", "Café OFF"]
PIECES = [
    "turn on the light ##s in the kitchen .".split(),
    ["dim"],
    [],
    ["cafe", "off"],
]


def ids_of(pieces):
    return [writer.CLS, *(IDS[piece] for piece in pieces), writer.SEP]


def config_of(path, **others):
    settings = {"max_length": 16, "tokens_per_batch": 24} | others
    return TeacherConfig(kind="kerashub", path=str(path), **settings)


def open_teacher(path, precision="float32", **others):
    return load(config_of(path, **others), path, precision)


@pytest.fixture
def folder(tmp_path):
    writer.write_folder(tmp_path / "bert", WORDS)
    return tmp_path / "bert"


DRAW = np.random.default_rng(3)
KERNEL, BIAS = DRAW.normal(0, 0.2, (24, 48)), DRAW.normal(0, 0.2, 24)
DENSE = ("Dense", KERNEL.astype(np.float32), BIAS.astype(np.float32), "Tanh")


def tanh_dense(vector):
    return np.tanh(DENSE[1] @ vector + DENSE[2])


@pytest.mark.parametrize(
    ("mode", "pooling"),
    [("cls_token", "cls"), ("mean_tokens", "mean"), ("lasttoken", "last")],
)
def test_a_dense_module_is_applied(tmp_path, mode, pooling):
    """LaBSE without its Dense gives vectors too, of 768 numbers that nobody trained."""
    folder = tmp_path / "bert"
    weights = writer.write_folder(folder, WORDS)
    modules = ("Transformer", "Pooling", DENSE, "Normalize")
    writer.write_modules(folder, *modules, pooling=mode)
    teacher = open_teacher(folder)
    expected = [
        writer.sentence_vector(ids_of(p), weights, pooling, [tanh_dense])
        for p in PIECES
    ]
    np.testing.assert_allclose(teacher.encode(TEXTS), expected, atol=1e-5)
    assert teacher.dim == 24
    plain = tmp_path / "plain"
    writer.write_folder(plain, WORDS)
    assert open_teacher(plain).fingerprint != teacher.fingerprint


def test_a_dense_module_of_another_width_is_refused(folder):
    wide = ("Dense", np.ones((24, 40), np.float32), DENSE[2], "Tanh")
    writer.write_modules(folder, "Transformer", "Pooling", wide)
    with pytest.raises(BabeletError, match=r"do not fit together.*48 inputs.*40"):
        open_teacher(folder)


@pytest.mark.parametrize(
    ("modules", "pooling", "match"),
    [
        (("Transformer", "Pooling", "LSTM"), "cls_token", "module LSTM"),
        (("Transformer", "Pooling", "Normalize", DENSE), "cls_token", "this order"),
        (("Transformer", "Pooling"), "weightedmean_tokens", "weightedmean"),
        (("Transformer", "Pooling", ("Dense", *DENSE[1:3], "Mish")), "cls_token", "M"),
    ],
)
def test_modules_that_are_not_computed_are_refused(folder, modules, pooling, match):
    """They were left out without a word."""
    writer.write_modules(folder, *modules, pooling=pooling)
    with pytest.raises(BabeletError, match=rf"does not compute.*{match}.*vectors"):
        open_teacher(folder)


def test_two_poolings_at_once_are_refused(folder):
    """sentence-transformers puts both vectors beside each other."""
    both = {"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": True}
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(both))
    with pytest.raises(BabeletError, match="pooling cls_token and mean_tokens"):
        open_teacher(folder)


def test_a_dense_module_in_pickled_weights_is_refused(folder):
    """Unpickling runs whatever program the file holds."""
    writer.write_modules(folder, "Transformer", "Pooling", DENSE)
    file = folder / "2_Dense" / "model.safetensors"
    file.rename(file.with_name("pytorch_model.bin"))
    with pytest.raises(BabeletError, match=r"2_Dense.*pickled weights are never read"):
        open_teacher(folder)


def test_pickled_weights_are_refused(folder):
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(BabeletError, match=r"pytorch_model\.bin.*never read.*Remedy"):
        open_teacher(folder)


def test_the_default_prompt_is_the_prefix(folder):
    """E5 without its "query: " is a worse teacher, unseen."""
    prompts = {"prompts": {"query": "dim the "}, "default_prompt_name": "query"}
    writer.write_modules(folder, "Transformer", "Pooling", prompts=prompts)
    teacher = open_teacher(folder)
    assert teacher.prefix == "dim the "
    plain = open_teacher(folder, prefix="")
    np.testing.assert_allclose(
        teacher.encode(["light"]), plain.encode(["dim the light"]), atol=1e-6
    )


def test_a_prefix_outside_the_pooling_is_refused(folder):
    """The mean was taken over the prefix too."""
    settings = {"pooling_mode_mean_tokens": True, "include_prompt": False}
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(settings))
    open_teacher(folder)
    with pytest.raises(BabeletError, match="leaves the prefix out"):
        open_teacher(folder, prefix="dim ")


@pytest.mark.parametrize("prefix", ["", "bert."])
def test_a_model_without_a_pooler_is_read(tmp_path, prefix):
    """sentence-transformers saves it so, and makes no use of one."""
    folder = tmp_path / "bert"
    weights = writer.write_folder(folder, WORDS)
    file = folder / "model.safetensors"
    kept = {n: v for n, v in load_file(file).items() if not n.startswith("pooler")}
    save_file({f"{prefix}{name}": value for name, value in kept.items()}, file)
    before = sorted(folder.iterdir())
    expected = writer.sentence_vector(ids_of(PIECES[0]), weights, "cls")
    np.testing.assert_allclose(
        open_teacher(folder).encode(TEXTS[:1])[0], expected, atol=1e-5
    )
    assert sorted(folder.iterdir()) == before


def test_the_encoder_may_lie_in_a_folder_inside(tmp_path):
    """Older sentence encoders have 0_Transformer beside 1_Pooling."""
    inner = tmp_path / "whole" / "0_Transformer"
    inner.parent.mkdir()
    weights = writer.write_folder(inner, WORDS, pooling="mean")
    (inner / "1_Pooling").rename(tmp_path / "whole" / "1_Pooling")
    (inner / "modules.json").unlink()
    rows = [{"path": "0_Transformer", "type": "models.Transformer"}]
    rows.append({"path": "1_Pooling", "type": "models.Pooling"})
    (tmp_path / "whole" / "modules.json").write_text(json.dumps(rows))
    expected = writer.sentence_vector(ids_of(PIECES[0]), weights, "mean")
    teacher = open_teacher(tmp_path / "whole")
    np.testing.assert_allclose(teacher.encode(TEXTS[:1])[0], expected, atol=1e-5)


def change(folder, **changes):
    file = folder / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"hidden_act": "relu"}, r"hidden_act to be gelu.*relu"),
        ({"position_embedding_type": "relative_key"}, "relative_key"),
        ({"layer_norm_eps": 0.5}, r"layer_norm_eps.*0\.5"),
        ({"layer_norm_eps": "NaN"}, "layer_norm_eps"),
        ({"hidden_size": 10**9}, r"hidden_size to be at most"),
        ({"num_hidden_layers": 10**7}, r"num_hidden_layers to be at most"),
        ({"vocab_size": -1}, r"whole number above 0 as vocab_size.*-1"),
        ({"intermediate_size": "96"}, "intermediate_size"),
        ({"num_attention_heads": True}, "num_attention_heads.*True"),
    ],
)
def test_a_config_that_is_not_of_the_weights_is_refused(folder, changes, match):
    """ReLU was computed as GELU; a width of a billion filled the memory."""
    change(folder, **changes)
    with pytest.raises(BabeletError, match=match):
        open_teacher(folder)


def test_the_epsilon_is_the_models_own(tmp_path):
    """KerasHub's BERT has its own, whatever the model was trained with."""
    weights = writer.write_folder(tmp_path / "bert", WORDS)
    change(tmp_path / "bert", layer_norm_eps=5e-3)
    expected = writer.sentence_vector(ids_of(PIECES[0]), weights, "cls")
    other = open_teacher(tmp_path / "bert").encode(TEXTS[:1])[0]
    assert 1e-4 < np.abs(other - expected).max() < 0.1


@pytest.mark.parametrize(
    "vocabulary",
    [
        {"[PAD]": 0, "[UNK]": 2},
        {"[PAD]": 0, "[UNK]": "1"},
        {"[PAD]": 0, "[UNK]": 0},
        ["[PAD]"],
        {"[PAD]\n[UNK]": 0},
    ],
)
def test_a_vocabulary_with_gaps_is_refused(folder, vocabulary):
    """Every piece behind the gap had the vector of its neighbour."""
    content = {"model": {"type": "WordPiece", "vocab": vocabulary}}
    (folder / "tokenizer.json").write_text(json.dumps(content))
    with pytest.raises(BabeletError, match=r"tokenizer\.json.*a number from 0 on"):
        open_teacher(folder)


def test_a_tokenizer_of_another_model_is_refused(folder):
    """Ids beyond the table are zeros on one machine and an error on another."""
    file = folder / "tokenizer.json"
    content = json.loads(file.read_text())
    content["model"]["vocab"]["more"] = len(content["model"]["vocab"])
    file.write_text(json.dumps(content))
    with pytest.raises(BabeletError, match="tokenizer of another model"):
        open_teacher(folder)


NAMES = (
    "config.json",
    "modules.json",
    "1_Pooling/config.json",
    "2_Dense/config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "config_sentence_transformers.json",
    "sentence_bert_config.json",
    "model.safetensors.index.json",
)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("content", ["[[1]]", '"a"', "[" * 100_000, "null", "\0", "{"])
def test_json_of_another_kind_is_one_clear_error(folder, name, content):
    """`'list' object has no attribute 'get'` names neither file nor remedy."""
    writer.write_modules(folder, "Transformer", "Pooling", DENSE)
    (folder / name).write_text(content)
    with pytest.raises(BabeletError, match=r"bert.*(Expected|Received).*Remedy") as got:
        TEACHERS["kerashub"].open(config_of(folder), folder)
    assert "\n" not in str(got.value)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model") / "bert"
    writer.write_folder(folder, WORDS)
    writer.write_modules(folder, "Transformer", "Pooling", DENSE, "Normalize")
    return folder


def changed(draw, content):
    """Returns JSON content of which one value somewhere is another."""
    if isinstance(content, dict | list) and content and draw(st.booleans()):
        keys = list(content) if isinstance(content, dict) else range(len(content))
        key = draw(st.sampled_from(list(keys)))
        copy = content.copy()
        copy[key] = changed(draw, content[key])
        return copy
    return draw(VALUES)


@settings(max_examples=80)
@given(data=st.data(), name=st.sampled_from([*NAMES[:4], NAMES[6]]))
def test_any_json_is_read_or_one_error(whole, data, name):
    """A traceback, or a model that is not the one in the files."""
    file = whole / name
    before = file.read_text() if file.is_file() else None
    content = json.loads(before) if before else {}
    file.write_text(json.dumps(changed(data.draw, content)))
    kind = TEACHERS["kerashub"]._replace(load=read_json_files)
    try:
        kind.open(config_of(whole), whole)
    except BabeletError as error:
        assert "Remedy: " in str(error)
    finally:
        file.unlink() if before is None else file.write_text(before)


def read_json_files(config, path):
    """Reads what is read before KerasHub builds the model, which takes a second."""
    read_modules(
        config.path, lambda name: path / name if (path / name).is_file() else None
    )
    require_sizes(path, json.loads((path / "config.json").read_text()))
