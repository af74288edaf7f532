"""Preparations with teachers that have little in common with the student."""

import hashlib
import json
import shutil

import numpy as np
import pytest
import tensorflow as tf

from babelet.configs import overrides
from babelet.configs.schema import TeacherConfig
from babelet.core.errors import BabeletError
from babelet.tasks.embedding import EmbeddingTask
from babelet.training.steps import do
from babelet.training.teachers import open_teacher
from babelet.training.workdir import Workdir
from tests import hugging_face_writer
from tests.training.conftest import LANGUAGES, sentences

OWN_VOCABULARY = ("vocabulary.method=train", "vocabulary.size=128")
# A teacher of another width than the student teaches through a projection.
OTHER_WIDTH = "objective.candidates=student"


@pytest.fixture(scope="module")
def english():
    """The English sentences."""
    return [english for english, *_ in sentences()]


@pytest.fixture(scope="module")
def wordpiece(tmp_path_factory, english):
    """Settings of a teacher: an English BERT of width 48, WordPiece."""
    folder = tmp_path_factory.mktemp("teachers") / "bert"
    words = sorted({word.lower() for text in english for word in text.split()})
    hugging_face_writer.write_folder(folder, words)
    return ("teacher.kind=kerashub", f"teacher.path={folder}", OTHER_WIDTH)


def prepare(workdir):
    """Does the steps before training; returns the task that opens what they left."""
    task = EmbeddingTask(workdir)
    do(workdir, task.preparation())
    return task


@pytest.fixture(scope="module")
def corpus(home):
    """A folder with the corpus, which all these preparations share."""
    folder = home.folder / "corpus_only"
    folder.mkdir()
    prepare(Workdir(folder, overrides.load(str(home.recipe))))
    return folder


@pytest.fixture
def prepared(home, corpus, tmp_path):
    """Returns a finished preparation under the settings given."""

    def make(*settings):
        folder = tmp_path / "run"
        if not folder.exists():
            folder.mkdir()
            shutil.copytree(corpus / "corpus", folder / "corpus")
            shutil.copy(corpus / "manifest.json", folder)
        config = overrides.load(str(home.recipe), settings)
        return prepare(Workdir(folder, config))

    return make


def test_a_vocabulary_of_its_own(prepared, wordpiece):
    """Columns of a teacher that has no such tokenizer would be another's."""
    preparation = prepared(*wordpiece, *OWN_VOCABULARY)
    rows = preparation.coverage.rows()
    assert {row["language"] for row in rows} == set(LANGUAGES)
    assert not {"agreement", "inflation", "tokens_per_word_before"} & set(rows[0])
    assert preparation.vocabulary.teacher_ids() is None
    assert preparation.vocabulary.tokenizer.vocabulary_size == 128
    assert preparation.encoder.cache.encode(["Turn on the lamp"]).shape == (1, 48)


def test_layers_without_a_common_vocabulary(prepared, wordpiece, capsys):
    """Rows of other words are a worse start than random ones."""
    shapes = ("student.hidden_dim=48", "student.intermediate_dim=96")
    preparation = prepared(*wordpiece, *OWN_VOCABULARY, *shapes)
    student = preparation.initial_student("float32")
    assert "initialised 15 of" in capsys.readouterr().out
    table = student.get_layer("embedding").tokens.numpy()
    assert abs(table.std() - 0.02) < 0.005
    ours = student.get_layer("layer_0").feedforward_output.kernel.numpy()
    theirs = preparation.encoder.model.backbone.get_layer("transformer_layer_0")
    np.testing.assert_array_equal(ours, theirs._feedforward_output_dense.kernel.numpy())


def test_a_student_that_starts_from_another_model(prepared, wordpiece, home, corpus):
    """Rows and layers of the wrong model start no better than random ones."""
    preparation = prepared(*wordpiece, f"student.init_from=packaged_e5:{home.teacher}")
    ids = preparation.vocabulary.teacher_ids()
    np.testing.assert_array_equal(ids, np.load(corpus / "teacher_ids.npy"))
    own = json.loads((corpus / "vocabulary_report.json").read_text("utf-8"))
    for ours, theirs in zip(preparation.coverage.rows(), own, strict=True):
        assert ours["agreement"] == pytest.approx(theirs["agreement"], abs=1e-5)
    student = preparation.initial_student("float32")
    table = preparation.encoder.origin.backbone.get_layer(
        "token_embedding"
    ).embeddings.numpy()
    ours = student.get_layer("embedding").tokens.numpy()
    np.testing.assert_array_equal(ours, table[ids])
    assert preparation.encoder.model.dim == 48


def test_no_vocabulary_to_trim(prepared, wordpiece):
    with pytest.raises(BabeletError, match=r"no vocabulary.*vocabulary\.method=train"):
        prepared(*wordpiece)


def test_no_layers_to_start_from(prepared, tmp_path):
    class Sizes(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
        def __call__(self, text):
            sizes = tf.cast(tf.strings.length(text), tf.float32)
            return {"vector": tf.stack([sizes, tf.ones_like(sizes)], axis=1)}

    module = Sizes()
    path = tmp_path / "sizes"
    tf.saved_model.save(module, str(path), {"serving_default": module.__call__})
    teacher = ("teacher.kind=saved_model", f"teacher.path={path}", OTHER_WIDTH)
    with pytest.raises(BabeletError, match=r"no layers.*student\.init_layers"):
        prepared(*teacher, *OWN_VOCABULARY)


def test_a_kind_that_needs_a_path(tmp_path):
    config = TeacherConfig(kind="vectors")
    with pytest.raises(BabeletError, match=r"kind vectors has to be given.*path"):
        open_teacher(config, tmp_path)


def vector(text):
    seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
    return np.random.default_rng(seed).normal(size=32).astype(np.float32)


def write_vectors(file, texts):
    np.save(file, np.stack([vector(text) for text in texts]))
    lines = "".join(f"{text}\n" for text in texts)
    file.with_suffix(".txt").write_text(lines, "utf-8")


def test_vectors_from_elsewhere(prepared, english, tmp_path):
    """The list of what is missing must be all that the run needs."""
    file = tmp_path / "given.npy"
    write_vectors(file, english)
    settings = ("teacher.kind=vectors", f"teacher.path={file}", *OWN_VOCABULARY)
    settings += ("student.init_layers=",)
    with pytest.raises(BabeletError, match=r"given\.missing\.txt lists them"):
        prepared(*settings)
    missing = (tmp_path / "given.missing.txt").read_text("utf-8").splitlines()
    write_vectors(file, [*english, *missing])
    got = prepared(*settings).encoder.cache.encode(missing[:1])[0]
    assert got @ vector(missing[0]) == pytest.approx(
        np.linalg.norm(vector(missing[0])), rel=1e-5
    )
