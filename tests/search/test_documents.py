import json
import os

import pytest

from babelet.core.errors import BabeletError
from babelet.search.document_files import document_files
from babelet.search.documents import count_documents, read_documents


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
        ("docs.tsv", b"The tank is empty.\tDer Tank ist leer.\n", "no language in"),
        ("docs.tsv", b"en\tde\nThe tank.\tDer Tank.\n", "line 2 has no language"),
        ("docs.tsv", b"Title\tNote\na\tb\n", "line 1 has no language"),
        ("docs.tsv", b"Text\ttext\na\tb\n", "two columns named 'text'"),
        ("docs.jsonl", b'{"text": "a", "language": ["de"]}', "unusable language"),
        ("docs.jsonl", b'{"text": "a", "id": {"n": 1}}', "unusable id"),
        ("docs.jsonl", b'{"text": NaN}', "line 1 has no text"),
        ("docs.jsonl", b'{"text": "a", "m": %s}' % (b"[" * 120 + b"]" * 120), "deep"),
        ("docs.parquet", b"PAR1 and no more", "Cannot read"),
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


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("docs.tsv", "ID\tText\n1\tThe door\n"),
        ("docs.tsv", "\ufeffText\t Id \nThe door\t1\n"),
        ("docs.jsonl", '{"Text": "The door", "ID": 1}\n'),
    ],
)
def test_names_of_columns_are_known_in_any_case(tmp_path, name, content):
    """The header became a document, and the texts or ids languages."""
    (tmp_path / name).write_text(content, encoding="utf-8")
    (document,) = read(tmp_path / name)
    found = document.key, document.language, document.text, document.metadata
    assert found == ("1", "", "The door", "{}")


def test_other_columns_keep_their_case(tmp_path):
    """--where=Room= would no longer find what it found."""
    (tmp_path / "docs.tsv").write_text("Text\tRoom\nThe door\tHall\n")
    (document,) = read(tmp_path / "docs.tsv")
    assert json.loads(document.metadata) == {"Room": "Hall"}


def test_what_is_no_number_is_null(tmp_path):
    """Bare NaN is no JSON, and a language "nan" was shown and filtered by."""
    row = '{"text": "a", "language": NaN, "id": NaN, "x": [NaN, -Infinity, 1e999, 1]}'
    (tmp_path / "docs.jsonl").write_text(row)
    (document,) = read(tmp_path / "docs.jsonl", language="de")
    assert document.language == "de" and not document.named
    assert document.metadata == '{"x": [null, null, null, 1]}'


def test_parquet_without_a_language(tmp_path):
    """A float column of pandas has NaN where a language is missing."""
    pyarrow = pytest.importorskip("pyarrow", reason="optional: reads Parquet")
    from pyarrow import parquet

    nan = float("nan")
    table = pyarrow.table({"Text": ["Tür"], "language": [nan], "n": [nan]})
    parquet.write_table(table, tmp_path / "docs.parquet")
    (document,) = read(tmp_path / "docs.parquet")
    assert (document.language, document.metadata) == ("", '{"n": null}')


def test_hidden_files_are_skipped_and_counted(tmp_path):
    """One ._notes.md of another system stopped the build of a whole folder."""
    (tmp_path / "notes.md").write_text("The boiler.")
    (tmp_path / "empty.txt").write_text("")
    (tmp_path / "._notes.md").write_bytes(b"\x00\x05\x16\x07\xff")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "readme.txt").write_text("not ours")
    (tmp_path / ".photo.jpg").write_bytes(b"\xff")
    assert [d.key for d in read(tmp_path)] == ["empty.txt", "notes.md"]
    assert document_files(tmp_path)[1] == 2


def test_a_name_that_is_no_utf_8(tmp_path):
    """A folder from another system ended the build with UnicodeEncodeError."""
    for byte in (b"\xe9", b"\xe8"):
        path = os.fsencode(tmp_path) + b"/caf" + byte + b".txt"
        with open(path, "w") as file:
            file.write("The door")
    assert [d.key for d in read(tmp_path)] == ["caf\\xe8.txt", "caf\\xe9.txt"]


def test_a_folder_that_cannot_be_read_is_an_error(tmp_path):
    """Its documents would be taken out of the index, as if they were gone."""
    (tmp_path / "notes.md").write_text("The boiler.")
    inner = tmp_path / "inner"
    inner.mkdir()
    inner.chmod(0)
    try:
        if os.access(inner, os.R_OK):
            pytest.skip("root may read anything")
        with pytest.raises(BabeletError, match="Cannot read the folder"):
            read(tmp_path)
    finally:
        inner.chmod(0o755)


@pytest.mark.parametrize("rows", range(1, 11))
def test_one_to_ten_rows(tmp_path, rows):
    """Few rows are what a first try has."""
    (tmp_path / "docs.tsv").write_text("Die Tür\n" * rows, encoding="utf-8")
    assert len(read(tmp_path / "docs.tsv")) == rows
