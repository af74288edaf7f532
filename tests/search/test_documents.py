import json

import pytest

from configs.errors import BabeletError
from search.documents import count_documents, read_documents


def read(path, **settings):
    return list(read_documents(path, "home", **settings))


def test_a_table_with_a_header(tmp_path):
    """A header that is not told from a row becomes a document, and shifts columns."""
    path = tmp_path / "docs.tsv"
    path.write_text("room\tid\ttext\nhall\t7\tDie Tür\n", encoding="utf-8-sig")
    (document,) = read(path, language="de")
    assert (document.key, document.language, document.text) == ("7", "de", "Die Tür")
    assert json.loads(document.metadata) == {"room": "hall"}


@pytest.mark.parametrize(
    ("line", "language"), [("The door", ""), ("en\tThe door", "en")]
)
def test_a_table_without_a_header(tmp_path, line, language):
    """Lines of text alone are what most people have."""
    path = tmp_path / "docs.tsv"
    path.write_text(f"{line}\n", encoding="utf-8")
    (document,) = read(path)
    assert (document.language, document.text) == (language, "The door")


def test_a_row_without_id_keeps_its_key_when_others_move(tmp_path):
    """Line numbers as ids would embed everything anew after one insertion."""
    path = tmp_path / "docs.tsv"
    path.write_text("The door\nThe lamp\n")
    keys = [document.key for document in read(path)]
    path.write_text("The roof\nThe lamp\nThe door\n")
    assert [document.key for document in read(path)][:0:-1] == keys


def test_json_lines_keep_what_a_table_cannot_hold(tmp_path):
    """Tabs and line breaks inside a text must not end it."""
    path = tmp_path / "docs.jsonl"
    rows = [{"id": 1, "text": "one\ttwo\nthree", "tags": ["a"]}, {"text": "\ud800"}]
    path.write_text("\n".join(json.dumps(row) for row in rows))
    first, second = read(path)
    assert first.text == "one\ttwo\nthree" and json.loads(first.metadata)["tags"]
    assert second.text == "\ufffd"


def test_parquet(tmp_path):
    """Columns read as bytes or numbers would be indexed as such."""
    pyarrow = pytest.importorskip("pyarrow", reason="optional: reads Parquet")
    from pyarrow import parquet

    table = pyarrow.table(
        {"id": [1, 2], "text": ["Tür", "灯"], "language": ["de", "zh"]}
    )
    parquet.write_table(table, tmp_path / "docs.parquet")
    found = read(tmp_path / "docs.parquet")
    assert [(d.key, d.language, d.text) for d in found] == [
        ("1", "de", "Tür"),
        ("2", "zh", "灯"),
    ]


def test_a_folder_is_read_at_any_depth_in_one_order(tmp_path):
    """The file system's order differs between machines, and so would the index."""
    (tmp_path / "b" / "c").mkdir(parents=True)
    (tmp_path / "b" / "c" / "note.md").write_text("# Note\n\nThe lamp.\n")
    (tmp_path / "a.txt").write_text("The door.")
    (tmp_path / "b" / "rows.tsv").write_text("id\ttext\n1\tThe roof\n")
    (tmp_path / "photo.jpg").write_bytes(b"\xff\xd8")
    found = [(d.key, d.text) for d in read(tmp_path)]
    assert found == [
        ("a.txt", "The door."),
        ("b/c/note.md", "# Note\n\nThe lamp."),
        ("b/rows.tsv#1", "The roof"),
    ]
    assert count_documents(tmp_path) == 4


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("docs.tsv", b"text\nFen\xeatre\n", "line 2 is not UTF-8"),
        ("docs.tsv", b"id\ttext\n1\ta\tb\n", "line 2 has another number of columns"),
        ("docs.tsv", b"1\tde\tDie Haust\xc3\xbcr\n", "does not name the columns"),
        ("docs.tsv", b"text\ttext\na\tb\n", "two columns named 'text'"),
        ("docs.jsonl", b'{"text": "a"}\n{"text": \n', "line 2 is no JSON object"),
        ("docs.jsonl", b'{"body": "a"}\n', "line 1 has no text"),
        ("docs.pdf", b"%PDF", "Nothing is known to read"),
        ("docs.tsv", b"", "has no document"),
    ],
)
def test_a_bad_input_is_one_clear_error(tmp_path, name, content, said):
    """What is skipped silently is missed only when somebody searches for it."""
    (tmp_path / name).write_bytes(content)
    with pytest.raises(BabeletError, match=said):
        read(tmp_path / name)


def test_a_missing_input(tmp_path):
    """An empty input instead would take all its documents out of the index."""
    with pytest.raises(BabeletError, match="There is no input"):
        read(tmp_path / "docs.tsv")
