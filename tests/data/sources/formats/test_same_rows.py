"""One small corpus in every format: the same rows, and the same corpus."""

import csv
import gzip
import hashlib
import json
import lzma
from xml.sax.saxutils import escape

import pyarrow
import pyarrow.parquet
import pytest

from babelet.configs.embedding import DataConfig
from babelet.data.build_corpus import build_corpus
from babelet.data.corpus import Corpus
from babelet.data.sources import parallel_files

ROOMS = {
    "kitchen": ("Küche", "keittiö"),
    "bedroom": ("Schlafzimmer", "makuuhuone"),
    "cellar": ("Keller", "kellari"),
    "garden": ("Garten", "puutarha"),
    "garage": ("Garage", "autotalli"),
    "attic": ("Dachboden", "ullakko"),
}
UNITS = [
    {
        "en": f'{start} <the> "lamp" & lights, in the {room}',
        "de": f'{german} »die« "Lampe" & Lichter, {raum}',
        "fi": f'{finnish} <lamppu> "ja" & valot, {huone}',
    }
    for start, german, finnish in (
        ("Turn on", "An:", "Sytytä"),
        ("Dim", "Aus:", "Himmennä"),
    )
    for room, (raum, huone) in ROOMS.items()
]
LANGUAGES = ("de", "fi")


def tsv(folder):
    rows = [(code, u["en"], u[code]) for code in LANGUAGES for u in UNITS]
    text = "".join("\t".join(row) + "\n" for row in rows)
    (folder / "home.tsv").write_text(text, "utf-8")
    return ["home.tsv"], {}


def tsv_of_two_columns(folder):
    for code in LANGUAGES:
        text = "".join(f"{u['en']}\t{u[code]}\n" for u in UNITS)
        (folder / f"{code}.tsv").write_text(text, "utf-8")
    return ["{language}.tsv"], {}


def tsv_the_other_way_round(folder):
    for code in LANGUAGES:
        text = "".join(f"{u[code]}\t7\t{u['en']}\n" for u in UNITS)
        (folder / f"{code}.tsv.xz").write_bytes(lzma.compress(text.encode()))
    return ["{language}.tsv.xz"], {"columns": ("text", "-", "en")}


def csv_with_languages(folder):
    with open(folder / "home.csv", "w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "text", "language", "en"])
        for code in LANGUAGES:
            writer.writerows([n, u[code], code, u["en"]] for n, u in enumerate(UNITS))
    return ["home.csv"], {}


def csv_of_a_column_each(folder):
    for code in LANGUAGES:
        with open(folder / f"{code}.csv", "w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, delimiter=";", quoting=csv.QUOTE_ALL)
            writer.writerow(["target", "source"])
            writer.writerows([u[code], u["en"]] for u in UNITS)
    return ["{language}.csv"], {"columns": ("en=source", "text=target")}


def moses(folder):
    for code in ("en", *LANGUAGES):
        text = "".join(u[code] + "\n" for u in UNITS)
        (folder / f"home.{code}.gz").write_bytes(gzip.compress(text.encode()))
    return ["home.*"], {}


def json_lines(folder):
    objects = [{"en": u["en"], code: u[code]} for code in LANGUAGES for u in UNITS]
    text = "".join(json.dumps(item) + "\n" for item in objects)
    (folder / "home.jsonl").write_text(text, "utf-8")
    return ["home.jsonl"], {}


def json_lines_of_translations(folder):
    objects = [
        {"id": n, "translation": {"en": u["en"], code: u[code]}}
        for code in LANGUAGES
        for n, u in enumerate(UNITS)
    ]
    text = "".join(json.dumps(item, ensure_ascii=False) + "\n" for item in objects)
    (folder / "home.jsonl.gz").write_bytes(gzip.compress(text.encode()))
    return ["home.jsonl.gz"], {}


def tmx_units(units):
    body = "".join(
        "<tu>"
        + "".join(
            f'<tuv xml:lang="{code}"><seg>{escape(text)}</seg></tuv>'
            for code, text in unit.items()
        )
        + "</tu>\n"
        for unit in units
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE tmx SYSTEM "tmx14.dtd">\n'
        f'<tmx version="1.4"><header srclang="en"/><body>{body}</body></tmx>'
    )


def tmx(folder):
    units = [{"EN-US": u["en"], code: u[code]} for code in LANGUAGES for u in UNITS]
    (folder / "home.tmx").write_text(tmx_units(units), "utf-8")
    return ["home.tmx"], {}


def po(folder):
    def quoted(text):
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'

    for code in LANGUAGES:
        header = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=UTF-8\\n"\n'
        entries = [
            f"msgid {quoted(u['en'])}\nmsgstr {quoted(u[code])}\n" for u in UNITS
        ]
        text = "\n".join([f'{header}"Language: {code}\\n"\n', *entries])
        (folder / f"{code}.po").write_text(text, "utf-8")
    return ["*.po"], {}


def parquet(folder):
    rows = [{"en": u["en"], code: u[code]} for code in LANGUAGES for u in UNITS]
    columns = {code: [row.get(code) for row in rows] for code in ("en", *LANGUAGES)}
    pyarrow.parquet.write_table(pyarrow.table(columns), folder / "home.parquet")
    return ["home.parquet"], {}


WRITERS = [
    tsv_of_two_columns,
    tsv_the_other_way_round,
    csv_with_languages,
    csv_of_a_column_each,
    moses,
    json_lines,
    json_lines_of_translations,
    tmx,
    po,
    parquet,
]


def settings(folder, writer, **others):
    folder.mkdir()
    files, found = writer(folder)
    return DataConfig(
        source="parallel_files",
        files=tuple(str(folder / name) for name in files),
        languages=LANGUAGES,
        validation_fraction=0.2,
        test_fraction=0.2,
        **found,
        **others,
    )


def digest(config):
    """Returns a hash of the rows, without where they come from."""
    rows = [row[2:6] for row in parallel_files.pairs(config, None) if row.text]
    return hashlib.sha256(repr(rows).encode()).hexdigest()


def corpus(config, folder):
    build_corpus(config, folder, folder)
    return Corpus(folder)


@pytest.mark.parametrize("writer", WRITERS)
def test_every_format_gives_the_same_rows_and_corpus(writer, tmp_path):
    """An escaped quote, a mark at the start or a swapped column changes the student."""
    expected = settings(tmp_path / "tsv", tsv)
    got = settings(tmp_path / "other", writer)
    assert digest(got) == digest(expected)
    fingerprint = corpus(got, tmp_path / "got").fingerprint
    reference = corpus(expected, tmp_path / "expected")
    assert fingerprint == reference.fingerprint
    assert len(reference.pairs) == len(UNITS) * len(LANGUAGES)


def whole_units(folder):
    (folder / "home.tmx.gz").write_bytes(gzip.compress(tmx_units(UNITS).encode()))
    return ["home.tmx.gz"], {}


def whole_rows(folder):
    with open(folder / "home.csv", "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, ("en", *LANGUAGES))
        writer.writeheader()
        writer.writerows(UNITS)
    return ["home.csv"], {}


def whole_objects(folder):
    text = "".join(json.dumps(unit) + "\n" for unit in UNITS)
    (folder / "home.jsonl").write_text(text, "utf-8")
    return ["home.jsonl"], {}


def test_units_in_three_languages_give_the_same_rows(tmp_path):
    """Of three languages in a unit, the third is lost or paired with the second."""
    writers = (whole_units, whole_rows, whole_objects)
    configs = [settings(tmp_path / w.__name__, w) for w in writers]
    assert len({digest(config) for config in configs}) == 1
    rows = list(parallel_files.pairs(configs[0], None))
    assert [row[2:5] for row in rows] == [
        (code, unit["en"], unit[code]) for unit in UNITS for code in LANGUAGES
    ]
