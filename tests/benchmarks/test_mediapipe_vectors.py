import pytest

from babelet.core.errors import BabeletError
from benchmarks.mediapipe_vectors import mediapipe_vectors


def test_a_file_that_is_no_model_is_one_line_with_the_remedy(tmp_path):
    """MediaPipe's own words are a traceback of its insides."""
    path = tmp_path / "model.tflite"
    path.write_bytes(b"not a model")
    with pytest.raises(BabeletError, match="MediaPipe does not run .* Remedy: ") as e:
        mediapipe_vectors(path, ["lamp"])
    assert "\n" not in str(e.value)


def test_a_process_that_does_not_end_is_given_up(tmp_path):
    """After an error MediaPipe can wait for itself, and the test run with it."""
    with pytest.raises(BabeletError, match="no end after 0 s"):
        mediapipe_vectors(tmp_path / "model.tflite", ["lamp"], seconds=0.05)
