"""Tables as text: what the first rows say of the columns."""

import pytest

from babelet.configs.embedding import DataConfig
from babelet.core.errors import BabeletError
from babelet.data.sources import parallel_files

ROW = "Turn on the lamp\tSchalte die Lampe ein\n"


@pytest.fixture
def read(tmp_path):
    def rows(name, content, languages=("de",), columns=()):
        data = content if isinstance(content, bytes) else content.encode()
        (tmp_path / name).write_bytes(data)
        config = DataConfig(
            source="parallel_files",
            files=(str(tmp_path / name),),
            languages=languages,
            columns=columns,
        )
        return list(parallel_files.pairs(config, None))

    return rows


@pytest.mark.parametrize(
    ("header", "languages"),
    [
        ("en\tde", ("fr",)),
        ("fr\tde", ("de",)),
        ("EN\tde_AT", ("fr",)),
        ("deu\teng", ("de",)),
        ("German\tEnglish", ("de",)),
        ("target\tsource", ("de",)),
        ("id\tsource\ttarget", ("de",)),
        ("language\ten\tde", ("fr",)),
    ],
)
def test_a_header_that_contradicts_the_settings_is_refused(read, header, languages):
    """German becomes French, or the two sides change places, without a word."""
    with pytest.raises(BabeletError, match=r"a\.tsv, line 1 does not name.*Remedy"):
        read("a.tsv", f"{header}\n{ROW}", languages)
    with pytest.raises(BabeletError, match=r"a\.txt, line 1 does not name.*Remedy"):
        read("a.txt", f"{header}\n{ROW}", languages)


def test_an_order_that_is_given_is_no_answer_to_another_header(read):
    """The columns were told for another file, whose languages these are not."""
    with pytest.raises(BabeletError, match=r"line 1 does not.*data\.columns=en,fr"):
        read("a.tsv", f"en\tde\n{ROW}", ("fr",), columns=("en", "fr"))


@pytest.mark.parametrize("first", ["Hot\tHeiß\n", "no problem\tja\n", "Text\tText\n"])
def test_words_that_are_no_names_of_columns_are_text(read, first):
    """A row of a word list is refused as a header, and with it the file."""
    assert [row.line for row in read("a.tsv", first + ROW)] == [1, 2]


@pytest.mark.parametrize(
    "first", ["sep=;", "\ufeffsep=;", '"sep=;"', "SEP=;", "sep=; "]
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_the_line_that_names_the_separator_is_skipped(read, first, end):
    """Excel's files are refused for a header that they do not have."""
    content = f"{first}\nen;de\nLamp, on;Lampe, an\n".replace("\n", end)
    (row,) = read("a.csv", content)
    assert (row.line, row.pivot_text, row.text) == (3, "Lamp, on", "Lampe, an")
    only = read("a.csv", f"sep=|{end}en|de{end}Lamp; on|Lampe, an{end}")
    assert [row[3:5] for row in only] == [("Lamp; on", "Lampe, an")]


def test_line_ends_of_old_macintoshes_are_named(read):
    """The advice is to mend quotes, and there are none."""
    with pytest.raises(BabeletError, match=r"a\.csv.*carriage return.*Remedy: save"):
        read("a.csv", "en,de\rLamp,Lampe\rDoor,Tür\r")


def test_a_table_without_names_is_no_text_alone(read):
    """Two columns are read as one sentence, or end in a traceback."""
    message = r"a\.tsv, line 1 begins a table of 2.*data\.columns=en,-, or"
    with pytest.raises(BabeletError, match=message):
        read("a.tsv", ROW, ())
    (row,) = read("a.tsv", ROW, (), columns=("en", "-"))
    assert (row.language, row.text, row.monolingual) == (
        "en",
        "Turn on the lamp",
        True,
    )
