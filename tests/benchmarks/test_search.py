import numpy as np

from benchmarks.search import choose, measure_recall
from data.splits import TEST
from search.documents import Document
from search.lexical import WordRules
from search.settings import Model
from search.store import Embedded, Store


def test_recall_counts_what_brute_force_finds(tmp_path):
    """Passages count from 1, rows from 0: one off, recall is a matter of luck."""
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(60, 16)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    model = Model(tmp_path / "none.tflite", "", "", 16)
    store = Store.create(tmp_path / "my.db", model, WordRules())
    texts = [f"text {i}" for i in range(60)]
    store.put(
        [
            Embedded(Document("s", t, "", t, "{}"), [(0, len(t))], v[None])
            for t, v in zip(texts, vectors, strict=True)
        ]
    )
    found = measure_recall(tmp_path / "my.db", vectors[:20], vectors)
    assert found["bits, then int8"] > 0.95 and found["plain int8"] > 0.95


class Corpus:
    """Six sentences of two languages; the pair of the first and fourth is held out."""

    languages = ("en", "de")
    sentences = ("a", "b", "c" * 99, "d", "e", "f")
    sentence_language = np.array([0, 0, 0, 1, 1, 1])
    pairs = np.array([(0, 3), (1, 4)])
    pair_split = np.array([TEST, 0])


class Counter:
    max_length = 50

    @staticmethod
    def count_tokens(texts):
        return [len(text) for text in texts]


def test_held_out_sentences_are_not_indexed():
    """A query that is itself in the index finds itself, and proves nothing."""
    chosen = choose(Corpus, 6, Counter)
    assert {document.text for document in chosen} == {"b", "e", "f"}
