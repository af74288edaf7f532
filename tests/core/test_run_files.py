"""Damaged files of a run are one line each, which names the file and what to do."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from babelet.core.errors import BabeletError
from babelet.core.run_files import read_json, write_json

DAMAGED = {
    "empty": b"",
    "truncated": b'{"steps": {"corpus": ',
    "not UTF-8": b'{"steps": "\xff\xfe"}',
    "another type": b"[1, 2]",
    "null": b"null",
    "without a key": b'{"other": 1}',
    "not a number": b'{"steps": NaN}',
    "infinite": b'{"steps": [-Infinity]}',
    "nested deep": b'{"steps": ' + b"[" * 100_000,
    "nested deep and closed": b'{"steps": ' + b"[" * 50_000 + b"]" * 50_000 + b"}",
    "zeros, as after a crash": b"\0" * 64,
    "a number of a million digits": b'{"steps": ' + b"1" * 1_000_000 + b"}",
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_damage_is_one_line_that_names_the_file(content, tmp_path):
    """A traceback from the middle of a report does not say which file to delete."""
    path = tmp_path / "manifest.json"
    path.write_bytes(content)
    with pytest.raises(BabeletError) as error:
        read_json(path, ("steps",))
    text = str(error.value)
    assert str(path) in text and "Remedy: delete it" in text
    assert "\n" not in text and len(text) < 1000


@pytest.mark.parametrize("kind", ["absent", "folder"])
def test_a_file_that_is_none_is_one_line(kind, tmp_path):
    """A run whose disk was cleaned by hand ends in a FileNotFoundError."""
    path = tmp_path / "metrics.json"
    if kind == "folder":
        path.mkdir()
    with pytest.raises(BabeletError, match="metrics.json"):
        read_json(path)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(tmp_path_factory, content):
    """The next unknown damage would be a traceback again."""
    path = tmp_path_factory.mktemp("run") / "metrics.json"
    path.write_bytes(content)
    try:
        assert isinstance(read_json(path), dict)
    except BabeletError as error:
        assert str(path) in str(error)


def test_what_a_run_wrote_is_read_as_it_is(tmp_path):
    """Strictness that refuses good files would cost a finished run its report."""
    path = tmp_path / "metrics.json"
    value = {"student": {"mean": 0.25, "none": None, "häuser": [1, 2]}}
    path.write_text(json.dumps(value), "utf-8")
    assert read_json(path, ("student",)) == value


def test_what_is_written_is_read_again(tmp_path):
    """A path that is no UTF-8 costs a run its manifest, or a failure a half file."""
    path = tmp_path / "new" / "manifest.json"
    write_json(path, {"häuser": [None, 0.25]})
    assert read_json(path) == {"häuser": [None, 0.25]} and "ä" in path.read_text()
    write_json(path, {"path": "\udcff"}, indent=2, ensure_ascii=True)
    assert read_json(path) == {"path": "\udcff"}
    with pytest.raises(TypeError):
        write_json(path, {"path": path})
    assert read_json(path) == {"path": "\udcff"} and len([*path.parent.iterdir()]) == 1
