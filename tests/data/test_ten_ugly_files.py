"""Ten files as users have them, each used rightly or answered with what to do.

From the file to the corpus; the readers' own tests are in sources/formats.
"""

import gzip
import re
from typing import NamedTuple

import pytest

from babelet.configs.embedding import DataConfig
from babelet.core.errors import BabeletError
from babelet.data.build_corpus import build_corpus
from babelet.data.corpus import Corpus

ROOMS = {
    "kitchen": "Küche",
    "bedroom": "Schlafzimmer",
    "cellar": "Keller",
    "garden": "Garten",
}
PAIRS = {f"Lamp in the {room}": f"Lampe: {raum}" for room, raum in ROOMS.items()}
TSV = "".join(f"{english}\t{german}\n" for english, german in PAIRS.items())
CSV = "en,de\n" + TSV.replace("\t", ",")
LONG = "lamp " * 200_000


class Ugly(NamedTuple):
    """A file, and what becomes of it."""

    name: str
    content: bytes
    # Rejected rows by reason, besides the pairs of PAIRS that are kept.
    rejected: dict[str, int]
    # Of the error that answers it instead: the place and what to do.
    answer: str = ""
    languages: tuple[str, ...] = ("de",)


def unit(*variants):
    inner = "".join(
        f'<tuv xml:lang="{code}"><seg>{text}</seg></tuv>' for code, text in variants
    )
    return f"<tu>{inner}</tu>\n"


def tmx(*units):
    return f"<tmx><body>\n{''.join(units)}</body></tmx>".encode()


UGLY = {
    "byte order mark": Ugly("a.csv", b"\xef\xbb\xbf" + CSV.encode(), {}),
    "CRLF": Ugly("a.tsv", TSV.replace("\n", "\r\n").encode(), {}),
    "Latin-1": Ugly(
        "a.tsv",
        TSV.encode("latin-1"),
        {},
        r"a\.tsv, line 1 is not UTF-8.*0xfc at byte 29.*Remedy: .*LATIN1",
    ),
    "empty lines": Ugly(
        "a.tsv", TSV.replace("\n", "\n\n").encode(), {"columns": len(PAIRS)}
    ),
    "quotes": Ugly(
        "a.csv",
        ('en,de\n"Lamp, ""on"",\nnow","Lampe ""an"""\n' + CSV[6:]).encode(),
        {},
    ),
    "a quote without an end": Ugly(
        "a.csv",
        (CSV + '"Lamp,Lampe\n' + TSV).encode(),
        {},
        r"a\.csv, line 6 has a quote.*Expected: .*Remedy: correct the line",
    ),
    "a line of a megabyte": Ugly(
        "a.tsv", f"{LONG}\tLampe\n{TSV}".encode(), {"long": 1}
    ),
    "mixed languages": Ugly(
        "a.tsv",
        "".join(
            f"{code}\t{english}\t{german}\n"
            for english, german in PAIRS.items()
            for code in ("DE", "fr")
        ).encode(),
        {},
    ),
    "a header in the middle": Ugly("a.csv", (CSV + CSV).encode(), {"header": 1}),
    "a column name twice": Ugly(
        "a.csv",
        CSV.replace("en,de", "de,de").encode(),
        {},
        r"a\.csv, line 1 does not name its columns.*Expected: .*Remedy: name them",
    ),
    "a truncated gzip": Ugly(
        "a.tsv.gz",
        gzip.compress((TSV * 50).encode())[:-9],
        {},
        r"Cannot read .*a\.tsv\.gz, after line \d+.*Expected: .*whole.*Remedy: copy",
    ),
    "three languages a unit": Ugly(
        "a.tmx",
        tmx(
            *(unit(("en", e), ("fr", "non"), ("de", d)) for e, d in PAIRS.items()),
            unit(("de", "Lampe ohne Englisch"), ("fr", "sans anglais")),
        ),
        {"no_pivot": 1},
    ),
}


def build(ugly, folder):
    (folder / ugly.name).write_bytes(ugly.content)
    config = DataConfig(
        source="parallel_files",
        files=(str(folder / ugly.name),),
        languages=ugly.languages,
        validation_fraction=0.2,
        test_fraction=0.2,
    )
    return build_corpus(config, folder / "corpus", folder)


@pytest.mark.parametrize(
    "what", [name for name, ugly in UGLY.items() if not ugly.answer]
)
def test_the_good_rows_are_used_and_the_others_listed(what, tmp_path):
    """Text that is lost, shifted or cut trains a student on something else."""
    ugly = UGLY[what]
    report = build(ugly, tmp_path)
    duplicates = {"duplicate": len(PAIRS)} if what == "a header in the middle" else {}
    assert report.rejected == ugly.rejected | duplicates
    corpus = Corpus(tmp_path / "corpus")
    got = {tuple(corpus.sentences.texts(pair)) for pair in corpus.pairs}
    quoted = {('Lamp, "on", now', 'Lampe "an"')} if what == "quotes" else set()
    assert got == {*PAIRS.items()} | quoted
    listed = (tmp_path / "corpus" / "rejected.tsv").read_text("utf-8").splitlines()
    assert len(listed) == 1 + sum(report.rejected.values())
    assert all(re.match(r".*a\.\w+\t\d+\t", line) for line in listed[1:])


@pytest.mark.parametrize("what", [name for name, ugly in UGLY.items() if ugly.answer])
def test_what_cannot_be_used_is_answered_with_place_and_remedy(what, tmp_path):
    """A traceback, or silence and half the text."""
    with pytest.raises(BabeletError, match=UGLY[what].answer):
        build(UGLY[what], tmp_path)
    assert not (tmp_path / "corpus").exists()
