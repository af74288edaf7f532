"""Indexes as disks, other programs and accidents leave them."""

import random
import shutil

import pytest

from babelet.core.errors import BabeletError
from babelet.search.build import build, delete
from babelet.search.connection import guarded, open_file
from babelet.search.documents import Document
from babelet.search.export import export
from babelet.search.inspect import inspect, repair
from babelet.search.lexical import WordRules
from babelet.search.mine import run as mine
from babelet.search.passages import Filter
from babelet.search.reembed import reembed
from babelet.search.searcher import Searcher
from tests.index_documents import DOCUMENTS, content

# A fixed choice: page headers, cells, free space, the file's own header.
FLIPS = 50


@pytest.fixture
def index(make_index):
    rows = [(f"{key}-{i}", *rest) for i in range(4) for key, *rest in DOCUMENTS]
    return make_index(
        [
            Document("home", k, g, f"{t} {k}", f'{{"room": "{r}"}}')
            for k, g, t, r in rows
        ]
    )


def answers(index, model, folder):
    """Returns all that users get from an index."""
    searcher = Searcher(index, model)
    try:
        hits = [
            searcher.search(query, 20, exact=exact)
            for query in ("kitchen lamp", "电池")
            for exact in (False, True)
        ]
    finally:
        searcher.close()
    export(index, folder / "page.index", Filter())
    mine(index, folder / "mined.tsv", "en", False, 0.5)
    with guarded(index):
        return hits, content(index), (folder / "mined.tsv").read_bytes()


def test_a_flipped_bit_is_noticed_or_harmless(index, model, tmp_path):
    """A flipped bit of a vector or a text gave other answers, and "whole"."""
    right = answers(index, model, tmp_path)
    whole = index.read_bytes()
    chance = random.Random(0)
    places = [*range(0, 100, 4), 20, 21, *chance.sample(range(len(whole)), FLIPS)]
    copy = tmp_path / "flipped.db"
    silent = []
    for place in places:
        data = bytearray(whole)
        data[place] ^= 1 << chance.randrange(8)
        copy.write_bytes(data)
        try:
            assert answers(copy, model, tmp_path) == right, place
            if not inspect(copy)["problems"]:
                silent.append(place)
        except BabeletError as error:
            assert "Remedy: " in str(error)
    # Nothing reads a page that holds nothing.
    assert silent == []


def sql(*statements):
    """Returns a function that does to an index what SQL can."""

    def change(path):
        with open_file(path, writable=True) as connection:
            for statement in statements:
                connection.execute(statement)
        connection.close()

    return change


def bytes_of(function):
    """Returns a function that does to a file what can be done to its bytes."""
    return lambda path: path.write_bytes(function(path.read_bytes()))


DAMAGE = {
    "cut short": bytes_of(lambda data: data[: len(data) // 2]),
    "cut within a page": bytes_of(lambda data: data[:-1000]),
    "another file's end": bytes_of(lambda data: data + b"x" * 5000),
    "one page alone": bytes_of(lambda data: data[:4096]),
    "zeroed pages": bytes_of(lambda d: d[:8192] + bytes(16384) + d[24576:]),
    "text": bytes_of(lambda data: b"SQLite format 3 is what this is not.\n" * 500),
    "no settings": sql("DROP TABLE settings"),
    "no documents": sql("DROP TABLE documents"),
    "no passages": sql("DROP TABLE passages"),
    "no vectors": sql("DROP TABLE vectors"),
    "no sketches": sql("DROP TABLE sketches"),
    "no words": sql("DROP TABLE word_counts", "DROP TABLE words"),
    "a setting is missing": sql("DELETE FROM settings WHERE name = 'dim'"),
    "the width is text": sql("UPDATE settings SET value = 'x' WHERE name = 'dim'"),
    "the width is another": sql("UPDATE settings SET value = 7 WHERE name = 'dim'"),
    "the width is negative": sql("UPDATE settings SET value = -1 WHERE name = 'dim'"),
    "the model is a number": sql("UPDATE settings SET value = 3 WHERE name LIKE 'm%'"),
    "the rules are no JSON": sql("UPDATE settings SET value='{' WHERE name='words'"),
    "the rules are others": sql(
        "UPDATE settings SET value = '{\"stem\": 1}' WHERE name = 'words'"
    ),
    "the centre is text": sql("UPDATE settings SET value='x' WHERE name = 'centre'"),
    "the centre is short": sql("UPDATE settings SET value=x'00' WHERE name='centre'"),
    "texts are blobs": sql("UPDATE documents SET text = x'ff00'"),
    "metadata is a list": sql("UPDATE documents SET metadata = '[1]'"),
    "metadata is no JSON": sql("UPDATE documents SET metadata = '{'"),
    "keys are blobs": sql("UPDATE documents SET key = CAST(key AS BLOB)"),
    "hashes are text": sql("UPDATE documents SET hash = 'x'"),
    "vectors are short": sql("UPDATE vectors SET vector = x'01'"),
    "one vector is empty": sql("UPDATE vectors SET vector = x'' WHERE passage = 3"),
    "a vector is missing": sql("DELETE FROM vectors WHERE passage = 3"),
    "a document is missing": sql("DELETE FROM documents WHERE id = 3"),
    "a passage is missing": sql("DELETE FROM passages WHERE id = 3"),
    "passages are text": sql("UPDATE passages SET start = 'a', stop = 'b'"),
    "another program's": sql("PRAGMA application_id = 1"),
    "another version's": sql("PRAGMA user_version = 1"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_index_is_never_a_traceback(index, model, tsv, tmp_path, damage):
    """What nobody thought of ended every command with a traceback, or was "whole"."""
    DAMAGE[damage](index)
    page, mined = tmp_path / "page.index", tmp_path / "mined.tsv"
    rules, where = WordRules(), Filter(("de",), (("room", "hall"),))
    uses = {
        "query": lambda path: Searcher(path, model).search("kitchen lamp"),
        "exact": lambda path: Searcher(path, model).search("lamp", exact=True),
        "filtered": lambda path: Searcher(path, model).search("Tür", where=where),
        "inspect": inspect,
        "export": lambda path: export(path, page, Filter()),
        "mine": lambda path: mine(path, mined, "en", False, 1),
        "duplicates": lambda path: mine(path, mined, "en", True, 1),
        "build": lambda path: build(path, [tsv], model, "home", "", rules, 1),
        "delete": lambda path: delete(path, "home"),
        "repair": repair,
        "reembed": lambda path: reembed(path, model, 1),
    }
    said = []
    for name, use in uses.items():
        copy = tmp_path / f"{name}.db"
        shutil.copy(index, copy)
        try:
            done = use(copy)
            said += done["problems"] if name == "inspect" else []
        except BabeletError as error:
            assert "Remedy: " in str(error)
            said.append(str(error))
    assert said
