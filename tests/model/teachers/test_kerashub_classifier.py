"""KerasHub classifiers of the user's own as teachers."""

import json
import zipfile

import h5py
import numpy as np
import pytest

from babelet.configs.schema import TeacherConfig
from babelet.core.errors import BabeletError
from babelet.model.teachers.kerashub_classifier import load
from tests.classifier_writer import bert_classifier

TEXTS = ["turn on the lamp", "off", "", "the lamp in the kitchen is on now"]


def open_teacher(path, **settings):
    given = {"max_length": 16, "tokens_per_batch": 24} | settings
    return load(TeacherConfig(kind="kerashub", path=str(path), **given), path)


@pytest.fixture(scope="module")
def model():
    return bert_classifier(TEXTS, classes=3)


@pytest.fixture
def preset(model, tmp_path):
    model.save_to_preset(tmp_path / "mine")
    return tmp_path / "mine"


def test_logits_are_those_of_the_model(model, preset, tmp_path):
    """Batches are formed by length: a row that keeps that order is another's."""
    model.save(tmp_path / "mine.keras")
    expected = model.predict(np.array(TEXTS), verbose=0)
    for path in (preset, tmp_path / "mine.keras"):
        teacher = open_teacher(path)
        np.testing.assert_allclose(teacher.encode(TEXTS), expected, atol=1e-5)
        assert teacher.dim == 3 and teacher.backbone.num_layers == 1
        assert teacher.encode([]).shape == (0, 3)


def test_probabilities_become_the_logits_that_give_them(tmp_path):
    """Probabilities taken for logits teach that all classes are nearly alike."""
    model = bert_classifier(TEXTS, classes=3, activation="softmax")
    model.save_to_preset(tmp_path / "mine")
    logits = open_teacher(tmp_path / "mine").encode(TEXTS)
    expected = model.predict(np.array(TEXTS), verbose=0)
    np.testing.assert_allclose(np.exp(logits), expected, rtol=1e-4)


def test_scores_of_many_classes_at_once_are_refused(tmp_path):
    """Independent scores have no distribution to learn."""
    bert_classifier(TEXTS, 3, activation="sigmoid").save_to_preset(tmp_path / "mine")
    with pytest.raises(BabeletError, match=r"one class among several.*sigmoid"):
        open_teacher(tmp_path / "mine")


def test_the_fingerprint_is_of_the_content(preset, tmp_path):
    """Logits of other weights, or of cut texts, would be taken from the cache."""
    bert_classifier(TEXTS, 3, seed=1).save_to_preset(tmp_path / "other")
    first = open_teacher(preset).fingerprint
    preset.rename(tmp_path / "moved")
    assert open_teacher(tmp_path / "moved").fingerprint == first
    assert open_teacher(tmp_path / "other").fingerprint != first
    assert open_teacher(tmp_path / "moved", max_length=8).fingerprint != first


def without_head(preset):
    (preset / "task.weights.h5").unlink()


def without_task(preset):
    (preset / "task.json").unlink()


def truncated(preset):
    file = preset / "model.weights.h5"
    file.write_bytes(file.read_bytes()[:1000])


def foreign_code(preset):
    file = preset / "task.json"
    task = json.loads(file.read_text())
    task["config"]["backbone"] |= {"module": "os", "class_name": "system"}
    task["config"]["backbone"]["registered_name"] = None
    file.write_text(json.dumps(task))


@pytest.mark.parametrize(
    "damage", [without_head, without_task, truncated, foreign_code]
)
def test_a_damaged_folder_is_one_clear_error(preset, damage):
    """KerasHub gives a folder without its head a random one, and says nothing."""
    damage(preset)
    with pytest.raises(BabeletError, match=r"mine.*Expected.*Received.*Remedy"):
        open_teacher(preset)


def test_other_models_are_refused(model, tmp_path):
    model.backbone.save(tmp_path / "encoder.keras")
    with pytest.raises(BabeletError, match=r"not a classifier.*BertBackbone"):
        open_teacher(tmp_path / "encoder.keras")
    with pytest.raises(BabeletError, match=r"no KerasHub classifier.*nothing"):
        open_teacher(tmp_path / "absent")


@pytest.mark.parametrize("name", ["mine.h5", "mine.hdf5", "mine.zip", "mine.keras"])
def test_a_file_of_another_format_is_refused(tmp_path, name):
    """Older .h5 files keep Python code inside, and zip files are not whole models."""
    file = tmp_path / name
    if name.endswith("zip"):
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("config.json", "{}")
    else:
        with h5py.File(file, "w") as stored:
            stored.attrs["model_config"] = "{}"
    with pytest.raises(BabeletError, match=rf"{name} is no classifier.*a whole .keras"):
        open_teacher(file)


def executing(mark):
    """Returns a Keras config whose layer is a program."""
    code = {
        "class_name": "__lambda__",
        "config": {"value": f"lambda x: open({str(mark)!r}, 'w')"},
    }
    layer = {
        "module": "keras.layers",
        "class_name": "Lambda",
        "config": {"function": code, "name": "lambda"},
        "registered_name": None,
    }
    return {
        "module": "keras",
        "class_name": "Sequential",
        "config": {"name": "s", "layers": [layer]},
        "registered_name": None,
    }


@pytest.mark.parametrize("change", [executing, lambda _: [[]], lambda _: {"a": "b"}])
def test_code_in_a_keras_file_is_not_run(model, tmp_path, change):
    """A model file from a stranger would run his program."""
    model.save(tmp_path / "whole.keras")
    mark = tmp_path / "executed"
    file = tmp_path / "mine.keras"
    with (
        zipfile.ZipFile(tmp_path / "whole.keras") as whole,
        zipfile.ZipFile(file, "w") as archive,
    ):
        for name in whole.namelist():
            content = whole.read(name)
            if name == "config.json":
                content = json.dumps(change(mark))
            archive.writestr(name, content)
    with pytest.raises(BabeletError, match=r"mine\.keras.*Remedy"):
        open_teacher(file)
    assert not mark.exists()


def test_settings_without_effect_are_refused(preset):
    """A setting that is ignored is believed to work."""
    with pytest.raises(BabeletError, match=r"teacher\.pooling has no effect"):
        open_teacher(preset, pooling="mean")
