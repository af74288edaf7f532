import dataclasses
import time

import numpy as np
import pytest

from babelet.core.errors import BabeletError
from babelet.search.connection import connect
from babelet.search.documents import Document
from babelet.search.inspect import inspect
from babelet.search.lexical import WordRules
from babelet.search.searcher import Searcher
from babelet.search.store import Embedded, Store
from babelet.search.update import batches, embedded, update
from tests.index_documents import DOCUMENTS, content


def documents(rows=DOCUMENTS, source="home"):
    return [
        Document(source, key, language, text, f'{{"room": "{room}"}}')
        for key, language, text, room in rows
    ]


@pytest.fixture
def store(tmp_path, embedders):
    store = Store.create(tmp_path / "my.db", embedders[0], WordRules())
    yield store
    store.close()


def test_only_what_changed_is_embedded(store, embedders, make_index):
    """Embedding all again makes each update as slow as the first build."""
    first = documents()
    done = update(store, "home", first, embedders[1])
    assert (done.read, done.embedded, done.deleted) == (12, 12, 0)
    second = [
        dataclasses.replace(first[0], text="Turn off the lamp"),
        dataclasses.replace(first[1], metadata='{"room": "garden"}'),
        *first[3:],
        Document("home", "new", "en", "The window is closed", "{}"),
    ]
    done = update(store, "home", second, embedders[1])
    assert (done.read, done.embedded, done.deleted) == (12, 2, 1)
    assert content(store.path) == content(make_index(second, "anew.db"))
    assert inspect(store.path)["problems"] == []


def test_what_was_replaced_is_not_found_any_more(store, embedders):
    """Bits or words of the former text would answer with the new one."""
    first = documents()
    update(store, "home", first, embedders[1])
    changed = [dataclasses.replace(first[0], text="Das Dach"), *first[1:]]
    update(store, "home", changed, embedders[1])
    assert not Searcher(store.path).search("kitchen", mode="words")
    (hit,) = Searcher(store.path).search("Dach", mode="words")
    assert (hit.key, hit.text) == ("en-1", "Das Dach")


def test_another_input_stays(store, embedders):
    """Mirroring one input must not empty the index of the others."""
    update(store, "home", documents(), embedders[1])
    update(store, "work", documents(DOCUMENTS[:2], "work"), embedders[1])
    update(store, "work", documents(DOCUMENTS[:1], "work"), embedders[1])
    assert inspect(store.path)["sources"] == {"home": 12, "work": 1}


def test_two_documents_of_one_id_are_an_error(store, embedders):
    """The last would win, and each build embed both again."""
    twice = [*documents(), documents()[0]]
    with pytest.raises(BabeletError, match="has the id 'en-1' of an earlier"):
        update(store, "home", twice, embedders[1])
    assert inspect(store.path)["problems"] == []


def test_equal_rows_without_id_are_one_document(store, embedders):
    """A file with a line twice is no mistake that needs mending."""
    row = dataclasses.replace(documents()[0], key="0123", named=False)
    update(store, "home", [row, row], embedders[1])
    assert inspect(store.path)["documents"] == 1


def test_documents_without_text_are_kept_and_never_found(store, embedders):
    """The empty text has a vector near to many."""
    empty = [Document("home", k, "en", t, "{}") for k, t in (("a", ""), ("b", " \n"))]
    update(store, "home", documents(), embedders[1])
    passages = inspect(store.path)["passages"]
    update(store, "home", [*documents(), *empty], embedders[1])
    facts = inspect(store.path)
    assert (facts["documents"], facts["empty"]) == (14, 2)
    assert facts["passages"] == passages and facts["problems"] == []
    hits = Searcher(store.path).search("", top=20)
    assert not {"a", "b"} & {hit.key for hit in hits}


def test_the_centre_is_that_of_all_languages(store, embedders):
    """Bits around the mean of the first language say little about the others."""
    update(store, "home", documents(DOCUMENTS[:3]), embedders[1])
    before = connect(store.path).execute(CENTRE).get
    update(store, "home", documents(), embedders[1])
    assert connect(store.path).execute(CENTRE).get != before
    assert inspect(store.path)["problems"] == []


def test_sketches_stay_while_the_centre_is_good(store, embedders):
    """Made anew all the same, they are a wait at the end of each first build."""
    update(store, "home", documents(), embedders[1])
    store.put(embedded(documents(source="copy"), embedders[1][0]))
    before = store.connection.total_changes()
    store.renew()
    # The one is the number of passages at which the centre was found good.
    assert store.connection.total_changes() - before == 1
    assert inspect(store.path)["problems"] == []


CENTRE = "SELECT value FROM settings WHERE name = 'centre'"


def test_batches_are_limited_by_number_and_by_size():
    """A thousand long documents at once take gigabytes."""
    long = Document("home", "long", "", "x" * 700_000, "{}")
    short = Document("home", "short", "", "x", "{}")
    sizes = [len(batch) for batch in batches([long, long, long, *[short] * 1500])]
    assert sizes == [2, 1024, 477]


def test_an_update_of_all_documents_takes_the_time_of_a_build(store):
    """Asked for a set of passages, sqlite-vec read all it had, for each document."""
    vectors = np.random.default_rng(0).normal(size=(4096, 36)).astype(np.float32)
    rows = [
        Embedded(Document("h", str(i), "", f"lamp {i}", "{}"), [(0, 4)], v[None])
        for i, v in enumerate(vectors)
    ]
    times = []
    for _ in range(2):
        start = time.process_time()
        for i in range(0, len(rows), 1024):
            store.put(rows[i : i + 1024])
        times.append(time.process_time() - start)
    assert times[1] < 6 * times[0] + 0.5
    assert inspect(store.path)["problems"] == []


def test_texts_without_a_known_letter_are_counted(store, embedders):
    """They all have one vector, and nothing told."""
    khmer = [Document("home", t, "km", t, "{}") for t in ("ភាសាខ្មែរ 3", "សួស្តី", "12:30")]
    done = update(store, "home", [*documents(), *khmer], embedders[1])
    assert done.unknown_languages() == ["km"]
    assert (done.unknown["km"], done.passages["km"], done.passages["en"]) == (2, 3, 3)
