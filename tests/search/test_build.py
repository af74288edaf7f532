import json

import pytest

from babelet.search.inspect import inspect
from tests.index_documents import DOCUMENTS, content, the_error, write_tsv


def test_build_then_query(run, tsv, model, tmp_path):
    """The two commands of the documentation, as they are typed."""
    index = tmp_path / "my.db"
    done = run("build", f"--model={model}", f"--input={tsv}", f"--index={index}")
    assert "12 documents read, 12 embedded" in done.stdout, done.stderr
    done = run("query", f"--index={index}", "电池", "--language=zh", "--json")
    (first, *_) = map(json.loads, done.stdout.splitlines())
    assert (first["key"], first["language"]) == ("zh-2", "zh")
    assert first["text"] == "传感器的电池电量低" and first["metadata"] == {
        "room": "cellar"
    }
    again = run("build", f"--input={tsv}", f"--index={index}")
    assert "0 embedded, 12 as before" in again.stdout, again.stderr
    done = run("build", f"--index={index}", f"--delete={tsv.resolve()}")
    assert done.stdout == "Deleted 12 documents.\n", done.stderr
    assert inspect(index)["documents"] == 0


def test_reembedding_keeps_all_but_the_vectors(
    run, tsv, model, other_model, make_index, tmp_path
):
    """The only way to another model must not lose documents, ids or metadata."""
    index = tmp_path / "my.db"
    flags = [f"--input={tsv}", f"--index={index}"]
    assert run("build", f"--model={model}", *flags).returncode == 0
    before = content(index)
    refused = the_error(run("build", f"--model={other_model}", *flags))
    assert "another model" in refused and "--reembed" in refused
    assert content(index) == before
    done = run("build", "--reembed", f"--model={other_model}", f"--index={index}")
    assert done.stdout == "Embedded all 12 documents anew.\n", done.stderr
    after = content(index)
    assert [row[:-1] for row in after] == [row[:-1] for row in before]
    assert all(a[-1] != b[-1] for a, b in zip(after, before, strict=True))
    facts = inspect(index)
    assert facts["model"] == str(other_model) and not facts["problems"]
    assert run("query", f"--index={index}", "lamp").returncode == 0
    assert not list(tmp_path.glob(".my.db.reembed*"))


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--input={tsv}"], "no model to make it with"),
        (["--model={model}"], "It is not clear what to index"),
        (["--model={model}", "--input=nowhere.tsv"], "There is no input nowhere.tsv"),
        (["--model=nowhere", "--input={tsv}"], "nowhere"),
    ],
)
def test_a_wrong_command_is_one_line(run, tsv, model, tmp_path, flags, said):
    """A traceback tells a user nothing, and an empty index is left to be found."""
    given = [flag.format(tsv=tsv, model=model) for flag in flags]
    assert said in the_error(run("build", f"--index={tmp_path / 'my.db'}", *given))


def test_two_builds_at_once(run, tsv, model, tmp_path):
    """Both would take out what the other has just put in."""
    from babelet.search.connection import locked

    with locked(tmp_path / "my.db"):
        flags = [f"--model={model}", f"--input={tsv}", f"--index={tmp_path / 'my.db'}"]
        assert "Another build is working" in the_error(run("build", *flags))


def test_inspect_tells_and_repairs(run, tsv, model, tmp_path):
    """Bits or words that are lost make answers worse, and nothing fails."""
    import apsw

    from babelet.search.connection import open_file

    index = tmp_path / "my.db"
    run("build", f"--model={model}", f"--input={tsv}", f"--index={index}")
    with open_file(index, writable=True) as connection:
        connection.execute("DELETE FROM sketches WHERE passage = 3")
        connection.execute("DELETE FROM words WHERE rowid = 4")
    connection.close()
    assert isinstance(connection, apsw.Connection)
    done = run("inspect", f"--index={index}")
    assert done.returncode == 1
    assert "PROBLEM    1 passages without a sketch" in done.stdout
    assert "PROBLEM    1 passages without words" in done.stdout
    done = run("inspect", f"--index={index}", "--repair", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["problems"] == []
    assert run("query", f"--index={index}", "电池").stdout.startswith(" 1. ")


def test_help_teaches(run):
    """Flags without an example leave a user to guess."""
    for module in ("build", "query", "inspect", "export", "mine"):
        done = run(module, "--help")
        assert f"babelet search {module} --" in done.stdout


def test_one_source_of_a_name(run, model, tmp_path):
    """A file that was moved would be indexed twice under two paths."""
    index = tmp_path / "my.db"
    flags = [f"--model={model}", f"--index={index}", "--source=home"]
    first = write_tsv(tmp_path / "a.tsv")
    second = write_tsv(tmp_path / "b.tsv", DOCUMENTS[:5])
    run("build", *flags, f"--input={first}")
    done = run("build", *flags, f"--input={second}")
    assert "0 embedded, 5 as before, 7 taken out" in done.stdout, done.stderr
