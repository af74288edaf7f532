"""Runs with teachers that have little in common with the student, really run."""

import hashlib
import json
import re

import numpy as np
import pytest

from tests import hugging_face_writer
from tests.training.conftest import LANGUAGES, messages, sentences, weights

OWN_VOCABULARY = ("vocabulary.method=train", "vocabulary.size=128")
RANDOM_START = "student.init_layers="
PREPARATION = ("--until=preparation",)


@pytest.fixture(scope="module")
def wordpiece(tmp_path_factory):
    """An English BERT of width 48 that reads its first token."""
    folder = tmp_path_factory.mktemp("teachers") / "bert"
    words = sorted({word for english, *_ in sentences() for word in english.split()})
    hugging_face_writer.write_folder(folder, [word.lower() for word in words])
    return ("teacher.kind=kerashub", f"teacher.path={folder}")


def the_error(done):
    found = messages(done.stderr)
    assert done.returncode == 2 and found, done.stderr[-4000:]
    assert "Traceback" not in done.stderr
    return found[-1]


def test_other_width_tokenizer_and_pooling(command, wordpiece, tmp_path):
    """Steps that take the teacher for a SentencePiece model fail, or skip silently."""
    settings = (*wordpiece, *OWN_VOCABULARY, RANDOM_START, "training.steps=40")
    line = command(tmp_path / "run", *settings, "objective.candidates=student")
    line.succeed()
    run = line.workdir
    assert not (run / "teacher_ids.npy").exists()
    rows = json.loads((run / "vocabulary_report.json").read_text("utf-8"))
    assert {row["language"] for row in rows} == set(LANGUAGES)
    assert "agreement" not in rows[0] and "inflation" not in rows[0]
    metrics = json.loads((run / "metrics.json").read_text("utf-8"))
    for row in metrics["student"]["retrieval"]["languages"].values():
        assert row["mean"] > 5 / row["count"]
    page = (run / "report.html").read_text("utf-8")
    assert "kerashub" in (run / "MODEL_CARD.md").read_text("utf-8")
    assert "undefined" not in page.lower()
    assert (run / "export" / "student_int8.tflite").is_file()


def test_a_student_that_starts_from_another_model(command, home, finished, wordpiece):
    """Rows and layers of the wrong teacher start as well as random ones do."""
    settings = (*wordpiece, f"student.init_from=packaged_e5:{home.teacher}")
    line = command(
        home.folder / "other_origin",
        *settings,
        "training.steps=1",
        "training.learning_rate=1e-9",
        "objective.candidates=student",
        flags=("--until=training",),
    )
    line.succeed()
    ids = np.load(line.workdir / "teacher_ids.npy")
    np.testing.assert_array_equal(ids, np.load(finished.workdir / "teacher_ids.npy"))
    rows = json.loads((line.workdir / "vocabulary_report.json").read_text("utf-8"))
    assert min(row["agreement"] for row in rows) > 0.5
    first = np.frombuffer(next(iter(weights(line.workdir).values())), np.float32)
    assert np.isfinite(first).all()


def test_layers_of_a_teacher_without_its_vocabulary(command, wordpiece, tmp_path):
    line = command(
        tmp_path / "run",
        *wordpiece,
        *OWN_VOCABULARY,
        *("student.hidden_dim=48", "student.intermediate_dim=96"),
        *("training.steps=1", "objective.candidates=student"),
        flags=("--until=training",),
    )
    # 12 of the layer, 2 of the first norm and the positions; not the token table.
    assert re.search(r"initialised 15 of \d+ variables", line.succeed())


def test_a_teacher_without_vocabulary_or_layers(command, wordpiece, tmp_path):
    line = command(tmp_path / "run", *wordpiece)
    message = the_error(line.run())
    assert "no vocabulary to trim" in message and "vocabulary.method=train" in message


def test_a_kind_that_needs_a_path(command, tmp_path):
    message = the_error(
        command(tmp_path / "run", "teacher.kind=vectors", "teacher.path=").run()
    )
    assert "kind vectors has to be given" in message and "teacher.path" in message


def test_an_exported_student_can_teach(command, finished, tmp_path):
    """The SavedModel route, and layers asked of a teacher that has none."""
    path = finished.workdir / "export" / "saved_model"
    settings = ("teacher.kind=saved_model", f"teacher.path={path}", *OWN_VOCABULARY)
    done = command(tmp_path / "run", *settings, flags=("--until=training",)).run()
    assert "is a program" in done.stderr
    assert "no layers" in the_error(done) and "student.init_layers" in the_error(done)
    assert "teacher: finished" in done.stdout


def test_vectors_from_elsewhere(command, tmp_path):
    """The list of what is missing must be all that the run needs."""
    file = tmp_path / "given.npy"

    def write(texts):
        np.save(file, np.stack([vector(text) for text in texts]))
        lines = "".join(f"{text}\n" for text in texts)
        file.with_suffix(".txt").write_text(lines, "utf-8")

    def vector(text):
        seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
        return np.random.default_rng(seed).normal(size=32).astype(np.float32)

    write(["Turn on the lamp in the kitchen"])
    settings = ("teacher.kind=vectors", f"teacher.path={file}", *OWN_VOCABULARY)
    line = command(tmp_path / "run", *settings, RANDOM_START, flags=PREPARATION)
    message = the_error(line.run())
    missing = tmp_path / "given.missing.txt"
    assert str(missing) in message
    write(missing.read_text("utf-8").splitlines() + ["Turn on the lamp in the kitchen"])
    assert "coverage: finished" in line.succeed()
