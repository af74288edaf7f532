import threading
import time

import apsw
import pytest

from babelet.search.connection import connect, is_index
from babelet.search.documents import Document
from babelet.search.inspect import inspect
from babelet.search.lexical import WordRules
from babelet.search.store import Store
from babelet.search.update import update
from tests.index_documents import DOCUMENTS, content, write_tsv


@pytest.fixture
def many():
    """Enough documents for several transactions."""
    return [
        (f"{key}-{i}", language, f"{text} {i}", room)
        for i in range(900)
        for key, language, text, room in DOCUMENTS
    ]


def test_ten_kills_leave_what_one_build_leaves(run, many, model, tmp_path):
    """A document embedded but not stored, or stored without its words, stays lost."""
    tsv = write_tsv(tmp_path / "docs.tsv", many)
    flags = [f"--model={model}", f"--input={tsv}", "--source=home"]
    index = tmp_path / "killed.db"
    stored = []
    for i in range(10):
        process = run("build", *flags, f"--index={index}", wait=False)
        # At another moment each time; every second one after something was stored.
        _wait_for(index, process, max(stored, default=0) + 1 if i % 2 else 0)
        time.sleep(0.02 * i)
        process.kill()
        process.communicate()
        if _documents(index) >= 0:
            assert inspect(index)["problems"] == []
        stored.append(_documents(index))
    assert stored == sorted(stored)
    assert any(0 < count < len(many) for count in stored), stored
    assert run("build", *flags, f"--index={index}").returncode == 0
    whole = tmp_path / "whole.db"
    assert run("build", *flags, f"--index={whole}").returncode == 0
    assert content(index) == content(whole)
    assert inspect(index)["problems"] == []


def _wait_for(index, process, documents):
    """Waits until the index has so many documents, or the process has ended."""
    end = time.monotonic() + 30
    while _documents(index) < documents and process.poll() is None:
        assert time.monotonic() < end
        time.sleep(0.01)


def _documents(index):
    """Returns how many documents are stored, -1 before there are tables."""
    if not is_index(index):
        return -1
    connection = connect(index)
    count = connection.execute("SELECT count(*) FROM documents").get
    connection.close()
    return count


def test_readers_see_whole_transactions_during_a_build(tmp_path, many, embedders):
    """A reader that is locked out, or sees a passage without its vector."""
    store = Store.create(tmp_path / "my.db", embedders[0], WordRules())
    documents = [Document("home", k, g, t, "{}") for k, g, t, _ in many]
    seen, errors = [], []
    done = threading.Event()

    def read():
        while not done.is_set():
            try:
                connection = connect(tmp_path / "my.db")
                with connection:
                    seen.append(
                        connection.execute(
                            "SELECT (SELECT count(*) FROM documents), "
                            "(SELECT count(*) FROM passages), "
                            "(SELECT count(*) FROM vectors), "
                            "(SELECT count(*) FROM words_docsize)"
                        ).fetchone()
                    )
                connection.close()
            except apsw.Error as error:
                errors.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    update(store, "home", documents, embedders[1])
    done.set()
    reader.join()
    store.close()
    assert not errors
    assert len({row[0] for row in seen}) > 2
    assert all(row[1] == row[2] == row[3] for row in seen)
    assert all(row[0] <= row[1] for row in seen)


def test_a_kill_while_all_is_embedded_anew(run, many, model, other_model, tmp_path):
    """Vectors of two models in one index cannot be told apart."""
    index = tmp_path / "my.db"
    tsv = write_tsv(tmp_path / "docs.tsv", many[:3000])
    flags = [f"--model={model}", f"--input={tsv}", f"--index={index}"]
    assert run("build", *flags).returncode == 0
    before = content(index)
    anew = ["--reembed", f"--model={other_model}", f"--index={index}"]
    beside = tmp_path / ".my.db.reembed"
    process = run("build", *anew, wait=False)
    _wait_for(beside, process, 1)
    process.kill()
    process.communicate()
    assert content(index) == before
    assert run("build", *anew).returncode == 0
    facts = inspect(index)
    assert facts["model"] == str(other_model) and facts["problems"] == []
    assert facts["documents"] == 3000 and not beside.exists()
