"""Vectors of tokens on disk: each row its own text's, whatever its batch."""

import numpy as np
import pytest

from babelet.data.context_store import ContextStore, padded

TEXTS = ["a", "a longer one", "two words", "b"]
ROWS = [7, 2, 4, 0]


def encode(texts):
    """Three numbers a character: its code, its place, and the text's length."""
    return [
        np.array([[ord(c), i, len(text)] for i, c in enumerate(text)], np.float16)
        for text in texts
    ]


@pytest.fixture
def store(tmp_path):
    return ContextStore.build(encode, ROWS, TEXTS, 3, tmp_path / "context")


def test_rows_have_the_vectors_of_their_texts(store, tmp_path):
    """Vectors of a neighbour would inform the teacher of another sentence."""
    for opened in (store, ContextStore(tmp_path / "context")):
        found = opened.padded(np.array([2, 0, 7]))
        assert found["context"].shape == (3, 12, 3)
        for row, text in enumerate(["a longer one", "b", "a"]):
            mask = found["context_mask"][row]
            assert mask.sum() == len(text) and mask[: len(text)].all()
            np.testing.assert_array_equal(
                found["context"][row][mask], encode([text])[0]
            )
            assert not found["context"][row][~mask].any()


def test_a_batch_from_disk_is_that_of_its_texts(store):
    """What is read in training and in decoding must be laid out alike."""
    stored = store.padded(np.array(ROWS))
    for name, array in padded(encode(TEXTS)).items():
        np.testing.assert_array_equal(stored[name], array)


def test_what_is_on_disk_is_not_encoded_again(store):
    """Another order, or a part of the texts, must not give another text's vectors."""
    remembered = store.remembered(TEXTS, ROWS)
    for asked in (TEXTS[::-1], TEXTS[1:3]):
        for found, expected in zip(remembered(asked), encode(asked), strict=True):
            np.testing.assert_array_equal(found, expected)
    with pytest.raises(KeyError):
        remembered(["another"])
