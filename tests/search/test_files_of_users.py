"""Nothing is removed or written over that an index's commands did not make."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from babelet.core.errors import BabeletError
from babelet.search.build import build, delete
from babelet.search.connection import connect, guarded, locked, open_file
from babelet.search.documents import Document
from babelet.search.export import export
from babelet.search.inspect import inspect, repair
from babelet.search.lexical import WordRules
from babelet.search.mine import run as mine
from babelet.search.passages import Filter
from babelet.search.reembed import reembed
from babelet.search.searcher import Searcher
from tests.index_documents import DOCUMENTS, content, the_error, write_tsv

RULES = WordRules()


@pytest.fixture
def index(make_index):
    return make_index([Document("home", k, g, t, "{}") for k, g, t, _ in DOCUMENTS])


@pytest.mark.parametrize(
    "rows", [None, "text\nFen\udcea\n", "The tank\tDer Tank\n"], ids=str
)
def test_a_build_that_fails_leaves_no_index(tmp_path, model, rows):
    """An index without documents was found later, and answered nothing."""
    tsv, index = tmp_path / "docs.tsv", tmp_path / "new" / "my.db"
    if rows:
        tsv.write_text(rows, errors="surrogateescape")
    with pytest.raises(BabeletError):
        build(index, [tsv], model, "", "", RULES, 1)
    assert not list(index.parent.glob("my.db*"))


def test_a_build_that_fails_keeps_what_it_stored(tmp_path, model, tsv):
    """What the first input needed an hour for would be embedded again."""
    index = tmp_path / "my.db"
    with pytest.raises(BabeletError, match="There is no input"):
        build(index, [tsv, tmp_path / "gone.tsv"], model, "", "", RULES, 1)
    assert inspect(index)["documents"] == 12


def test_an_empty_file_of_the_user_stays(tmp_path, model):
    """Mktemp makes the file before the build: a failed one removed it."""
    index = tmp_path / "my.db"
    index.touch()
    with pytest.raises(BabeletError):
        build(index, [tmp_path / "gone.tsv"], model, "", "", RULES, 1)
    assert index.exists()


@pytest.mark.parametrize("purpose", ["reembed", "repair"])
def test_a_file_beside_that_is_not_ours_stays(index, model, other_model, purpose):
    """Its name alone was reason enough to delete it."""
    beside = index.with_name(f".my.db.{purpose}")
    beside.write_text("my notes")
    before = content(index)
    with pytest.raises(BabeletError, match="in the way"):
        if purpose == "repair":
            repair(index)
        else:
            reembed(index, other_model, 1)
    assert beside.read_text() == "my notes" and content(index) == before


def test_a_damaged_page_of_bits_is_repaired(index, model):
    """Repairing read the very page that cannot be read."""
    whole = index.read_bytes()
    hits = Searcher(index, model).search("kitchen lamp")
    with open_file(index, writable=False) as connection:
        (bits,) = connection.execute("SELECT vectors FROM sketches_vector_chunks00")
    place = whole.index(bytes(bits[0])[:40])
    data = bytearray(whole)
    data[place] ^= 1
    index.write_bytes(data)
    with pytest.raises(BabeletError, match="--repair"):
        Searcher(index, model).search("kitchen lamp")
    assert inspect(index)["problems"]
    repair(index)
    assert inspect(index)["problems"] == []
    assert Searcher(index, model).search("kitchen lamp") == hits
    assert not list(index.parent.glob(".my.db.repair*"))


@pytest.mark.parametrize("use", [repair, lambda p: delete(p, "x"), inspect])
def test_a_wrong_path_makes_nothing(tmp_path, use):
    """A lock was left in a folder that a typing error had made."""
    with pytest.raises(BabeletError, match="There is no index"):
        use(tmp_path / "wrong" / "my.db")
    assert not list(tmp_path.iterdir())


def test_a_link_has_the_lock_of_its_file(index, model, tsv):
    """Two builds by two names of one index would undo each other."""
    link = index.with_name("link.db")
    link.symlink_to(index)
    with locked(index), pytest.raises(BabeletError, match="Another build"):
        build(link, [tsv], model, "", "", RULES, 1)


WRITERS = {
    "mine": lambda index, output: mine(index, output, "en", False, 0),
    "export": lambda index, output: export(index, output, Filter()),
}


@pytest.mark.parametrize("writer", WRITERS.values(), ids=WRITERS)
def test_an_output_never_replaces_the_index(index, writer):
    """--output=my.db by mistake cost the whole index."""
    link = index.with_name("page.index")
    link.symlink_to(index)
    before = content(index)
    for output in (index, link):
        with pytest.raises(BabeletError, match="is the index"):
            writer(index, output)
    with pytest.raises(BabeletError, match="is a folder"):
        writer(index, index.parent)
    assert content(index) == before


@pytest.mark.parametrize("writer", WRITERS.values(), ids=WRITERS)
def test_an_output_that_cannot_be_written(index, small_disk, writer):
    """A traceback, and half a file that looks like a whole one."""
    with pytest.raises(BabeletError, match="Cannot write"):
        writer(index, index / "inner" / "out")
    with pytest.raises(BabeletError, match="Cannot write"):
        writer(index, Path("/proc/out"))
    free = os.statvfs(small_disk)
    (small_disk / "full").write_bytes(bytes(free.f_bavail * free.f_bsize))
    with pytest.raises(BabeletError, match="No space left"):
        writer(index, small_disk / "out")
    assert [path.name for path in small_disk.iterdir()] == ["full"]


HOLDER = """
import fcntl, os, sys, time
folder = os.open(sys.argv[1], os.O_RDONLY)
fcntl.flock(folder, fcntl.LOCK_EX)
print("held", flush=True)
time.sleep(0.5)
"""


def test_two_that_write_one_file_take_turns(index):
    """One renamed what the other had half written."""
    command = [sys.executable, "-c", HOLDER, str(index.parent)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as holder:
        holder.stdout.readline()
        start = time.monotonic()
        assert export(index, index.with_name("page.index"), Filter())
        assert time.monotonic() - start > 0.2


def test_names_that_are_no_utf_8(tmp_path, model):
    """A folder from another system ended the build with UnicodeEncodeError."""
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    folder.mkdir()
    tsv, index = write_tsv(folder / "docs.tsv"), folder / "my.db"
    build(index, [tsv], model, "", "", RULES, 1)
    assert build(index, [tsv], None, "", "", RULES, 1).embedded == 0
    (source,) = inspect(index)["sources"]
    assert source.endswith("caf\\xe9/docs.tsv")
    assert delete(index, source) == 12
    with guarded(index):
        assert connect(index).execute("SELECT count(*) FROM passages").get == 0


def test_the_home_folder_hidden_files_and_dashes(run, model, tmp_path, monkeypatch):
    """A folder named "~"; a build that one ._notes.md stops; "flags error"."""
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.md").write_text("The heating is off.")
    (tmp_path / "notes" / "._a.md").write_bytes(b"\0\xff")
    (tmp_path / "notes" / "b.tsv").write_text("km\tភាសាខ្មែរ\n", encoding="utf-8")
    done = run("build", f"--model={model}", "--input=~/notes", "--index=~/my.db")
    assert "2 documents read" in done.stdout, done.stderr
    assert "1 hidden files skipped" in done.stdout
    assert "warning: the model knows no letter of 1 of 1 passages in km" in done.stderr
    assert (tmp_path / "my.db").is_file()
    done = run("query", f"--index={tmp_path / 'my.db'}", "-heating")
    assert done.returncode == 1 and "put -- before a query" in done.stderr
    done = run("query", f"--index={tmp_path / 'my.db'}", "--", "-heating")
    assert "The heating is off." in done.stdout, done.stderr
    message = the_error(run("query", f"--index={tmp_path / 'no.db'}", "heating"))
    assert "There is no index" in message
