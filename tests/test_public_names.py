"""What `import babelet` offers: its names, and the students that Keras can read."""

import subprocess
import sys

import numpy as np
import pytest

import babelet
from babelet.core.errors import BabeletError

# Token ids of one text, and where it is padded.
TEXT = {"token_ids": np.array([[1, 7, 9, 2]]), "padding_mask": np.ones((1, 4), bool)}
SHAPE = {
    "vocabulary_size": 20,
    "hidden_dim": 8,
    "num_heads": 2,
    "intermediate_dim": 16,
    "max_length": 12,
    "dropout": 0.1,
}
STARTS = {
    # Whether there is a Keras, others ask without importing it.
    "babelet first": "import babelet, importlib.util, sys\n"
    "assert importlib.util.find_spec('keras') and 'keras' not in sys.modules",
    "keras first": "import keras, babelet",
    "a module first": "import babelet.model.backbone",
}
PROGRAM = """
import keras, numpy
text = dict(numpy.load("text.npz"))
for name in ("encoder", "classifier", "translator"):
    student = keras.saving.load_model(name + ".keras")
    wanted = ["token_ids", "padding_mask"] + ["target_ids"] * (name == "translator")
    inputs = {key: text[key] for key in wanted}
    numpy.testing.assert_allclose(student(inputs), text[name], atol=1e-6)
"""


def test_every_public_name_is_there():
    """A name that is only listed fails at its first use, at a user's."""
    assert set(babelet.__all__) == {*babelet._LAZY, "__version__"}
    assert list(babelet.__all__) == sorted(babelet.__all__)
    for name in babelet._LAZY:
        assert getattr(babelet, name).__name__ == name
        assert getattr(babelet, name).__doc__
    with pytest.raises(AttributeError, match="has no attribute 'Distilller'"):
        _ = babelet.Distilller


def test_another_teacher_than_there_are_is_one_clear_error():
    """The names of teachers are in no signature."""
    with pytest.raises(BabeletError, match="one of packaged_e5, "):
        babelet.load_teacher("laser")


@pytest.fixture(scope="module")
def students(tmp_path_factory):
    """A folder with a student of each kind, and what each makes of TEXT."""
    folder = tmp_path_factory.mktemp("students")
    one = {"num_layers": 1, "pooling": "mean"}
    models = {
        "encoder": babelet.build_encoder(output_dim=4, **one, **SHAPE),
        "classifier": babelet.build_classifier(classes=3, **one, **SHAPE),
        "translator": babelet.build_translator(
            encoder_layers=1, decoder_layers=1, **SHAPE
        ),
    }
    text = TEXT | {"target_ids": np.array([[1, 5, 3]])}
    outputs = {}
    for name, model in models.items():
        inputs = text if name == "translator" else TEXT
        outputs[name] = np.asarray(model(inputs))
        model.save(folder / f"{name}.keras")
    np.savez(folder / "text.npz", **text, **outputs)
    return folder


@pytest.mark.parametrize("start", STARTS.values(), ids=STARTS)
def test_keras_reads_a_student_in_a_new_process(students, start):
    """`Could not locate class 'TokenEmbedding'`: the file is whole, and of no use."""
    ended = subprocess.run(
        [sys.executable, "-c", start + PROGRAM],
        cwd=students,
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stderr[-2000:]
