"""PO files: what is finished is used, the rest is said."""

import pytest

from babelet.configs.embedding import DataConfig
from babelet.core.errors import BabeletError
from babelet.data.sources import parallel_files

pytest.importorskip("polib")

HEADER = """msgid ""
msgstr ""
"Language: de\\n"
"Content-Type: text/plain; charset=UTF-8\\n"

"""
MESSAGES = """#: lamp.c:3
msgid "Turn on\\n"
"the lamp"
msgstr "Lampe an"

#, fuzzy
msgid "Open the door"
msgstr "Tür zu"

msgid "Close the door"
msgstr ""

msgid "one lamp"
msgid_plural "%d lamps"
msgstr[0] "eine Lampe"
msgstr[1] "%d Lampen"

#~ msgid "Old text"
#~ msgstr "Alter Text"
"""


def messages(folder, content):
    config = DataConfig(
        source="parallel_files", files=(str(folder / "home.po"),), languages=("de",)
    )
    (folder / "home.po").write_bytes(content)
    return list(parallel_files.pairs(config, None))


def test_finished_messages_are_pairs_and_others_have_their_reason(tmp_path):
    """A fuzzy translation is one of another sentence; %d forms are swapped."""
    rows = messages(tmp_path, (HEADER + MESSAGES).encode())
    assert [row[1:6] for row in rows] == [
        (6, "de", "Turn on\nthe lamp", "Lampe an", ""),
        (11, "de", "Open the door", "Tür zu", "fuzzy"),
        (15, "de", "Close the door", "", ""),
        (18, "de", "one lamp", "eine Lampe", ""),
        (18, "de", "%d lamps", "%d Lampen", ""),
        (23, "de", "Old text", "Alter Text", "obsolete"),
    ]


def test_the_encoding_of_the_header_is_used(tmp_path):
    """Old files are in Latin-1, and say so."""
    text = (HEADER + MESSAGES).replace("UTF-8", "ISO-8859-1")
    rows = messages(tmp_path, text.encode("latin-1"))
    assert rows[1].text == "Tür zu"
    with pytest.raises(BabeletError, match=r"home\.po, line 13 is not UTF-8"):
        messages(tmp_path, (HEADER + MESSAGES).encode("latin-1"))


@pytest.mark.parametrize("character", ["\x0b", "\x0c", "\x85", "\u2028", "\x1c"])
def test_only_line_ends_end_lines(tmp_path, character):
    """A character from a word processor makes two lines of one: a file is refused."""
    text = f'{HEADER}msgid "Lamp{character}on"\nmsgstr "Lampe{character}an"\n'
    (row,) = messages(tmp_path, text.encode())
    assert row[3:6] == (f"Lamp{character}on", f"Lampe{character}an", "")
    assert messages(tmp_path, text.replace("\n", "\r\n").encode())[0][3:6] == row[3:6]


@pytest.mark.parametrize(
    ("named", "codec", "text"),
    [("gb2312", "gbk", "开灯镕"), ("utf8", "utf-8", "灯"), ("CHARSET", "utf-8", "灯")],
)
def test_encodings_are_read_as_their_writers_mean_them(tmp_path, named, codec, text):
    """What the standard lacks and every program writes ends the run."""
    content = f'{HEADER.replace("UTF-8", named)}msgid "Lamp"\nmsgstr "{text}"\n'
    assert [row.text for row in messages(tmp_path, content.encode(codec))] == [text]
    with pytest.raises(BabeletError, match=r"home\.po names an encoding.*x-foo"):
        messages(tmp_path, content.replace(named, "x-foo").encode())


def test_a_file_that_does_not_parse_is_named_with_its_line(tmp_path):
    with pytest.raises(BabeletError, match=r"home\.po, line 7.*msgfmt"):
        messages(tmp_path, (HEADER + 'msgid "Lamp"\nLampe\n').encode())


def test_a_language_must_be_told(tmp_path):
    """A file without header goes to the first language of the list."""
    (tmp_path / "home.po").write_text(MESSAGES, "utf-8")
    config = DataConfig(
        source="parallel_files",
        files=(str(tmp_path / "home.po"),),
        languages=("de", "fi"),
    )
    with pytest.raises(BabeletError, match=r"home\.po does not tell.*\{language\}"):
        list(parallel_files.pairs(config, None))
