"""One command, from text and teacher to exported files, really run."""

import hashlib
import json
import math
import subprocess
import sys

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.util import tensor_util

from tests.training.conftest import LANGUAGES, ROOT, environment, messages, weights

LOSSES = ("loss", "hard_label", "soft_label", "embedding_match")
VALIDATION_SCORES = ("retrieval", *(f"retrieval/{code}" for code in LANGUAGES))
# Written anew by every start, with the same content.
REWRITTEN = {"config.json", "manifest.json", ".lock"}


def scalars(folder, kinds=("train/", "validation/")):
    """Returns {tag: {step: value}} of the events in `folder`, of some kinds."""
    events = EventAccumulator(str(folder), size_guidance={"tensors": 0}).Reload()
    return {
        tag: {
            event.step: float(tensor_util.make_ndarray(event.tensor_proto))
            for event in events.Tensors(tag)
        }
        for tag in events.Tags()["tensors"]
        # HParams are in the same files.
        if tag.startswith(kinds)
    }


def test_the_workdir_holds_all_that_a_run_promises(finished):
    """A step that quietly writes elsewhere is missed by the next tool only."""
    names = "config.json manifest.json tokenizer.model vocabulary_report.json"
    names += " corpus/rejected.tsv teacher_cache checkpoints logs metrics.json"
    names += " samples.json report.html MODEL_CARD.md student.weights.h5 student.keras"
    names += " export/saved_model/saved_model.pb export/student_fp32.tflite"
    names += " export/student_int8.tflite export/golden.jsonl export/parity.json"
    for name in names.split():
        path = finished.workdir / name
        assert path.exists(), name
        assert path.is_dir() or path.stat().st_size, f"{name} is empty"
    assert not list(finished.workdir.rglob("*.babelet-partial*"))


def test_the_student_learns(finished):
    """A loss can fall while the vectors collapse; retrieval shows it."""
    loss = scalars(finished.workdir / "logs" / "train")["train/loss"]
    steps = sorted(loss)
    assert steps == [10, 20, 30, 40]
    assert loss[40] < 0.8 * loss[10]
    metrics = json.loads((finished.workdir / "metrics.json").read_text())
    student = metrics["student"]["retrieval"]["languages"]
    assert set(student) == set(LANGUAGES)
    for language, row in student.items():
        chance = 1 / row["count"]
        assert row["mean"] > 5 * chance, f"{language}: {row}"


def test_tensorboard_shows_each_curve(finished):
    """A curve under another name is an empty chart that nobody reports."""
    train = scalars(finished.workdir / "logs" / "train")
    names = {f"train/{name}" for name in LOSSES}
    names |= {"train/learning_rate", "train/examples_per_second"}
    validation = {f"validation/{name}" for name in VALIDATION_SCORES}
    assert set(train) == names | validation
    assert sorted(train["validation/retrieval"]) == [10, 20, 30, 40]
    assert train["train/learning_rate"][10] > train["train/learning_rate"][40]
    for values in train.values():
        assert all(math.isfinite(value) for value in values.values())
    teacher = scalars(finished.workdir / "logs" / "teacher")
    assert set(teacher) == validation
    assert sorted(teacher["validation/retrieval"]) == [0, 40]


def test_tensorboard_shows_the_test(finished):
    """Two runs are told apart by their best validation, which chose the weights."""
    metrics = json.loads((finished.workdir / "metrics.json").read_text())
    for model, folder in {"student": "train", "teacher": "teacher"}.items():
        shown = scalars(finished.workdir / "logs" / folder, "test/")
        expected = metrics[model]["retrieval"]["mean"]["mean"]
        assert shown["test/retrieval"] == {40: pytest.approx(expected)}
    samples = json.loads((finished.workdir / "samples.json").read_text())
    assert {row[0] for row in samples["examples"]["rows"]} == set(LANGUAGES)
    assert set(samples["map"]) == {"teacher", "student"}


def test_projector_files_belong_together(finished):
    """A label shifted by one row colours every point with its neighbour's language."""
    folder = finished.workdir / "logs" / "projector"
    vectors = np.loadtxt(folder / "vectors.tsv", delimiter="\t")
    header, *rows = (folder / "metadata.tsv").read_text("utf-8").splitlines()
    assert header == "language\ttext"
    assert len(rows) == len(vectors)
    assert {row.split("\t")[0] for row in rows} == set(LANGUAGES)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-3)
    assert "metadata.tsv" in (folder / "projector_config.pbtxt").read_text()
    assert list(folder.glob("events.*"))


def contents(workdir):
    """Returns {file: (modified, SHA-256)}; only the hash of what is rewritten."""
    found = {}
    for path in sorted(workdir.rglob("*")):
        if path.is_file():
            name = str(path.relative_to(workdir))
            modified = 0 if name in REWRITTEN else path.stat().st_mtime_ns
            found[name] = modified, hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def test_the_same_command_again_skips_every_step(finished):
    """A step that runs twice costs minutes, and may not give the same again."""
    before = contents(finished.workdir)
    output = finished.command.succeed()
    assert contents(finished.workdir) == before
    steps = json.loads((finished.workdir / "manifest.json").read_text())["steps"]
    assert all(f"{name}: done before" in output for name in steps)
    assert "started" not in output


def test_a_run_is_repeated_from_its_own_config(finished, command, tmp_path):
    """A setting that config.json does not record makes a run unrepeatable."""
    record = finished.workdir / "config.json"
    line = command(tmp_path / "again", config=record, flags=["--until=training"])
    line.succeed()
    assert weights(line.workdir) == weights(finished.workdir)
    assert (line.workdir / "config.json").read_text() == record.read_text()


LOAD = """
import json, sys
from pathlib import Path
import keras, numpy as np
from babelet.export.rebuild import rebuild_student
workdir = Path(sys.argv[1])
whole = keras.models.load_model(workdir / "student.keras")
rebuilt = rebuild_student(workdir).student
for one, other in zip(whole.weights, rebuilt.weights, strict=True):
    assert one.path.split("/", 1)[-1] == other.path.split("/", 1)[-1], one.path
    np.testing.assert_array_equal(one.numpy(), other.numpy())
for line in (workdir / "export" / "golden.jsonl").read_text("utf-8").splitlines():
    row = json.loads(line)
    ids = np.array([row["token_ids"]], "int32")
    vector = whole.predict_on_batch({"token_ids": ids, "padding_mask": ids > 0})[0]
    np.testing.assert_allclose(vector, row["embedding"], atol=1e-5)
print("loaded")
"""


def test_what_was_saved_loads_in_a_new_process(finished):
    """A model that needs the state of the process that wrote it is lost."""
    done = subprocess.run(
        [sys.executable, "-c", LOAD, str(finished.workdir)],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
    )
    assert done.stdout.strip().endswith("loaded"), done.stderr[-4000:]


def losses(workdir):
    """Returns the losses after 10 and 20 steps."""
    loss = scalars(workdir / "logs" / "train")["train/loss"]
    return loss[10], loss[20]


@pytest.mark.parametrize("precision", ["mixed_float16", "mixed_bfloat16"])
def test_half_precision_learns_too(finished, prepared, precision):
    """Unscaled float16 gradients underflow to zero and the loss stands still."""
    line = prepared(f"training.precision={precision}", "training.steps=20")
    output = line.succeed()
    assert precision in output
    first, last = losses(line.workdir)
    assert math.isfinite(first) and last < 0.95 * first
    assert last == pytest.approx(losses(finished.workdir)[1], rel=0.3)


def test_a_loss_that_is_not_finite_stops_the_run(prepared):
    """Training on NaN goes on for hours and overwrites the last good checkpoint."""
    line = prepared("training.learning_rate=1e30", "training.checkpoint_every=1")
    done = line.run()
    assert done.returncode == 2
    (message,) = messages(done.stderr)
    assert message.startswith("error: The loss is not finite at step ")
    assert "a batch of 64 rows, among them '" in message and "<-" in message
    with np.load(line.workdir / "checkpoints" / "state.npz") as arrays:
        notes = json.loads(str(arrays["notes"]))
        assert notes["step"] >= 1
        floats = [array for array in arrays.values() if array.dtype.kind == "f"]
        assert all(np.isfinite(array).all() for array in floats)
    assert not (line.workdir / "student.weights.h5").exists()


def test_what_is_published_tells_no_folders_of_the_machine(finished, home):
    """A model card with /home/jane_doe/acme/… tells who made it, and for whom."""
    own = {"config.json", "manifest.json"}  # They repeat the run, and stay here.
    for path in finished.workdir.rglob("*"):
        if path.is_file() and path.name not in own:
            assert str(home.folder).encode() not in path.read_bytes(), path
