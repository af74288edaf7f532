"""TMX as programs write it: encodings and entities, read or refused in one line."""

import pytest

from babelet.configs.embedding import DataConfig
from babelet.core.errors import BabeletError
from babelet.data.sources import parallel_files
from babelet.data.sources.formats import translation_memory

DOCTYPE = '<!DOCTYPE tmx SYSTEM "tmx14.dtd">\n'


@pytest.fixture
def read(tmp_path):
    """Returns a function: a file's bytes to the rows it gives."""

    def rows(data, language="de"):
        (tmp_path / "a.tmx").write_bytes(data)
        config = DataConfig(
            source="parallel_files",
            files=(str(tmp_path / "a.tmx"),),
            languages=(language,),
        )
        return list(parallel_files.pairs(config, None))

    return rows


def tmx(*texts, encoding="UTF-8", language="de", head=""):
    units = "".join(
        f'<tu><tuv xml:lang="en"><seg>Lamp</seg></tuv>'
        f'<tuv xml:lang="{language}"><seg>{text}</seg></tuv></tu>\n'
        for text in texts
    )
    first = f'<?xml version="1.0" encoding="{encoding}"?>\n' if encoding else ""
    return f"{first}{head}<tmx><body>\n{units}</body></tmx>\n"


@pytest.mark.parametrize(
    ("named", "codec", "language", "text"),
    [
        ("gb2312", "gb2312", "zh", "请打开厨房的灯"),
        # A character that the standard lacks, and programs that name it write.
        ("gb2312", "gbk", "zh", "镕"),
        ("Shift_JIS", "cp932", "ja", "台所の明かりを①つけて"),
        ("EUC-KR", "cp949", "ko", "부엌 불을 켜 똠"),
        ("Big5", "big5", "zh-TW", "請打開廚房的燈"),
        ("windows-1252", "cp1252", "de", "Küche – „an“"),
        ("iso-8859-2", "iso-8859-2", "pl", "Włącz światło"),
        ("utf8", "utf-8", "de", "Küche"),
        ("UTF8", "utf-8-sig", "de", "Küche"),
        # Written by programs that keep text in UTF-16 and files in UTF-8.
        ("utf-16", "utf-8", "de", "Küche"),
        ("utf-16", "utf-16", "de", "Küche"),
        ("utf-16", "utf-16-be", "de", "Küche"),
        ("", "utf-8", "de", "Küche"),
    ],
)
def test_the_encoding_that_a_file_names_is_used(read, named, codec, language, text):
    """A file from Asia ends in a traceback, or its text in wrong characters."""
    data = tmx(text, encoding=named, language=language).encode(codec)
    assert [row.text for row in read(data, language)] == [text]


def test_characters_on_the_border_of_two_chunks_are_whole(read, monkeypatch):
    """Half a character at the end of a block is lost or refused."""
    monkeypatch.setattr(translation_memory, "CHUNK", 64)
    text = "请打开厨房的灯" * 20
    data = tmx(text, encoding="gb2312", language="zh").encode("gb2312")
    assert [row.text for row in read(data, "zh")] == [text]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (tmx("Lampe", encoding="x-foo").encode(), r"line 1 names an enc.*x-foo.*UTF-8"),
        (tmx("Lampe", encoding="rot13").encode(), r"names an encoding.*rot13"),
        (tmx("Küche").encode("latin-1"), r"after line \d+, is not in UTF-8.*0xfc"),
        (tmx("请", encoding="gb2312").encode(), r"is not in GB18030.*first line"),
        (tmx("Lampe\ud800").encode("utf-8", "surrogatepass"), "is not in UTF-8"),
        (tmx("Lampe\0").encode(), "not well-formed"),
    ],
)
def test_text_in_no_such_encoding_is_one_clear_error(read, data, message):
    """A traceback, or advice to export again what is well-formed."""
    with pytest.raises(BabeletError, match=rf"a\.tmx.*{message}"):
        read(data)


def test_entities_of_a_doctype_are_decoded_or_reject_their_unit(read):
    """Of "K&uuml;che" the student learns "Kche", and no row is rejected."""
    content = tmx("K&uuml;che&nbsp;an", "K&kitchen;che", "T&#252;r", head=DOCTYPE)
    rows = read(content.encode())
    assert [(row.text, row.problem) for row in rows] == [
        ("Küche\xa0an", ""),
        ("K&kitchen;che", "entity"),
        ("Tür", ""),
    ]


def test_entities_inside_codes_are_no_text(read):
    """The markup of the text's own format gets into the sentence, or rejects it."""
    content = tmx("<bpt>&lt;b&what;</bpt>An<ept>&uuml;</ept>", head=DOCTYPE)
    assert [row[4:6] for row in read(content.encode())] == [("An", "")]


def test_a_segment_that_never_ends_is_refused(read, monkeypatch):
    """A few packed megabytes become gigabytes in one text."""
    monkeypatch.setattr(translation_memory, "MAX_LINE", 1000)
    with pytest.raises(BabeletError, match=r"a\.tmx, line 4 begins a unit of more"):
        read(tmx("Lampe", "Lampe an " * 200).encode())
