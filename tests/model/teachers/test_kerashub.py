"""KerasHub's presets and Hugging Face folders as teachers."""

import json
import shutil

import keras_hub
import numpy as np
import pytest

from babelet.configs.schema import TeacherConfig
from babelet.core.errors import BabeletError
from babelet.model.teachers.kerashub import load
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


@pytest.mark.parametrize("pooling", ["cls", "mean", "max"])
def test_a_hugging_face_folder_agrees_with_the_textbook(tmp_path, pooling):
    """A wrong pooling, an accent made unknown or tanh-GELU still give unit vectors."""
    weights = writer.write_folder(tmp_path / "bert", WORDS, pooling=pooling)
    teacher = open_teacher(tmp_path / "bert", pooling=pooling)
    expected = [writer.sentence_vector(ids_of(p), weights, pooling) for p in PIECES]
    np.testing.assert_allclose(teacher.encode(TEXTS), expected, atol=1e-5)
    assert teacher.dim == 48 and teacher.tokenizer_model is None
    assert teacher.backbone.num_layers == writer.LAYERS


@pytest.mark.parametrize("pooling", ["cls", "mean"])
def test_the_pooling_is_the_folders_own(tmp_path, pooling):
    """The mean of a model trained on its first token is a worse teacher, unseen."""
    writer.write_folder(tmp_path / "bert", WORDS, pooling=pooling)
    own = open_teacher(tmp_path / "bert").encode(TEXTS)
    named = open_teacher(tmp_path / "bert", pooling=pooling).encode(TEXTS)
    other = open_teacher(tmp_path / "bert", pooling="max").encode(TEXTS)
    np.testing.assert_array_equal(own, named)
    assert np.abs(own - other).max() > 1e-2


def test_a_prefix_is_put_before_every_text(folder):
    plain, prefixed = open_teacher(folder), open_teacher(folder, prefix="dim the ")
    np.testing.assert_allclose(
        prefixed.encode(["light"]), plain.encode(["dim the light"]), atol=1e-6
    )
    assert plain.fingerprint != prefixed.fingerprint


def test_long_text_is_cut_and_keeps_its_end(folder):
    """Positions beyond the table would be read from other memory, or fail."""
    teacher = open_teacher(folder)
    long, exact = teacher.encode(["dim " * 40, "dim " * 14])
    np.testing.assert_allclose(long, exact, atol=1e-6)
    with pytest.raises(BabeletError, match=r"teacher\.max_length.*at most 32.*64"):
        open_teacher(folder, max_length=64)


def test_a_fingerprint_is_of_the_content_and_not_of_the_place(folder, tmp_path):
    """A moved folder would be encoded again; a changed one would not."""
    shutil.copytree(folder, tmp_path / "moved")
    writer.write_folder(tmp_path / "other", WORDS, seed=1)
    names = ("bert", "moved", "other")
    first, moved, other = (open_teacher(tmp_path / n).fingerprint for n in names)
    assert first == moved != other


@pytest.fixture
def preset(tmp_path):
    """A preset as KerasHub saves it, of a backbone that has no text embedder."""
    backbone = keras_hub.models.RobertaBackbone(
        vocabulary_size=8,
        num_layers=1,
        num_heads=2,
        hidden_dim=16,
        intermediate_dim=32,
        max_sequence_length=16,
    )
    vocabulary = ["<s>", "<pad>", "</s>", "<unk>", "a", "b", "ab", "<mask>"]
    tokenizer = keras_hub.tokenizers.RobertaTokenizer(
        vocabulary={piece: i for i, piece in enumerate(vocabulary)}, merges=["a b"]
    )
    backbone.save_to_preset(tmp_path / "preset")
    tokenizer.save_to_preset(tmp_path / "preset")
    return tmp_path / "preset"


def test_a_saved_preset_without_an_embedder(preset):
    """Padding that is averaged in would move short texts most."""
    teacher = open_teacher(preset)
    together = teacher.encode(["ab", "abababababab"])
    np.testing.assert_allclose(teacher.encode(["ab"])[0], together[0], atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)
    assert teacher.backbone is None and teacher.dim == 16
    backbone = keras_hub.models.Backbone.from_preset(str(preset))
    tokens = backbone(
        {"token_ids": np.array([[0, 6, 2]]), "padding_mask": np.ones((1, 3), bool)}
    )
    mean = np.asarray(tokens).mean(1)[0]
    np.testing.assert_allclose(together[0], mean / np.linalg.norm(mean), atol=1e-5)


def test_code_in_a_config_is_not_run(preset, tmp_path):
    """A model file from a stranger would run his program."""
    file = preset / "config.json"
    config = json.loads(file.read_text())
    mark = tmp_path / "executed"
    config["config"]["dtype"] = {
        "module": "builtins",
        "class_name": "__lambda__",
        "config": {"value": f"lambda: open({str(mark)!r}, 'w')"},
    }
    config["module"], config["class_name"] = "os", "system"
    config["registered_name"] = None
    file.write_text(json.dumps(config))
    with pytest.raises(BabeletError, match=r"KerasHub cannot load .*preset.*Remedy"):
        open_teacher(preset)
    assert not mark.exists()


def truncate(folder):
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-1000])


def remove_weights(folder):
    (folder / "model.safetensors").unlink()


def resize(folder):
    file = folder / "config.json"
    config = json.loads(file.read_text())
    file.write_text(json.dumps(config | {"hidden_size": 64}))


def unknown_architecture(folder):
    (folder / "config.json").write_text('{"model_type": "resnext"}')


def not_json(folder):
    (folder / "config.json").write_text("{")


def no_config(folder):
    (folder / "config.json").unlink()


@pytest.mark.parametrize(
    "damage",
    [truncate, remove_weights, resize, unknown_architecture, not_json, no_config],
)
def test_a_damaged_folder_is_one_clear_error(folder, damage):
    """Half a file is read as a model that says nothing sensible."""
    damage(folder)
    with pytest.raises(BabeletError, match=r"bert.*Expected.*Received.*Remedy"):
        open_teacher(folder)


def test_an_unknown_preset_names_the_nearest(tmp_path):
    config = config_of("all_minilm_l6_v2")
    with pytest.raises(BabeletError, match=r"no folder.*all_minilm_l6_v2_en"):
        load(config, tmp_path / "all_minilm_l6_v2")


def test_a_preset_without_network_says_so(tmp_path, monkeypatch):
    """Retries without end, or a traceback of five libraries."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    config = config_of("hf://nobody/nothing")
    with pytest.raises(BabeletError, match=r"cannot load hf://nobody.*network"):
        load(config, tmp_path / "absent")


def test_settings_without_effect_are_refused(folder):
    """A setting that is ignored is believed to work."""
    with pytest.raises(BabeletError, match=r"teacher\.num_layers has no effect"):
        open_teacher(folder, num_layers=1)
