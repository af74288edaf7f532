"""Whatever is in a file: rows, no more than it has, or one line; never a traceback."""

import csv
import gzip
import io
import json
import lzma
from xml.sax.saxutils import escape

import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from babelet.configs.classification import LabelsConfig
from babelet.configs.embedding import DataConfig
from babelet.core.errors import BabeletError
from babelet.data.sources import labelled_files, parallel_files

TEXTS = ["Küche, «an»", "", "Lamp\x85on", "灯", "a\u2028b", " & <b> ", '"', "x" * 300]
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "latin-1", "cp1252", "gb18030", "cp932")
# What tells readers how a file is to be read.
WORDS = "en de text language label id German source sep=; klingon".split()
# Settings of parallel and of labelled text.
SETTINGS = st.sampled_from(
    [
        {"languages": ()},
        {"languages": ("de",)},
        {"languages": ("de", "fi")},
        {"languages": ("zh-Hans",)},
        {"languages": ("de",), "columns": ("en", "de")},
        {"languages": ("de",), "columns": ("en=text", "de=label")},
        {"languages": (), "columns": ("text=id",)},
        {"labelled": True, "languages": ("de",)},
        {"labelled": True, "languages": (), "columns": ("text", "label")},
    ]
)


def table(rows, delimiter="\t"):
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator="\n").writerows(rows)
    return out.getvalue()


def objects(rows):
    header, *others = rows
    lines = (json.dumps(dict(zip(header, row, strict=True))) for row in others)
    return "".join(line + "\n" for line in lines)


def units(rows):
    header, *others = rows
    body = "".join(
        "<tu>"
        + "".join(
            f"<tuv xml:lang={json.dumps(name)}><seg>{escape(text)}</seg></tuv>"
            for name, text in zip(header, row, strict=True)
        )
        + "</tu>\n"
        for row in others
    )
    head = "<?xml version='1.0' encoding='utf-8'?>\n<!DOCTYPE tmx SYSTEM 't.dtd'>\n"
    return f"{head}<tmx><body>{body}</body></tmx>"


def messages(rows):
    head = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=UTF-8\\n"\n\n'
    body = (f'msgid "{row[0]}"\nmsgstr "{row[-1]}"\n\n' for row in rows)
    return head + "".join(body)


# How a table of texts, the names of its columns first, is written in each format.
WRITERS = {
    ".tsv": table,
    ".csv": lambda rows: table(rows, ","),
    ".jsonl": objects,
    ".tmx": units,
    ".po": messages,
    ".de": lambda rows: "".join(f"{row[-1]}\n" for row in rows),
    ".de.txt": lambda rows: "".join(f"{row[0]}\n" for row in rows),
}
ROWS = st.lists(st.lists(st.sampled_from(TEXTS), min_size=2, max_size=2), max_size=6)
HEADER = st.lists(st.sampled_from(WORDS), min_size=2, max_size=2)


@st.composite
def contents(draw, ending):
    """Draws the bytes of a file: any, or a valid file, spoilt in some way."""
    if draw(st.integers(0, 5)) == 0:
        return draw(st.binary(max_size=200))
    rows = [draw(HEADER), *draw(ROWS)]
    data = WRITERS[ending](rows).encode(draw(st.sampled_from(ENCODINGS)), "replace")
    return spoilt(draw, data)


def spoilt(draw, data):
    """Returns the bytes as they are, cut, or with some others in their midst."""
    place = draw(st.integers(0, len(data)))
    kind = draw(st.integers(0, 2))
    if kind == 0:
        return data[:place]
    if kind == 1:
        return data[:place] + draw(st.binary(max_size=6)) + data[place:]
    return data


def count(folder, name, most, labelled=False, **others):
    """Reads a file, and returns the number of its rows; that of one refused is 0."""
    config = DataConfig(files=(str(folder / name),), **others)
    try:
        if labelled:
            rows = list(labelled_files.rows(config, LabelsConfig(), None))
        else:
            rows = list(parallel_files.pairs(config, None))
    except BabeletError as error:
        assert "Remedy: " in str(error) and "\n" not in str(error)
        return 0
    # Of each line or unit a row for each language, of labelled text the pivot too.
    assert len(rows) <= most * (len(config.languages) + labelled or 1)
    for row in rows:
        assert isinstance(row.text, str) and row.line >= 0
    return len(rows)


def usual(examples):
    checks = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
    return settings(max_examples=examples, deadline=None, suppress_health_check=checks)


@pytest.mark.parametrize("ending", WRITERS)
def test_any_text_file_is_rows_or_one_line(ending, tmp_path):
    """What nobody thought of ends in a traceback, or in rows that nobody wrote."""

    @usual(60)
    @given(contents(ending), SETTINGS)
    def check(data, given):
        name = f"a{ending}"
        (tmp_path / name).write_bytes(data)
        (tmp_path / "a.en").write_bytes(data[::-1].replace(b"\r", b"\n"))
        lines = data.count(b"\n") + data.count(b"\r") + 1
        # Each unit and message has an end of its own.
        units = data.count(b"</tu") + data.count(b"msgid") * 2
        most = {".tmx": units, ".po": units}.get(ending, lines)
        count(tmp_path, name, most, **given)

    check()


@pytest.mark.parametrize(("ending", "packer"), [(".gz", gzip), (".xz", lzma)])
def test_any_packed_file_is_rows_or_one_line(ending, packer, tmp_path):
    """Half a download, or bytes that are no archive, end in a traceback."""

    @usual(60)
    @given(st.sampled_from([".tsv", ".jsonl", ".tmx", ".po"]), st.data())
    def check(kind, data):
        plain = WRITERS[kind]([data.draw(HEADER), *data.draw(ROWS)]).encode()
        packed = spoilt(data.draw, packer.compress(plain))
        (tmp_path / f"a{kind}{ending}").write_bytes(packed)
        count(tmp_path, f"a{kind}{ending}", 1 + plain.count(b"\n"), languages=("de",))

    check()


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**40), 2**40),
    st.floats(),
    st.text(st.characters(blacklist_categories=("Cs",)), max_size=9),
    st.binary(max_size=5),
)
CELLS = st.one_of(
    VALUES,
    st.lists(VALUES, max_size=2),
    st.dictionaries(st.sampled_from(WORDS), VALUES, max_size=2),
)


def test_any_json_is_rows_or_one_line(tmp_path):
    """A number, a list or half a surrogate is learned, or ends the run."""
    numbers = st.integers() | st.floats() | st.booleans() | st.none()
    texts = st.text(st.characters(), max_size=9) | st.sampled_from(TEXTS)
    values = st.recursive(
        numbers | texts,
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(WORDS), inner, max_size=3)
        ),
        max_leaves=6,
    )
    names = st.sampled_from([*WORDS, "translation", "EN", "De"])
    records = st.lists(st.dictionaries(names, values, max_size=4) | values, max_size=5)

    @usual(60)
    @given(records, SETTINGS)
    def check(found, given):
        lines = "".join(json.dumps(record) + "\n" for record in found)
        (tmp_path / "a.jsonl").write_text(lines, "utf-8")
        count(tmp_path, "a.jsonl", len(found), **given)

    check()


def test_any_parquet_is_rows_or_one_line(tmp_path):
    """A column of another type, or a file cut short, ends in a traceback."""

    @usual(40)
    @given(st.data(), SETTINGS)
    def check(data, given):
        size = data.draw(st.integers(0, 4))
        columns = {}
        for name in data.draw(st.lists(st.sampled_from([*WORDS, "translation"]))):
            kind = data.draw(st.sampled_from([st.text(max_size=5), CELLS]))
            cells = data.draw(st.lists(kind, min_size=size, max_size=size))
            try:
                columns[name] = pyarrow.array(cells)
            except (pyarrow.ArrowException, ValueError, TypeError, OverflowError):
                columns[name] = pyarrow.array(map(str, cells))
        out = io.BytesIO()
        try:
            pyarrow.parquet.write_table(pyarrow.table(columns), out)
        except (pyarrow.ArrowException, ValueError):
            return
        content = out.getvalue()
        if data.draw(st.booleans()):
            content = content[: data.draw(st.integers(0, len(content)))]
        (tmp_path / "a.parquet").write_bytes(content)
        count(tmp_path, "a.parquet", size, **given)

    check()
