"""Text of one's own: every row is read once, and a broken file is named."""

import gzip
import lzma

import pytest

from babelet.configs.embedding import DataConfig
from babelet.core.errors import BabeletError
from babelet.data.sources import SOURCES, formats, parallel_files

ROWS = "de\tTurn on the lamp\tSchalte die Lampe ein\nfi\tOpen the door\tAvaa ovi\n"


def settings(*files, languages=("de", "fi"), **others):
    return DataConfig(
        source="parallel_files",
        files=tuple(map(str, files)),
        languages=languages,
        **others,
    )


def read(*files, **others):
    config = settings(*files, **others)
    return list(SOURCES[config.source](config, None))


def digests(*files, **others):
    return parallel_files.digests(settings(*files, **others))


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "home.tsv"
    path.write_text(ROWS, "utf-8")
    return path


def test_rows_come_in_order_with_their_place(file):
    """A line number that is off by one sends users to the wrong row."""
    assert [row[:6] for row in read(file)] == [
        (str(file), 1, "de", "Turn on the lamp", "Schalte die Lampe ein", ""),
        (str(file), 2, "fi", "Open the door", "Avaa ovi", ""),
    ]


@pytest.mark.parametrize(("ending", "compress"), [("gz", gzip), ("xz", lzma)])
def test_compressed_files_give_the_same_rows(file, ending, compress):
    """Compressed bytes taken for text are no UTF-8, or worse, are."""
    packed = file.with_name(f"home.tsv.{ending}")
    packed.write_bytes(compress.compress(ROWS.encode()))
    assert [row[1:6] for row in read(packed)] == [row[1:6] for row in read(file)]
    packed.write_bytes(packed.read_bytes()[:-20])
    with pytest.raises(BabeletError, match=rf"home\.tsv\.{ending}.*Expected.*Remedy"):
        read(packed)


def test_windows_files_are_read_alike(file):
    """A byte order mark would make the first row's language one of its own."""
    file.write_bytes(b"\xef\xbb\xbf" + ROWS.replace("\n", "\r\n").encode())
    assert [row.text for row in read(file)] == ["Schalte die Lampe ein", "Avaa ovi"]


def test_a_malformed_row_is_rejected_by_itself(file):
    """One stray tab in a million rows must not end the run, nor vanish."""
    file.write_text(ROWS + "de\tno translation\n\nde\tone\tzwei\tdrei\n", "utf-8")
    problems = [(row.line, row.problem) for row in read(file) if row.problem]
    assert problems == [(3, "columns"), (4, "columns"), (5, "columns")]


def test_rows_of_other_languages_are_left_out(file):
    assert [row.language for row in read(file, languages=("fi",))] == ["fi"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"home\.tsv has no usable row.*Expected.*an empty file.*Remedy"),
        (b"de,lamp,Lampe\nde,a,b\n", r"home\.tsv, line 1 has no usable.*columns"),
        (b"sv\tlamp\tlampa\n", r"has no usable row.* in de fi.*languages sv"),
        (
            ROWS.encode() + b"de\tdoor\tT\xfcr\n",
            r"line 3 is not UTF-8.*0xfc at byte 10",
        ),
    ],
)
def test_a_file_of_another_kind_is_one_clear_error(file, content, message):
    """A whole file rejected row by row would train on what little is left."""
    file.write_bytes(content)
    with pytest.raises(BabeletError, match=message):
        read(file)


def test_missing_files_and_languages_are_named(file):
    with pytest.raises(BabeletError, match=r"no file absent\.tsv.*relative to"):
        read(file, "absent.tsv")
    with pytest.raises(BabeletError, match=r"no language 'fr'.*one of de fi"):
        read(file, languages=("de", "fr"))
    with pytest.raises(BabeletError, match=r"has no files.*data\.files="):
        read()


def test_a_digest_follows_the_content(file):
    """A corrected file that keeps its name must be read again."""
    before = digests(file)
    assert digests(file) == before
    file.write_text(ROWS.replace("Lampe", "Leuchte"), "utf-8")
    assert digests(file) != before
    with pytest.raises(BabeletError, match=r"no file absent\.tsv"):
        digests("absent.tsv")


def test_a_digest_knows_both_sides_of_a_moses_pair(tmp_path):
    """The pivot's file is corrected, and the run goes on with the old sentences."""
    (tmp_path / "home.en").write_text("Turn on the lamp\n", "utf-8")
    (tmp_path / "home.de").write_text("Schalte die Lampe ein\n", "utf-8")
    before = digests(tmp_path / "home.de")
    (tmp_path / "home.en").write_text("Turn the lamp on\n", "utf-8")
    assert digests(tmp_path / "home.de") != before


def test_globs_and_languages_in_paths_find_each_file_once(tmp_path, monkeypatch):
    """A file read twice doubles its weight; a glob that matches nothing is lost."""
    monkeypatch.chdir(tmp_path)
    for name in ("b.tsv", "a.tsv", "c [1].tsv"):
        (tmp_path / name).write_text(ROWS, "utf-8")
    found = [row.origin for row in read("b.tsv", "*.tsv", "c [1].tsv")]
    assert found == ["b.tsv"] * 2 + ["a.tsv"] * 2 + ["c [1].tsv"] * 2
    for language, text in (("de", "Lampe an"), ("fi", "Lamppu")):
        (tmp_path / f"{language}.two.tsv").write_text(f"Lamp\t{text}\n", "utf-8")
    rows = [(row.language, row.text) for row in read("{language}.two.tsv")]
    assert rows == [("de", "Lampe an"), ("fi", "Lamppu")]
    with pytest.raises(BabeletError, match=r"no file like \*\.tmx.*working directory"):
        read("*.tmx")
    with pytest.raises(BabeletError, match=r"no file sv\.two\.tsv"):
        read("{language}.two.tsv", languages=("de", "sv"))


def test_a_name_that_tells_no_format_is_one_clear_error(tmp_path):
    """A spreadsheet read as lines of text is rejected row by row."""
    (tmp_path / "home.xlsx").write_bytes(b"PK")
    with pytest.raises(
        BabeletError, match=r"home\.xlsx.*\.tsv \.csv.*en de fi.*rename"
    ):
        read(tmp_path / "home.xlsx")


def test_the_pivot_may_be_another_language(tmp_path):
    """English hidden in a reader would make German text an English one's pair."""
    path = tmp_path / "home.csv"
    path.write_text("fi,de,en\nAvaa ovi,Tür auf,Open the door\n", "utf-8")
    rows = read(path, pivot="de", languages=("en", "fi"))
    assert [row[2:5] for row in rows] == [
        ("fi", "Tür auf", "Avaa ovi"),
        ("en", "Tür auf", "Open the door"),
    ]


def test_a_slip_in_a_language_is_refused(file):
    """The only language takes rows without one: the student is said to know Klingon."""
    file.write_text("Turn on the lamp\tSchalte die Lampe ein\n", "utf-8")
    with pytest.raises(BabeletError, match=r"data\.languages.*'klingon'"):
        read(file, languages=("klingon",))
    with pytest.raises(BabeletError, match=r"data\.pivot.*'English'.*mean en"):
        read(file, languages=("de",), pivot="English")


def test_what_no_reader_expects_is_one_line(file, monkeypatch):
    """An error of a library is a traceback, which tells a user nothing."""

    def fails(location, config):
        yield from ()
        raise UnicodeError("deep inside")

    kind = formats.Format(fails, "rows")
    monkeypatch.setitem(formats.FORMATS, ".tsv", kind)
    with pytest.raises(BabeletError, match=r"Cannot read .*home\.tsv.*deep inside"):
        read(file)
