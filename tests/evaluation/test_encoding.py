import numpy as np
import pytest

from babelet.core.errors import BabeletError
from babelet.evaluation.encoding import EncodedOnce, encode_once


def test_no_text_reaches_the_model_twice():
    """Prevents a slow model from encoding the English side once per language."""
    seen = []

    def predict(texts):
        seen.extend(texts)
        return np.array([[len(text), 1.0] for text in texts])

    encode = encode_once(EncodedOnce(predict, chunk=2))
    first = encode(["lamp", "door", "lamp", "window"])
    again = encode(["window", "garage", "lamp"])
    assert seen == ["lamp", "door", "window", "garage"]
    np.testing.assert_array_equal(first[0], first[2])
    np.testing.assert_array_equal(again[0], first[3])
    np.testing.assert_array_equal(again[2], first[0])


def test_vectors_come_back_at_unit_length():
    """Prevents an int8 model's slightly longer rows from winning by length."""
    encode = encode_once(lambda texts: np.array([[3.0, 4.0]] * len(texts)))
    np.testing.assert_allclose(encode(["lamp"]), [[0.6, 0.8]], rtol=1e-6)


def test_nothing_to_encode_is_an_empty_array():
    """Prevents a crash on a language without held-out pairs."""
    assert encode_once(lambda texts: np.ones((0, 4)))([]).shape == (0, 0)


def test_a_vector_that_is_not_finite_names_its_text():
    """Prevents a broken model from being reported as a merely bad one."""
    encode = encode_once(lambda texts: np.array([[1.0], [np.nan]]))
    with pytest.raises(BabeletError, match="'door' is not finite.*1 of 2 texts"):
        encode(["lamp", "door"])


def test_a_vector_missing_is_an_error():
    """Prevents texts and vectors from sliding against each other."""
    with pytest.raises(BabeletError, match=r"Expected: \(2, dim\).*Received: \(1, 3\)"):
        encode_once(lambda texts: np.ones((1, 3)))(["lamp", "door"])
