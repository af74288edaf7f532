import numpy as np

from babelet.data.splits import TEST
from babelet.search.connection import connect
from babelet.search.documents import Document
from babelet.search.lexical import WordRules
from babelet.search.settings import Model
from babelet.search.store import Embedded, Store
from benchmarks.search import choose, measure_build, measure_recall


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


class Letters:
    """Embeds a text as the counts of its letters."""

    max_length = 50
    encoded = 0

    def count_tokens(self, texts):
        return [len(text) for text in texts]

    def knows(self, texts):
        return [True] * len(texts)

    def encode(self, texts):
        self.encoded += len(texts)
        counts = [[text.count(letter) for letter in "abcdefgh"] for text in texts]
        vectors = np.array(counts, np.float32)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_each_build_embeds_all_documents(tmp_path):
    """A second build into the first one's file embeds nothing, and is very fast."""
    rng = np.random.default_rng(0)
    texts = ["".join(letters) for letters in rng.choice([*"abcdefgh"], (3000, 20))]
    documents = [Document("corpus", t, "", t, "{}") for t in texts]
    embedders = [Letters(), Letters()]
    model = Model(tmp_path / "none.tflite", "", "", 8)
    found = measure_build(tmp_path, model, documents, embedders)
    assert sum(each.encoded for each in embedders) == 4 * 3000
    assert found["documents"] == 3000 and len(found["seconds"]) == 4
    bare, first, second, again = found["seconds"]
    assert np.isclose(found["ratio"], (bare + again) / (first + second))
    vectors = np.fromfile(tmp_path / "vectors", np.float32).reshape(-1, 8)
    np.testing.assert_array_equal(vectors, Letters().encode(texts))
    rows = connect(tmp_path / "index.db").execute("SELECT text FROM documents")
    assert [row[0] for row in rows] == texts


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
