"""The example of one's own `fit` does what the page around it says."""

import runpy
import zipfile
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "docs" / "examples" / "own_fit.py"


@pytest.fixture(scope="module")
def example(tmp_path_factory):
    """The script's names after a run of it, and the folder it ran in."""
    folder = tmp_path_factory.mktemp("own_fit")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        return runpy.run_path(str(SCRIPT)) | {"folder": folder}


def log_softmax(logits):
    shifted = logits - logits.max(-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))


def validation_loss(example):
    """The objective over the whole validation set at once, in float64."""
    batches = list(example["validation"].as_numpy_iterator())
    assert len({len(x) for x, _, _ in batches}) == 2, "no incomplete batch"
    x, y, weight = (np.concatenate(parts) for parts in zip(*batches, strict=True))
    student, teacher = (
        np.asarray(example[name](x), np.float64) for name in ("student", "teacher")
    )
    hard = -log_softmax(student)[np.arange(len(y)), y]
    s, t = log_softmax(student / 2), log_softmax(teacher / 2)
    soft = 4 * (np.exp(t) * (t - s)).sum(-1)
    return np.average(0.5 * hard + 0.5 * soft, weights=weight)


def test_val_loss_is_that_of_the_whole_validation_set(example):
    """That of the last batch, or of batches alike, stops a training at random."""
    found, expected = example["history"]["val_loss"], []
    for epoch in range(1, len(found) + 1):
        example["distiller"].load_weights(example["folder"] / f"{epoch}.weights.h5")
        expected.append(validation_loss(example))
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)
    assert len(found) == 3 and found[2] < found[0]


def largest(weights):
    """Returns how many numbers the largest array of a file has."""
    sizes = []
    with h5py.File(weights) as opened:
        opened.visititems(lambda _, each: sizes.append(getattr(each, "size", 0)))
    return max(sizes)


def test_the_teacher_is_no_part_of_it(example):
    """Tracked, it is trained; saved, it is on every phone."""
    distiller, student = example["distiller"], example["student"]
    own = [id(variable) for variable in student.trainable_variables]
    assert [id(variable) for variable in distiller.trainable_variables] == own
    distiller.save(example["folder"] / "distiller.keras")
    for name in ("student", "distiller"):
        file = example["folder"] / f"{name}.keras"
        with zipfile.ZipFile(file) as archive:
            assert '"teacher"' not in archive.read("config.json").decode()
            weights = archive.extract("model.weights.h5", example["folder"] / name)
        # The teacher's widest matrix has 1,024 numbers, the student's 32.
        assert largest(weights) == 32
    assert keras.saving.load_model(file).objective == distiller.objective
