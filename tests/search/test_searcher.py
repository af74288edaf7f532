import numpy as np
import pytest

from babelet.core.errors import BabeletError
from babelet.search.connection import connect
from babelet.search.documents import Document
from babelet.search.lexical import WordRules
from babelet.search.passages import Filter
from babelet.search.quantise import to_bytes
from babelet.search.query import warnings
from babelet.search.searcher import Searcher
from babelet.search.vector_ranking import nearest
from tests.index_documents import DOCUMENTS

KITCHEN = (("room", "kitchen"),)


def documents(rows=DOCUMENTS):
    return [
        Document("home", key, language, text, f'{{"room": "{room}"}}')
        for key, language, text, room in rows
    ]


@pytest.fixture
def searcher(make_index):
    return Searcher(make_index(documents()))


@pytest.mark.parametrize("mode", ["hybrid", "vectors", "words"])
@pytest.mark.parametrize("row", [DOCUMENTS[1], DOCUMENTS[9]], ids=["en", "ja"])
def test_a_document_answers_its_own_text(searcher, mode, row):
    """A vector stored at another passage's number finds everything but the right."""
    hit = searcher.search(row[2], mode=mode)[0]
    assert (hit.key, hit.language, hit.text) == row[:3]
    assert hit.metadata == {"room": row[3]}
    assert hit.score == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize(
    ("query", "key"), [("电池", "zh-2"), ("設定", "ja-1"), ("ไฟ", "th-1")]
)
def test_two_characters_find_their_document(searcher, query, key):
    """The words' side is what finds them: FTS5's own tokenizers cannot."""
    assert [hit.key for hit in searcher.search(query, mode="words")] == [key]
    assert key in [hit.key for hit in searcher.search(query, top=5)]


@pytest.mark.parametrize("mode", ["hybrid", "vectors", "words"])
@pytest.mark.parametrize("exact", [False, True])
def test_filters_choose_before_the_ranking_ends(searcher, mode, exact):
    """Filtered afterwards, a top that has none of the language would be empty."""
    where = Filter(("de", "zh"), KITCHEN)
    hits = searcher.search("Lampe 厨房 lamp kitchen", 5, mode, where, exact)
    found = {hit.key for hit in hits}
    assert found == {"de-1", "zh-1"} if mode != "words" else found <= {"de-1", "zh-1"}


def test_a_metadata_name_is_no_path(make_index):
    """A dot or quote in a column's name would ask for another place, or fail."""
    texts = ['{"a.b": 3, "x\\"y": "z"}', '{"a": {"b": 3}}']
    index = make_index(
        [Document("home", str(i), "", f"lamp {i}", t) for i, t in enumerate(texts)]
    )
    searcher = Searcher(index)
    for name, value in (("a.b", "3"), ('x"y', "z")):
        hits = searcher.search("lamp", where=Filter(metadata=((name, value),)))
        assert [hit.key for hit in hits] == ["0"]


@pytest.fixture
def typed(make_index):
    """An index of metadata of every kind that JSON has."""
    texts = [
        '{"active": true, "n": 1, "price": 1.5, "room": "true"}',
        '{"active": false, "n": 0, "price": 2.0, "room": null}',
        '{"active": null, "n": 2, "tags": ["a", "b"]}',
        '{"score": NaN, "n": 3}',
    ]
    return Searcher(
        make_index(
            [Document("h", str(i), "", f"lamp {i}", t) for i, t in enumerate(texts)]
        )
    )


@pytest.mark.parametrize(
    ("name", "value", "keys"),
    [
        ("active", "true", {"0"}),
        ("active", "False", {"1"}),
        ("active", "null", {"2"}),
        ("room", "true", {"0"}),
        ("room", "True", set()),
        ("n", "0", {"1"}),
        ("price", "1.5", {"0"}),
        ("active", "\ud800", set()),
    ],
)
def test_metadata_is_matched_as_it_is_written(typed, name, value, keys):
    """--where=active=true found nothing, and was taken for an answer."""
    hits = typed.search("lamp", where=Filter(metadata=((name, value),)))
    assert {hit.key for hit in hits} == keys


def test_nan_in_an_index_is_null(typed):
    """A line with a bare NaN is JSON to Python alone."""
    (hit,) = typed.search("lamp", where=Filter(metadata=(("n", "3"),)))
    assert hit.metadata == {"n": 3, "score": None}


def test_five_hundred_conditions(typed):
    """SQLite's limit of an expression's depth ended the query with a traceback."""
    where = Filter(("",), (("active", "true"), ("n", "1")) * 250)
    assert [hit.key for hit in typed.search("lamp", where=where)] == ["0"]
    where = Filter(metadata=(*where.metadata, ("n", "2")))
    assert typed.search("lamp", where=where) == []


def test_a_query_of_unknown_letters_is_ranked_by_words(make_index):
    """All such texts have one vector: any answer had cosine 1.000."""
    known = [
        Document("h", str(i), "", t, "{}") for i, (_, _, t, _) in enumerate(DOCUMENTS)
    ]
    khmer = [Document("h", key, "km", t, "{}") for key, t in KHMER.items()]
    searcher = Searcher(make_index([*known, *khmer]))
    hits = searcher.search("ខ្មែរ")
    assert [hit.key for hit in hits] == ["a"] and hits[0].by_vector is None
    (line,) = warnings(searcher, "ខ្មែរ", hits)
    assert "no letter of the query" in line
    hits = searcher.search("ភាសា", mode="vectors")
    assert "no letter of 2 of" in warnings(searcher, "lamp", hits)[0]
    assert warnings(searcher, "lamp", searcher.search("kitchen", mode="words")) == []


KHMER = {"a": "ភាសាខ្មែរ", "b": "សួស្តី"}


@pytest.mark.parametrize(
    "query", ["", "  ", '"', "a AND NOT (", "\x00", "\ud800", "x" * 9999]
)
def test_any_query_is_answered(searcher, query):
    """What a user types must never be FTS5's syntax."""
    assert len(searcher.search(query)) <= 10


def test_a_long_document_answers_with_the_passage_that_fits(make_index):
    """Its vector as a whole says nothing, and its offsets must show the right place."""
    filler = "Die Haustür ist offen. Der Akku ist fast leer. " * 30
    text = f"{filler}Turn on the lamp in the kitchen. {filler}"
    searcher = Searcher(
        make_index([*documents(), Document("home", "long", "", text, "{}")])
    )
    hits = searcher.search("Turn on the lamp in the kitchen", top=3)
    (hit,) = [hit for hit in hits if hit.key == "long"]
    assert hit.text == text[hit.start : hit.stop] and "lamp in the kitchen" in hit.text
    assert [h.key for h in hits].count("long") == 1


def test_bits_find_what_comparing_all_finds(make_index, embedders):
    """A centre or an order of bits that differs between build and query is chance."""
    letters = "abcdefghijklmnopqrst"
    texts = [f"{a}{b} lamp {c}" for a in letters for b in letters for c in "xyz"]
    index = make_index([Document("h", t, "", t, "{}") for t in texts])
    connection = connect(index)
    hits = []
    for vector in embedders[1][0].encode(["Turn ab lamp", "cd ef", "lamp y", "qrs"]):
        exact, fast = (
            {n for n, _ in nearest(connection, vector, 10, Filter(), e)}
            for e in (True, False)
        )
        hits.append(len(exact & fast) / 10)
    assert len(texts) == 1200 and np.mean(hits) >= 0.8


def test_vectors_as_bytes_keep_their_direction():
    """One scale for all leaves a long vector's small components no steps."""
    vectors = np.random.default_rng(0).normal(size=(50, 384)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    quantised = to_bytes(np.concatenate([vectors, np.zeros((1, 384), np.float32)]))
    assert np.abs(quantised[:-1]).max(axis=1).tolist() == [127] * 50
    assert not quantised[-1].any()
    lengths = np.linalg.norm(quantised[:-1].astype(float), axis=1)
    cosines = (quantised[:-1] * vectors).sum(axis=1) / lengths
    assert cosines.min() > 0.9999 - 2e-4


def test_another_model_is_refused(searcher, other_model, tmp_path):
    """Vectors of two models compare to noise, and every answer looks like one."""
    with pytest.raises(BabeletError, match="another model .*--reembed"):
        Searcher(tmp_path / "my.db", other_model)


def test_stems_and_stop_words_are_those_of_the_build(make_index):
    """A query by other rules than the index's misses what it has."""
    rules = WordRules(stem=True, stop_words=True)
    searcher = Searcher(make_index(documents(), rules=rules))
    keys = [hit.key for hit in searcher.search("the lamps", mode="words")]
    assert keys[0] == "en-1"
