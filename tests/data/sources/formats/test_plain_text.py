"""Text without translations: each line is read once, in the language of its file."""

import gzip

import pytest

from babelet.configs.embedding import DataConfig
from babelet.core.errors import BabeletError
from babelet.data.sources import parallel_files

LINES = ["Turn on the lamp", "", "Open the door, please"]


def read(*paths, **others):
    config = DataConfig(
        source="parallel_files",
        files=tuple(map(str, paths)),
        **{"languages": ("de", "fi")} | others,
    )
    return list(parallel_files.pairs(config, None))


@pytest.fixture
def write(tmp_path):
    def make(name, *rows):
        path = tmp_path / name
        data = "".join(f"{row}\n" for row in rows).encode()
        path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
        return path

    return make


def test_lines_are_sentences_in_the_language_of_the_name(write):
    """German learned as English gets the vector of a sentence nobody wrote."""
    paths = [write("en.txt", *LINES), write("news.de.txt.gz", "Mach auf")]
    rows = read(*paths, write("FI.txt", "Avaa ovi"))
    assert [(row.language, row.line, row.text) for row in rows] == [
        ("en", 1, LINES[0]),
        ("en", 2, ""),
        ("en", 3, LINES[2]),
        ("de", 1, "Mach auf"),
        ("fi", 1, "Avaa ovi"),
    ]
    assert all(row.monolingual and row.pivot_text == row.text for row in rows)


def test_a_language_in_the_path_or_the_only_one_is_enough(write, tmp_path):
    write("de-news.txt", "Mach auf"), write("fi-news.txt", "Avaa ovi")
    rows = read(tmp_path / "{language}-news.txt")
    assert [row.language for row in rows] == ["de", "fi"]
    (row,) = read(write("notes.txt", "Open up"), languages=())
    assert (row.language, row.text) == ("en", "Open up")


def test_a_file_that_tells_no_language_is_one_clear_error(write):
    """Notes in English, read as German because German was asked for."""
    with pytest.raises(BabeletError, match=r"notes\.txt does not tell.*news\.de\.txt"):
        read(write("notes.txt", *LINES))


def test_tabs_make_a_table(write):
    """Pairs in a .txt, as many sites have them, read as sentences of both languages."""
    (row,) = read(write("deu.txt", "Open up\tMach auf"), languages=("de",))
    assert row[2:5] == ("de", "Open up", "Mach auf")
    assert not row.monolingual


def test_a_single_tab_makes_no_table(write):
    """One pasted tab, and of 180 sentences one pair is left that nobody wrote."""
    lines = ["Drücke die\tTabulatortaste", "", *(f"Lampe {i} an" for i in range(30))]
    rows = read(write("news.de.txt", *lines), languages=("de",))
    assert [row.text for row in rows] == lines
    assert all(row.monolingual for row in rows)
    (row, *others) = read(write("en.txt", "Press\tthis", *LINES), languages=())
    assert row.text == "Press\tthis" and len(others) == len(LINES)


def test_a_stray_line_in_a_table_makes_no_text(write):
    """One line without a tab, and pairs are read as sentences of both languages."""
    rows = read(
        write("deu.txt", "Stray", *["Open up\tMach auf"] * 3), languages=("de",)
    )
    assert [row.problem for row in rows] == ["columns", "", "", ""]


def test_a_name_of_another_language_is_refused(write):
    """German in de.txt is learned as English, as no language was asked for."""
    for name in ("de.txt", "news.de.txt", "news.pt_BR.txt.gz"):
        with pytest.raises(BabeletError, match=r"does not tell a language.*one of en"):
            read(write(name, *LINES), languages=())
    # A word, and no code that anybody would write.
    assert len(read(write("cat.txt", *LINES), languages=())) == 3


def test_an_empty_file_is_an_error(write):
    with pytest.raises(BabeletError, match=r"de\.txt.*no usable row.*one text a line"):
        read(write("de.txt", "", ""))
