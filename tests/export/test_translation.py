"""A translator's files: the same translations as the model they come from."""

import dataclasses
import json
import shutil
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from babelet.configs import overrides
from babelet.configs.translation import (
    DataConfig,
    StudentConfig,
    TranslationConfig,
    VocabularyConfig,
)
from babelet.core.errors import BabeletError
from babelet.data import trained_vocabulary
from babelet.data.tokenizer import Tokenizer
from babelet.export import translator_signatures
from babelet.export.gate import check
from babelet.export.infer import infer
from babelet.export.litert_translate import forbidden
from babelet.export.metadata import read_metadata
from babelet.export.predict import saved_model_translate
from babelet.export.rebuild import rebuild_student
from babelet.export.run import export_run
from babelet.export.runtime import Embedder
from babelet.export.task_export import write_texts
from babelet.export.translator import Translator
from babelet.export.translator_signatures import one_table, text_to_text
from babelet.tasks.next_token import keras_translate
from babelet.tasks.students import configured_translator
from tests import run_record

ROOT = Path(__file__).resolve().parents[2]
CONFIG = TranslationConfig(
    name="lamps",
    data=DataConfig(languages=("de",)),
    vocabulary=VocabularyConfig(size=54),
    student=StudentConfig(
        num_layers=1,
        hidden_dim=32,
        num_heads=2,
        intermediate_dim=64,
        max_length=40,
        dropout=0.0,
    ),
)
SOURCES = [
    "Turn on the lamp",
    "Turn off the radio in the kitchen",
    "Clean the garage on Monday",
    "Where is the cat",
    "Stop",
    "",
]
REFERENCES = [
    "Schalte die Lampe ein",
    "Schalte das Radio in der Küche aus",
    "Reinige die Garage am Montag",
    "Wo ist die Katze",
    "Stopp",
    "",
]


TEXTS = {"de": list(zip(SOURCES, REFERENCES, strict=True))}


@pytest.fixture(scope="module")
def workdir(tmp_path_factory):
    """A run whose training is done, with weights that say something."""
    workdir = tmp_path_factory.mktemp("run")
    sides = {"en": SOURCES[:-1], "de": REFERENCES[:-1]}
    pairs = [(language, text) for language, texts in sides.items() for text in texts]
    model = trained_vocabulary.train(pairs, 54, split_digits=True)
    (workdir / "tokenizer.model").write_bytes(model)
    config = dataclasses.replace(CONFIG)
    keras.utils.set_random_seed(1)
    student = configured_translator(config, Tokenizer(model, 40).vocabulary_size)
    for variable in student.trainable_variables:
        if variable.name in ("kernel", "tokens", "positions"):
            variable.assign(8 * variable)
    student.save_weights(workdir / "student.weights.h5")
    run_record.write(workdir, config)
    export_run(workdir, TEXTS)
    return workdir


@pytest.fixture(scope="module")
def expected(workdir):
    student, tokenizer, _ = rebuild_student(workdir)
    return {
        beams: keras_translate(student, tokenizer, beams)(SOURCES) for beams in (1, 3)
    }


def test_the_command_that_exports_again_knows_translators(workdir, tmp_path):
    """Taken for an encoder's, the export that was there was removed, and no new one."""
    again = tmp_path / "again"
    shutil.copytree(workdir, again)
    command = [sys.executable, "-m", "babelet.export", f"--workdir={again}"]
    refused = subprocess.run(
        [*command, "--formats=fp16"], capture_output=True, text=True
    )
    assert refused.returncode == 2
    assert "Expected: saved_model, fp32, int8." in refused.stderr
    assert (again / "export" / "parity.json").exists()
    subprocess.run([*command, "--formats=int8,saved_model"], check=True)
    files = {path.name for path in (again / "export").iterdir()}
    assert "student_int8.tflite" in files and "student_fp32.tflite" not in files
    # The same run has the same files, whatever else the exporting process has done.
    for name in ("student_int8.tflite", "saved_model/saved_model.pb"):
        one, two = (run / "export" / name for run in (workdir, again))
        assert one.read_bytes() == two.read_bytes()


def test_the_gate_saw_equal_files(workdir):
    """An export that publishes whatever came out is found out by the users."""
    parity = json.loads((workdir / "export" / "parity.json").read_text())
    rows = parity["artefacts"]
    assert rows["student_fp32.tflite"]["same"] == rows["saved_model"]["same"] == 1
    assert set(rows) == {"saved_model", "student_fp32.tflite", "student_int8.tflite"}
    report = json.loads((workdir / "export" / "quantisation.json").read_text())
    assert report["tiers"]["int8"]["kept"] and list(report["metrics"]) == ["bleu"]
    assert report["tiers"]["int8"]["median_ms"] > 0 and report["texts"] == len(SOURCES)
    golden = (workdir / "export" / "golden.jsonl").read_text().splitlines()
    assert json.loads(golden[0])["text"] == SOURCES[0]


def test_the_saved_model_translates_any_batch(workdir, expected):
    """A graph traced for one batch size fails at the second."""
    translate = saved_model_translate(workdir / "export" / "saved_model")
    assert translate(SOURCES) == expected[1]
    assert translate(SOURCES[1:2]) == expected[1][1:2]
    assert translate([]) == []


@pytest.mark.parametrize("beams", [1, 3])
def test_the_runtime_translates_as_keras_does(workdir, expected, beams):
    """Two searches, in the file and outside: each must be the one that was tested."""
    translator = Translator(workdir / "export" / "student_fp32.tflite")
    assert translator.translate(SOURCES, beams) == expected[beams]
    assert translator.tokens_per_second > 0


def test_streaming_ends_with_the_whole_translation(workdir, expected):
    """A stream that stops one token early shows a sentence without its end."""
    said = []
    translator = Translator(workdir / "export" / "student_fp32.tflite")
    found = translator.translate(SOURCES[:1], on_text=said.append)
    assert found == expected[1][:1] and said[-1] == found[0] and len(said) > 2


def test_no_text_makes_the_file_run_away(workdir):
    """A phone hangs on an endless loop, with no one to stop it."""
    translator = Translator(workdir / "export" / "student_int8.tflite")
    tokenizer = Tokenizer(workdir / "tokenizer.model", 40)
    texts = ["", "lamp", " ".join(["lamp"] * 512), "Включи свет", "\ud800"]
    found = translator.translate(texts)
    assert found[0] == ""
    for source, text in zip(tokenizer.encode(texts), found, strict=True):
        assert len(tokenizer.pieces([text])[0]) <= 2 * (len(source) - 2) + 10


def test_int8_holds_the_table_once(workdir):
    """The converter makes two of the shared table, half of a small translator."""
    path = workdir / "export" / "student_int8.tflite"
    student, tokenizer, _ = rebuild_student(workdir)
    table = student.embedding.tokens.numpy()
    scales = np.abs(table).max(axis=1, keepdims=True) / 127
    first = np.round(table / scales).astype(np.int8).tobytes()
    assert path.read_bytes().count(first[:64]) == 1
    assert read_metadata(path)["decoding"] == {"copies": 3, "factor": 2, "extra": 8}
    assert tokenizer.vocabulary_size == len(table)


def test_only_builtin_operations(workdir):
    """A file that needs Flex runs here and on no phone."""
    path = workdir / "export" / "student_int8.tflite"
    operations = Interpreter(str(path))._get_ops_details()
    assert not [op["op_name"] for op in operations if op["op_name"].startswith("Flex")]


def test_a_file_that_translates_otherwise_is_not_published(workdir, tmp_path):
    """Other weights under the gate's eyes: it says so, and deletes nothing."""
    names = ("config.json", "manifest.json", "tokenizer.model", "student.weights.h5")
    for name in names:
        (tmp_path / name).write_bytes((workdir / name).read_bytes())
    write_texts(tmp_path, TEXTS)
    student, _, _ = rebuild_student(tmp_path)
    student.embedding.tokens.assign(student.embedding.tokens[::-1])
    student.save_weights(tmp_path / "student.weights.h5")
    run_record.write(tmp_path, CONFIG)
    command = [sys.executable, "-m", "babelet.export.gate"]
    command += [f"--workdir={tmp_path}", f"--folder={workdir / 'export'}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2 and "does not translate as the student" in done.stdout
    assert (workdir / "export" / "student_int8.tflite").exists()


def test_an_int8_file_that_translates_worse_is_not_kept(workdir, tmp_path):
    """The file meant for phones is the one whose quality nobody else looks at."""
    run = tmp_path / "run"
    shutil.copytree(workdir, run)
    # What Keras says is the reference, so its BLEU is 100; int8 says something else.
    student, tokenizer, _ = rebuild_student(run)
    said = keras_translate(student, tokenizer)(SOURCES)
    config = overrides.load(str(run / "config.json"), ["export.max_bleu_loss=-1"])
    run_record.write(run, config)
    export_run(run, {"de": list(zip(SOURCES, said, strict=True))})
    found = json.loads((run / "export" / "parity.json").read_text())
    assert set(found["artefacts"]) == {"saved_model", "student_fp32.tflite"}
    assert "BLEU" in found["refused"]["student_int8.tflite"]
    report = json.loads((run / "export" / "quantisation.json").read_text())
    assert report["tiers"]["int8"]["kept"] is False
    assert report["tiers"]["int8"]["metrics"]["bleu"] > 0
    assert not (run / "export" / "student_int8.tflite").exists()
    assert (run / "export" / "student_fp32.tflite").exists()
    assert not check(run, workdir / "export", ["int8"], force=True).refused


def test_int8_leaves_the_model_as_it_was(workdir):
    """What is written after it in the same process would hold the rounded table."""
    student = rebuild_student(workdir).student
    table, ids = student.embedding.tokens.numpy(), tf.constant([[5, 6]])
    vectors = student.embedding.vectors(ids).numpy()
    with one_table(student):
        assert not np.array_equal(student.embedding.vectors(ids), vectors)
        assert not np.array_equal(student.embedding.tokens, table)
    assert np.array_equal(student.embedding.tokens, table)
    assert np.array_equal(student.embedding.vectors(ids), vectors)


def test_spaces_at_the_start_are_dropped_by_every_way_out(workdir, monkeypatch):
    """The SavedModel kept what SentencePiece drops, and the export was refused."""
    tokenizer = Tokenizer(workdir / "tokenizer.model", 40)
    space, word = tokenizer._processor.piece_to_id(["▁", "e"])
    rows = [[space, space, word], [space], [word, space, word], [word], []]
    lengths = tf.constant([len(row) for row in rows])
    written = tf.ragged.constant(rows, tf.int32).to_tensor(tokenizer.pad_id)
    said = (written, lengths)
    monkeypatch.setattr(translator_signatures, "translate", lambda *_: said)
    student = rebuild_student(workdir).student
    function = text_to_text(student, tokenizer)
    found = function(tf.constant([""] * len(rows)))["translation"].numpy()
    expected = tokenizer.decode(rows)
    assert [text.decode() for text in found] == expected
    assert expected[0] == "e" and expected[1] == "" and expected[2] == "e e"


def test_infer_writes_a_line_for_each_line(workdir, tmp_path, expected):
    """Lines that shift put every later translation beside another source."""
    (tmp_path / "in.txt").write_text("\n".join(SOURCES) + "\n", "utf-8")
    for model in (workdir / "export" / "saved_model",):
        infer(model, tmp_path / "in.txt", tmp_path / "out.txt")
        lines = (tmp_path / "out.txt").read_text("utf-8").split("\n")
        assert lines[:-1] == expected[1]


def test_a_translator_is_no_embedder(workdir):
    """The wrong class for a file must say so, not fail deep inside."""
    with pytest.raises(BabeletError, match="embedding|cannot load"):
        Embedder(workdir / "export" / "student_int8.tflite")


def test_what_is_forbidden():
    """The fourth copy of a run of any length, and nothing else."""
    assert forbidden([], 3) == []
    assert forbidden([5, 6, 6], 3) == []
    assert forbidden([5, 6, 6, 6], 3) == [6]
    assert forbidden([1, 2, 1, 2, 1, 2, 1], 3) == [2]
    assert forbidden([1, 2, 3] * 3, 3) == []
    assert forbidden([1, 2, 3] * 3 + [1, 2], 3) == [3]
