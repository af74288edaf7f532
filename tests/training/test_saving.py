"""The same weights are the same file, and a full disk is an error."""

import keras
import numpy as np
import pytest

from babelet.configs import embedding, translation
from babelet.core.errors import BabeletError
from babelet.export.rebuild import weights_digest
from babelet.tasks.students import (
    configured_classifier,
    configured_encoder,
    configured_translator,
)
from babelet.training.saving import save_model, save_weights

SIZES = {
    "num_layers": 2,
    "hidden_dim": 16,
    "num_heads": 2,
    "intermediate_dim": 32,
    "max_length": 8,
    "dropout": 0.1,
}
SHAPE = embedding.StudentConfig(output_dim=8, **SIZES)
CONFIG = translation.TranslationConfig(
    "t",
    translation.DataConfig(languages=("de",)),
    student=translation.StudentConfig(**SIZES),
)
BUILD = {
    "embedding": lambda: configured_encoder(SHAPE, 50),
    "classification": lambda: configured_classifier(SHAPE, 50, 3),
    "translation": lambda: configured_translator(CONFIG, 50),
}


@pytest.mark.parametrize("task", BUILD)
def test_the_same_weights_are_the_same_bytes(task, tmp_path):
    """A student resumed after a kill would have another identity than its twin.

    Keras counts the layers of a process, and a resumed run has built others before.
    """
    for name in ("first", "second"):
        keras.utils.set_random_seed(3)
        student = BUILD[task]()
        save_weights(student, tmp_path / f"{name}.weights.h5")
        save_model(student, tmp_path / f"{name}.keras")
        # As a run that is resumed at another step does.
        BUILD["embedding"]()
    for ending in ("weights.h5", "keras"):
        first, second = (tmp_path / f"{n}.{ending}" for n in ("first", "second"))
        assert first.read_bytes() == second.read_bytes(), ending
    assert not list(tmp_path.glob(".*"))


def test_the_identity_is_of_the_arrays(tmp_path):
    """Other names in the file would make the page refuse the same student's index."""
    digests = set()
    for name in ("one", "two"):
        keras.utils.set_random_seed(3)
        inputs = keras.Input((4,))
        model = keras.Model(inputs, keras.layers.Dense(2, name=name)(inputs))
        model.save_weights(tmp_path / f"{name}.weights.h5")
        digests.add(weights_digest(tmp_path / f"{name}.weights.h5"))
    model.layers[-1].kernel.assign_add(np.full((4, 2), 1e-7))
    model.save_weights(tmp_path / "three.weights.h5")
    assert len(digests) == 1
    assert weights_digest(tmp_path / "three.weights.h5") not in digests


def test_a_saved_model_file_is_read_again(tmp_path):
    """Dates are taken out of the archive; what Keras needs must stay."""
    keras.utils.set_random_seed(3)
    student = BUILD["embedding"]()
    save_model(student, tmp_path / "student.keras")
    again = keras.saving.load_model(tmp_path / "student.keras")
    for one, other in zip(student.weights, again.weights, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("save", [save_weights, save_model])
def test_a_full_disk_is_an_error_and_no_crash(save, small_disk):
    """HDF5 ends the process with a segmentation fault, when it is closed."""
    path = small_disk / "student.weights.h5"
    with pytest.raises(BabeletError, match="No space left"):
        save(BUILD["embedding"](), path)
    assert not list(small_disk.iterdir())
