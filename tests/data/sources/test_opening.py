"""Files are opened, and their bytes bounded, in one place."""

import gzip
import lzma
import os
import tracemalloc

import pytest

from babelet.configs.embedding import DataConfig
from babelet.core.errors import BabeletError
from babelet.data.sources import opening, parallel_files
from babelet.data.sources.opening import encoding_named, lines, opened, whole


@pytest.mark.parametrize(("ending", "compress"), [("gz", gzip), ("xz", lzma)])
def test_a_small_file_cannot_fill_the_memory(tmp_path, ending, compress):
    """Of 13 MB become 6 GB, and the machine swaps or the run is killed."""
    path = tmp_path / f"a.tsv.{ending}"
    path.write_bytes(compress.compress(b"a" * (opening.UNPACKED // 2)))
    tracemalloc.start()
    with pytest.raises(
        BabeletError, match=rf"a\.tsv\.{ending}, line 1 is longer than 16"
    ):
        list(lines(str(path)))
    assert tracemalloc.get_traced_memory()[1] < 4 * opening.MAX_LINE
    tracemalloc.stop()


def test_a_file_unpacks_to_no_more_than_text_does(tmp_path, monkeypatch):
    """Short lines without end fill the disk with a corpus."""
    monkeypatch.setattr(opening, "UNPACKED", 1 << 20)
    path = tmp_path / "a.po.gz"
    path.write_bytes(gzip.compress(b"Lamp\tLampe\n" * 200_000))
    message = r"a\.po\.gz unpacks to more than 1 MB.*Remedy: .*gunzip"
    for read in (lambda: list(lines(str(path))), lambda: whole(str(path))):
        with pytest.raises(BabeletError, match=message):
            read()
    with opened(str(path)) as file, pytest.raises(BabeletError, match=message):
        file.seek(0, os.SEEK_END)
    monkeypatch.setattr(opening, "UNPACKED_RATIO", 1000)
    assert sum(1 for _ in lines(str(path))) == 200_000
    with opened(str(path)) as file:
        assert file.seek(-6, os.SEEK_END) and file.read() == b"Lampe\n"


def test_a_line_of_the_longest_text_is_read_and_a_longer_one_named(tmp_path):
    """An image under a wrong name is read into memory as one line."""
    path = tmp_path / "a.txt"
    path.write_bytes(b"Lamp\n" + b"a" * (opening.MAX_LINE - 1) + b"\n")
    assert [len(text) for _, text in lines(str(path))] == [4, opening.MAX_LINE - 1]
    path.write_bytes(b"Lamp\n" + b"a" * (opening.MAX_LINE + 1))
    with pytest.raises(BabeletError, match=r"a\.txt, line 2 is longer.*line ends"):
        list(lines(str(path)))


def test_what_must_be_read_at_once_has_a_size(tmp_path, monkeypatch):
    monkeypatch.setattr(opening, "MAX_WHOLE", 10)
    (tmp_path / "a.po").write_bytes(b"a" * 10)
    assert len(whole(str(tmp_path / "a.po"))) == 10
    (tmp_path / "a.po").write_bytes(b"a" * 11)
    with pytest.raises(BabeletError, match=r"a\.po is too large.*split"):
        whole(str(tmp_path / "a.po"))


def test_a_folder_is_answered_with_what_to_name(tmp_path):
    """The advice is to copy the file again."""
    (tmp_path / "texts.tsv").mkdir()
    with pytest.raises(BabeletError, match=r"texts\.tsv.*Remedy: name.*texts\.tsv/\*"):
        list(lines(str(tmp_path / "texts.tsv")))


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("utf8", "utf-8"),
        ("US-ASCII", "utf-8"),
        ("GB2312", "gb18030"),
        ("SJIS", "cp932"),
        ("KS_C_5601-1987", "cp949"),
        *((x, "") for x in ("x-foo", "zip", "hex", "idna", "unicode_escape", "é", "")),
    ],
)
def test_an_encoding_is_known_by_its_names(name, wanted):
    """Python decodes by codecs that are none of text, or raises what is no answer."""
    if wanted:
        assert encoding_named(name, "a.po") == wanted
    else:
        with pytest.raises(BabeletError, match=r"a\.po names an encoding.*UTF-8"):
            encoding_named(name, "a.po")


def read(*files):
    config = DataConfig(source="parallel_files", files=files, languages=("de",))
    return list(parallel_files.pairs(config, None))


def test_the_home_folder_is_meant_by_its_sign(tmp_path, monkeypatch):
    """The shell replaces it only where a word begins, and not after data.files=."""
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "a.tsv").write_text("Lamp\tLampe\n")
    (tmp_path / "de.txt").write_text("Lampe an\n")
    rows = read("~/*.tsv", "~/{language}.txt")
    assert [row.text for row in rows] == ["Lampe", "Lampe an"]
    with pytest.raises(BabeletError, match=rf"no file {tmp_path}/b\.tsv"):
        read("~/b.tsv")


def test_a_name_that_is_not_utf8_is_read_and_named(tmp_path):
    """Files from old disks end in an error of encoding in the middle of the run."""
    name = os.fsdecode(os.fsencode(tmp_path) + b"/K\xfcche.tsv")
    with open(name, "w") as file:
        file.write("Lamp\tLampe\n")
    assert [row.text for row in read(f"{tmp_path}/*.tsv")] == ["Lampe"]
    with open(name, "w") as file:
        file.write("Lamp\n")
    with pytest.raises(BabeletError, match="no usable row"):
        read(name)
