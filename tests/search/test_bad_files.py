import os
import shutil
import subprocess

import pytest

from babelet.core.errors import BabeletError
from babelet.search.documents import Document
from babelet.search.inspect import inspect
from babelet.search.searcher import Searcher
from babelet.search.store import Store
from tests.index_documents import DOCUMENTS, content, the_error, write_tsv


@pytest.fixture
def index(make_index):
    return make_index([Document("home", k, g, t, "{}") for k, g, t, _ in DOCUMENTS])


def test_a_full_disk_loses_nothing(run, small_disk, model, tmp_path):
    """Half a transaction on a full disk would be a damaged index."""
    rows = [
        (f"id-{i}", "en", f"{text} {i}", "")
        for i in range(600)
        for _, _, text, _ in DOCUMENTS[:3]
    ]
    rows = [(f"{key}-{n}", *rest) for n, (key, *rest) in enumerate(rows)]
    tsv = write_tsv(tmp_path / "many.tsv", rows)
    flags = [f"--model={model}", f"--index={small_disk / 'my.db'}", "--threads=1"]
    few = write_tsv(tmp_path / "few.tsv")
    assert run("build", *flags, f"--input={few}").returncode == 0
    before = content(small_disk / "my.db")
    assert "No space left on the disk" in the_error(
        run("build", *flags, f"--input={tsv}")
    )
    facts = inspect(small_disk / "my.db")
    assert facts["problems"] == []
    assert set(before) <= set(content(small_disk / "my.db"))
    assert Searcher(small_disk / "my.db").search("lamp")
    remount = ["mount", "-o", "remount,size=20m", str(small_disk)]
    subprocess.run(remount, check=True)
    done = run("build", *flags, f"--input={tsv}")
    assert "1,800 documents read" in done.stdout, done.stderr
    assert inspect(small_disk / "my.db")["documents"] == 1812


def test_a_damaged_file(index, run, tsv):
    """A traceback, or answers from half a file."""
    data = bytearray(index.read_bytes())
    data[4096:40960] = os.urandom(36864)
    index.write_bytes(data)
    done = run("inspect", f"--index={index}")
    assert "PROBLEM    SQLite" in done.stdout or "damaged" in the_error(done)
    assert "damaged" in the_error(run("query", f"--index={index}", "lamp"))
    assert bytes(data) == index.read_bytes()


@pytest.mark.parametrize("module", ["query", "build", "inspect"])
@pytest.mark.parametrize(
    ("data", "said"),
    [(b"no database" * 999, "damaged, or no SQLite file"), (None, "There is no index")],
)
def test_no_index_at_all(run, tmp_path, tsv, model, module, data, said):
    """A build over a user's other file would destroy it."""
    path = tmp_path / "my.db"
    if data:
        path.write_bytes(data)
    arguments = {"query": ["lamp"], "build": [f"--input={tsv}", f"--model={model}"]}
    done = run(module, f"--index={path}", *arguments.get(module, []))
    if module == "build" and not data:
        assert done.returncode == 0
        return
    assert said in the_error(done)
    assert not data or path.read_bytes() == data


def test_another_programs_database(run, tmp_path, tsv, model):
    """Tables of ours among a browser's history would be hard to get out again."""
    import sqlite3

    path = tmp_path / "history.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE visits (url)")
    connection.close()
    before = path.read_bytes()
    flags = [f"--input={tsv}", f"--model={model}", f"--index={path}"]
    assert "no index of Babelet" in the_error(run("build", *flags))
    assert path.read_bytes() == before


def test_a_read_only_file_answers_and_does_not_change(index, model, tsv, tmp_path):
    """A CD or a shared folder: SQLite wants to write beside the file even to read."""
    folder = tmp_path / "shared"
    folder.mkdir()
    shutil.copy(index, folder / "my.db")
    (folder / "my.db").chmod(0o444)
    folder.chmod(0o555)
    if os.geteuid() == 0:
        if not shutil.which("setpriv"):
            pytest.skip("root may write anywhere")
    user = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    # The user nobody may not look into a private folder.
    try:
        assert _as_nobody(user, folder / "my.db", "read") == "12"
        assert "Cannot open or write" in _as_nobody(user, folder / "my.db", "write")
    finally:
        folder.chmod(0o755)
    assert (folder / "my.db").read_bytes() == index.read_bytes()


SCRIPT = """
import sys
from pathlib import Path
from babelet.core.errors import BabeletError
from babelet.search.connection import connect
from babelet.search.store import Store

path = Path(sys.argv[1])
try:
    if sys.argv[2] == "read":
        print(connect(path).execute("SELECT count(*) FROM documents").get)
    else:
        store = Store.open(path)
        store.delete([1])
except BabeletError as error:
    print(error)
"""


def _as_nobody(user, path, what):
    import sys

    for parent in path.parents[1:-1]:
        parent.chmod(parent.stat().st_mode | 0o111)
    prefix = user if os.geteuid() == 0 else []
    command = [*prefix, sys.executable, "-c", SCRIPT, str(path), what]
    done = subprocess.run(command, capture_output=True, text=True)
    assert not done.stderr, done.stderr
    return done.stdout.strip()


def test_a_document_of_a_megabyte(make_index):
    """Cut at the model's length, all but its first sentence would be lost."""
    text = (
        "The door is open. Der Akku ist leer.\n" * 13_000 + "turn on the kitchen lamp"
    )
    long = [Document("home", "long", "en", "x" * 600_000 + text, "{}")]
    path = make_index(long)
    facts = inspect(path)
    assert facts["problems"] == [] and facts["passages"] > 10_000
    (hit,) = Searcher(path).search("kitchen", mode="words")
    assert hit.text.endswith("turn on the kitchen lamp")
    assert hit.stop == len(long[0].text)


def test_invalid_text_in_one_file_keeps_what_there_was(run, index, tmp_path, model):
    """A build that fails on line 1000 must not take the other documents out."""
    flags = [f"--model={model}", f"--index={tmp_path / 'new.db'}", "--source=home"]
    tsv = write_tsv(tmp_path / "docs.tsv")
    run("build", *flags, f"--input={tsv}")
    before = content(tmp_path / "new.db")
    tsv.write_bytes(b"id\ttext\nen-1\tThe \xff lamp\n")
    message = the_error(run("build", *flags, f"--input={tsv}"))
    assert "line 2 is not UTF-8" in message
    assert content(tmp_path / "new.db") == before


def test_a_model_that_is_gone(index, model):
    """The index names a path; the error has to name the flag."""
    store = Store.open(index)
    store.connection.execute(
        "UPDATE settings SET value = '/gone' WHERE name = 'model_path'"
    )
    store.close()
    with pytest.raises(BabeletError, match="--model"):
        Searcher(index)
    assert Searcher(index, model).search("lamp")
