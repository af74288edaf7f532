"""Tables of text in the pivot language alone: data.languages is empty."""

import json

import pyarrow
import pyarrow.parquet
import pytest

from babelet.configs.embedding import DataConfig
from babelet.core.errors import BabeletError
from babelet.data.sources import parallel_files

TEXTS = ["Turn on the lamp", "Open the door, please"]


def csv(path, columns):
    rows = zip(*columns.values(), strict=True)
    lines = [",".join(columns), *(",".join(f'"{x}"' for x in row) for row in rows)]
    path.write_text("\n".join(lines) + "\n", "utf-8")


def tsv(path, columns):
    rows = zip(*columns.values(), strict=True)
    lines = ["\t".join(columns), *map("\t".join, rows)]
    path.write_text("\n".join(lines) + "\n", "utf-8")


def jsonl(path, columns):
    rows = zip(*columns.values(), strict=True)
    records = [dict(zip(columns, row, strict=True)) for row in rows]
    path.write_text("".join(json.dumps(row) + "\n" for row in records), "utf-8")


def parquet(path, columns):
    pyarrow.parquet.write_table(pyarrow.table(columns), path)


FORMATS = {"a.csv": csv, "a.tsv": tsv, "a.jsonl": jsonl, "a.parquet": parquet}


@pytest.fixture(params=FORMATS)
def read(request, tmp_path):
    """Returns a function: columns, in one of the formats, to the rows they give."""

    def rows(table, **settings):
        FORMATS[request.param](tmp_path / request.param, table)
        config = DataConfig(
            source="parallel_files", files=(str(tmp_path / request.param),), **settings
        )
        return list(parallel_files.pairs(config, None))

    return rows


@pytest.mark.parametrize("name", ["text", "en", "EN-gb", "Text"])
def test_one_column_is_enough(read, name):
    """A traceback, though a .txt of the same lines is read."""
    rows = read({"id": ["1", "2"], name: TEXTS})
    assert [(row.language, row.text) for row in rows] == [("en", x) for x in TEXTS]
    assert all(row.monolingual and row.pivot_text == row.text for row in rows)


def test_of_a_table_of_pairs_the_pivot_is_taken(read):
    """German is learned as English."""
    rows = read({"de": ["Lampe an", "Tür auf"], "en": TEXTS, "text": ["x", "y"]})
    assert [row.text for row in rows] == TEXTS


def test_a_column_of_languages_is_heeded(read):
    """Rows in other languages pass for the pivot's."""
    rows = read({"language": ["de", "en"], "text": ["Lampe an", TEXTS[0]]})
    assert [(row.language, row.text) for row in rows] == [("en", TEXTS[0])]


def test_columns_of_other_names(read):
    """The error has no language to give as an example, and is a traceback."""
    table = {"Sentence": TEXTS, "Intent": ["a", "b"]}
    with pytest.raises(BabeletError, match=r"(columns|text) .*data\.columns=en"):
        read(table)
    assert [row.text for row in read(table, columns=("en=Sentence",))] == TEXTS
    assert [row.text for row in read(table, columns=("text=Sentence",))] == TEXTS


def test_roles_that_give_no_text_are_refused():
    with pytest.raises(BabeletError, match=r"data\.columns.*en or text"):
        DataConfig(files=("a.csv",), columns=("language=Locale",))
