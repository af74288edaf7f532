"""Files as real users have them: each is used rightly, or answered with its place."""

import gzip
import json

import pytest

from babelet.configs.embedding import DataConfig
from babelet.core.errors import BabeletError
from babelet.data.build_corpus import build_corpus
from babelet.data.sources import parallel_files

LAMP = ("Turn on the lamp", "Schalte die Lampe ein")
DOOR = ("Open the front door", "Öffne die Haustür")


@pytest.fixture
def read(tmp_path):
    """Returns a function: content of a file to the rows it gives."""

    def rows(name, content, **others):
        data = content if isinstance(content, bytes) else content.encode()
        (tmp_path / name).write_bytes(data)
        others.setdefault("languages", ("de",))
        config = DataConfig(
            source="parallel_files", files=(str(tmp_path / name),), **others
        )
        return list(parallel_files.pairs(config, None))

    return rows


def texts(rows):
    return [(row.pivot_text, row.text) for row in rows if not row.problem]


def problems(rows):
    return [(row.line, row.problem) for row in rows if row.problem]


def test_a_spreadsheet_saved_as_csv_on_windows(read):
    """A byte order mark hides the first column; semicolons are taken for text."""
    content = "\ufeffen;de\r\n" + ";".join(LAMP) + "\r\n\r\n" + ";".join(DOOR) + "\r\n"
    rows = read("home.csv", content)
    assert texts(rows) == [LAMP, DOOR]
    assert problems(rows) == [(3, "columns")]


def test_headers_that_are_repeated_are_rejected(read):
    """Files joined with cat leave headers in the middle, which are no sentences."""
    joined = "en,de\n" + ",".join(LAMP) + "\nen,de\n" + ",".join(DOOR) + "\n"
    for name, content in (("a.csv", joined), ("a.tsv", joined.replace(",", "\t"))):
        rows = read(name, content)
        assert texts(rows) == [LAMP, DOOR]
        assert problems(rows) == [(3, "header")]


def test_a_column_name_that_occurs_twice_is_an_error(read):
    """Of two columns of German the last would win, whatever is in it."""
    with pytest.raises(BabeletError, match=r"a\.csv, line 1.*two.*'de'.*rename"):
        read("a.csv", "en,de,de\nLamp,Lampe,\n")


def test_quotes_line_breaks_and_commas_inside_cells(read):
    """A comma in a sentence shifts the columns; a line break makes half a row."""
    content = 'de,en\n"Lampe ""an"", bitte","Lamp ""on"",\nplease"\nTür,Door\n'
    rows = read("a.csv", content)
    assert texts(rows)[0] == ('Lamp "on",\nplease', 'Lampe "an", bitte')
    assert [row.line for row in rows] == [2, 4]
    quoted = '"Well," he said.\t"Nun", sagte er.\n'
    assert texts(read("a.tsv", quoted)) == [('"Well," he said.', '"Nun", sagte er.')]


def test_a_quote_that_does_not_end_is_named_where_it_begins(read):
    """The rest of the file becomes one cell, and thousands of rows one."""
    content = 'en,de\nLamp,Lampe\n"Door,Tür\n' + "Lamp,Lampe\n" * 50
    with pytest.raises(BabeletError, match=r"a\.csv, line 3 .*quote.*doubled.*Remedy"):
        read("a.csv", content)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("en,de\nLamp,Tür\n".encode("latin-1"), r"line 2 .*0xfc at byte 7.*LATIN1"),
        ("en,de\nLamp,Tür\n".encode("utf-16"), r"line 1 .*0xff at byte 1.*UTF-16"),
    ],
)
def test_text_in_another_encoding_is_named_with_its_place(read, data, message):
    """Replaced by question marks, every umlaut would be learned as one."""
    with pytest.raises(BabeletError, match=rf"a\.csv, {message}"):
        read("a.csv", data)


@pytest.mark.parametrize("name", ["a.tsv", "a.csv", "a.jsonl"])
def test_a_line_of_a_megabyte_is_a_row(read, name):
    """The limit of a reader for one cell ends the run, or cuts the text."""
    long = "lamp " * 200_000
    lines = {
        "a.tsv": f"{long}\tLampe\nLamp\tLampe\n",
        "a.csv": f"en,de\n{long},Lampe\nLamp,Lampe\n",
        "a.jsonl": f'{{"en": "{long}", "de": "Lampe"}}\n{{"en":"Lamp","de":"Lampe"}}\n',
    }
    assert texts(read(name, lines[name])) == [(long, "Lampe"), ("Lamp", "Lampe")]


def test_languages_mixed_in_one_file_are_told_apart(read):
    """French in a German model, because nobody looked at the first column."""
    content = "fr\tLamp\tLampe\nDE\tLamp\tLeuchte\nde_AT\tDoor\tTür\n"
    rows = read("a.tsv", content)
    assert [(row.language, row.text) for row in rows] == [
        ("de", "Leuchte"),
        ("de", "Tür"),
    ]


def test_two_columns_need_a_language(read):
    """The rows would go to a language that was guessed."""
    with pytest.raises(BabeletError, match=r"a\.tsv, line 1 .*language.*\{language\}"):
        read("a.tsv", "Lamp\tLampe\n", languages=("de", "fi"))


def test_a_malformed_first_row_does_not_decide_for_the_others(read):
    """One stray tab at the top, and of a million rows none is used."""
    rows = read("a.tsv", "Lamp\tLampe\tan\n" + "Lamp\tLampe\n" * 3)
    assert problems(rows) == [(1, "columns")] and len(texts(rows)) == 3


@pytest.mark.parametrize("name", ["a.tsv.gz", "a.tmx.gz"])
def test_a_truncated_gzip_is_an_error_with_its_place(read, name):
    """Half a download trains half a student."""
    rows = "".join(f"Lamp {i * i}\tLampe {i}\n" for i in range(5000))
    units = tmx(*(("en", f"Lamp {i * i}", "de", f"Lampe {i}") for i in range(5000)))
    content = rows if "tsv" in name else units
    broken = gzip.compress(content.encode())[:-2000]
    with pytest.raises(BabeletError, match=rf"{name}, after line \d{{4}}.*again"):
        read(name, broken)


def tmx(*units, head=""):
    body = ""
    for unit in units:
        pairs = zip(unit[::2], unit[1::2], strict=True)
        body += "<tu>" + "".join(
            f'<tuv xml:lang="{code}"><seg>{text}</seg></tuv>\n' for code, text in pairs
        )
        body += "</tu>\n"
    return f"<?xml version='1.0'?>\n{head}<tmx><body>\n{body}</body></tmx>"


def test_a_unit_in_three_languages_and_one_without_the_pivot(read):
    """The third language's sentence is paired with the second's."""
    content = tmx(
        ("en-GB", "Lamp", "fr", "Lampe", "DE", "Leuchte"),
        ("fr", "Porte", "de", "Tür"),
        ("en", "Door"),
    )
    rows = read("a.tmx", content)
    assert texts(rows) == [("Lamp", "Leuchte")]
    assert problems(rows) == [(7, "no_pivot"), (10, "columns")]
    assert len(read("b.tmx", content.encode("utf-16"))) == 3


def test_markup_inside_a_segment_is_left_out_and_its_text_kept(read):
    """Codes of a word processor become words of the language."""
    content = tmx(
        ("en", "Press <bpt>{\\b </bpt>OK<ept>}</ept> <hi>now</hi>", "de", "&lt;OK&gt;")
    )
    assert texts(read("a.tmx", content)) == [("Press OK now", "<OK>")]


LAUGHS = "".join(
    f'<!ENTITY l{i} "{f"&l{i - 1};" * 10 if i else "ha"}">' for i in range(12)
)


@pytest.mark.parametrize(
    "declared",
    [
        LAUGHS,
        '<!ENTITY l11 SYSTEM "file:///etc/passwd">',
        '<!ENTITY % l11 SYSTEM "http://localhost/x.dtd"> %l11;',
    ],
    ids=["laughs", "file", "parameter"],
)
def test_entities_of_its_own_are_refused(read, declared):
    """A kilobyte becomes a terabyte, or a file of this machine a sentence."""
    head = f"<!DOCTYPE tmx [{declared}]>\n"
    content = tmx(("en", "Lamp &l11;", "de", "Lampe"), head=head)
    with pytest.raises(BabeletError, match=r"a\.tmx, line 2 declares.*remove"):
        read("a.tmx", content)


def test_an_external_entity_that_is_not_declared_reads_nothing(read, tmp_path):
    """A DTD beside the file smuggles text in, or the text loses what it stood for."""
    (tmp_path / "evil.dtd").write_text('<!ENTITY l "smuggled">')
    head = '<!DOCTYPE tmx SYSTEM "evil.dtd">\n'
    units = (("en", "Lamp &l;", "de", "Lampe"), ("en", "Door", "de", "Tür"))
    rows = read("a.tmx", tmx(*units, head=head))
    assert texts(rows) == [("Door", "Tür")]
    assert problems(rows) == [(4, "entity")]


def test_xml_that_is_broken_is_named_with_its_line(read):
    with pytest.raises(BabeletError, match=r"a\.tmx, line 5.*well-formed.*mismatched"):
        read("a.tmx", tmx(("en", "Lamp", "de", "Lampe"))[:-2].replace("</tu>", "</t>"))


def test_sides_of_different_length_are_an_error_with_both_counts(read, tmp_path):
    """One line lost in the middle, and every pair after it is wrong."""
    (tmp_path / "a.en").write_text("Lamp\nDoor\nStove\n", "utf-8")
    with pytest.raises(BabeletError, match=r"a\.en has 3 lines and .*a\.de has 2"):
        read("a.de", "Lampe\nTür\n")
    with pytest.raises(BabeletError, match=r"b\.de has no file.*b\.en"):
        read("b.de", "Lampe\nTür\n")
    with pytest.raises(BabeletError, match=r"a\.en.*alone.*translation"):
        read("a.en", "Lamp\n")


def test_lines_that_are_no_objects_are_rejected_by_themselves(read):
    """One cut line in a million ends the run; a number is taken for a text."""
    good = json.dumps({"en": "Lamp", "de": "Lampe"})
    content = (
        f'{good}\n{good[:9]}\n[1]\n\n{{"en": 3, "de": "drei"}}\n{{"en": "Door"}}\n'
    )
    rows = read("a.jsonl", content)
    assert texts(rows) == [("Lamp", "Lampe")]
    found = ["json", "json", "json", "columns", "columns"]
    assert [problem for _, problem in problems(rows)][:3] == found[:3]
    assert problems(rows)[3:] == [(5, "not_text"), (6, "columns")]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", "source,target\nLamp,Lampe\n"),
        ("a.jsonl", '{"source": "Lamp", "target": "Lampe"}\n'),
    ],
)
def test_columns_of_other_names_are_named_in_the_error(read, name, content):
    """The user learns that no row is usable, but not which names were expected."""
    message = r"line 1 .*en and de.*source target.*data\.columns=en=source,de=target"
    with pytest.raises(BabeletError, match=message):
        read(name, content)
    assert texts(read(name, content, columns=("en=source", "de=target"))) == [
        ("Lamp", "Lampe")
    ]


def test_a_file_without_any_translation_yet_is_an_error(read):
    """A template among the files is taken for text, and its language for covered."""
    with pytest.raises(BabeletError, match=r"a\.tsv, line 1 has no usable.*empty 2"):
        read("a.tsv", "Lamp\t\nDoor\t \n")


def test_columns_that_make_no_pair_are_refused_at_once():
    """A mistyped role would leave every row without its translation."""
    for columns in (("en",), ("de", "text"), ("en", "txt"), ("en", "de", "de")):
        with pytest.raises(BabeletError, match=r"data\.columns"):
            DataConfig(languages=("de",), columns=columns)


def test_malformed_rows_end_in_the_list_of_rejected_ones(tmp_path):
    """Rows vanish, and nobody can tell a filter that is too strict."""
    rooms = "kitchen bedroom cellar garden attic garage bathroom hallway office porch"
    rows = [f"Lamp in the {room}\tLampe im {room.upper()}" for room in rooms.split()]
    (tmp_path / "a.tsv").write_text("\n".join([*rows, "stray", ""]), "utf-8")
    config = DataConfig(
        source="parallel_files",
        files=(str(tmp_path / "a.tsv"),),
        languages=("de",),
        validation_fraction=0.2,
        test_fraction=0.2,
    )
    report = build_corpus(config, tmp_path / "corpus", tmp_path)
    assert report.rejected == {"columns": 1}
    listed = (tmp_path / "corpus" / "rejected.tsv").read_text("utf-8").splitlines()
    assert listed[1].split("\t")[1:] == ["11", "", "columns", "", "stray"]
