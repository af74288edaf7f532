import json

import numpy as np
import pytest

from babelet.core.errors import BabeletError
from babelet.export.web.index_file import (
    MAGIC,
    Index,
    read_header,
    to_bytes,
    write_index,
)

TEXTS = ["The door is open", "ドアが開いています", "הדלת פתוחה"]
VECTORS = np.array([[127, 0, -5], [3, -127, 9], [1, 2, 127]])
INDEX = Index("doors", TEXTS, ["en", "ja", "he"], "ab12", VECTORS)


def test_the_layout_is_the_documented_one(tmp_path):
    """Another writer or reader, made from the documentation, would read rubbish."""
    content = to_bytes(INDEX)
    assert content[:8] == b"BABELETW"
    version, length = np.frombuffer(content, "<u4", 2, 8).tolist()
    assert version == 1
    header = json.loads(content[16 : 16 + length])
    assert header["languages"] == ["en", "he", "ja"]
    assert (header["count"], header["dim"], header["model"]) == (3, 3, "ab12")
    place = -(-(16 + length) // 8) * 8
    assert np.frombuffer(content, "<u2", 3, place).tolist() == [0, 2, 1]
    place += 8
    offsets = np.frombuffer(content, "<u4", 4, place).tolist()
    place += 16
    texts = content[place : place + offsets[-1]]
    found = [texts[a:b].decode() for a, b in zip(offsets, offsets[1:], strict=False)]
    assert found == TEXTS
    place = -(-(place + offsets[-1]) // 8) * 8
    assert np.frombuffer(content, "i1", 9, place).tolist() == VECTORS.ravel().tolist()


def test_a_lone_surrogate_does_not_stop_the_export():
    """One broken text among thousands would cost the whole file."""
    assert b"?" in to_bytes(Index("x", ["a\ud800b"], ["en"]))


def test_the_header_is_read_back(tmp_path):
    """The server would refuse every index, or none."""
    write_index(tmp_path / "doors.index", INDEX)
    assert read_header(tmp_path / "doors.index")["name"] == "doors"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda content: b"", "no index for the page"),
        (lambda content: b"PK\3\4" + content[4:], "no index for the page"),
        (lambda content: content[:8] + b"\2" + content[9:], "version 2"),
        (lambda content: content[:40], "damaged"),
        (lambda content: content[:-8], "damaged"),
    ],
    ids=["empty", "a zip", "newer", "cut in the header", "cut in the vectors"],
)
def test_another_or_a_damaged_file_is_one_line(tmp_path, change, said):
    """The browser would show a RangeError of JavaScript instead."""
    path = tmp_path / "doors.index"
    path.write_bytes(change(to_bytes(INDEX)))
    with pytest.raises(BabeletError) as error:
        read_header(path)
    assert said in str(error.value) and "search export" in str(error.value)
    assert "\n" not in str(error.value)


def test_a_missing_file_is_one_line(tmp_path):
    """A traceback names no remedy."""
    with pytest.raises(BabeletError, match="No such file"):
        read_header(tmp_path / "none.index")


def header_of(content):
    """Returns an index file whose header has these bytes, its size as it says."""
    start = MAGIC + np.array([1, len(content)], "<u4").tobytes() + content
    return start + b"\0" * (-len(start) % 8)


@pytest.mark.parametrize(
    "header",
    [
        b"[" * 100_000,
        b"[]",
        b"null",
        b"\xff\xfe",
        b"{}",
        b'{"bytes": "0"}',
        b'{"bytes": 0, "name": "x", "model": "", "languages": [], "count": 0}',
        b'{"bytes":0,"name":"x","model":"","languages":[],"count":0,"dim":"x"}',
        b'{"bytes":1e400,"name":"x","model":"","languages":[],"count":0,"dim":0}',
    ],
    ids=lambda header: header[:30],
)
def test_a_header_that_is_another_is_one_line(header, tmp_path):
    """The page's server ended in a KeyError or a RecursionError."""
    path = tmp_path / "my.index"
    path.write_bytes(header_of(header))
    with pytest.raises(BabeletError, match="damaged"):
        read_header(path)
