"""Parquet: read where pyarrow is there, and asked for where it is not."""

import datetime
import decimal
import sys

import pyarrow
import pytest
from pyarrow import parquet

from babelet.configs.embedding import DataConfig
from babelet.core.errors import BabeletError
from babelet.data.optional_package import require_package
from babelet.data.sources import parallel_files


def read(path, **others):
    config = DataConfig(
        source="parallel_files", files=(str(path),), languages=("de",), **others
    )
    return list(parallel_files.pairs(config, None))


def test_a_missing_package_is_named_with_its_command():
    """An ImportError deep in a run tells a user nothing."""
    with pytest.raises(BabeletError, match=r"a\.parquet needs.*pip install absent"):
        require_package("absent_package", "absent", "a.parquet")


def test_a_file_without_pyarrow_is_one_clear_error(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    (tmp_path / "a.parquet").write_bytes(b"PAR1")
    with pytest.raises(BabeletError, match=r"a\.parquet needs.*pip install pyarrow"):
        read(tmp_path / "a.parquet")


def test_rows_with_gaps_numbers_and_other_names(tmp_path):
    """A null becomes the text "None", a number a sentence."""
    path = tmp_path / "a.parquet"
    columns = {"en": ["Lamp", None, "Door"], "de": ["Lampe", "Tür", None]}
    parquet.write_table(pyarrow.table(columns | {"id": [1, 2, 3]}), path)
    rows = read(path)
    assert [row[1:6] for row in rows] == [
        (1, "de", "Lamp", "Lampe", ""),
        (2, "de", "", "Tür", "no_pivot"),
        (3, "", "Door", "Door", "empty"),
    ]
    with pytest.raises(BabeletError, match=r"a\.parquet .*en de id.*data\.columns"):
        read(path, columns=("en=source", "de=target"))
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(BabeletError, match=r"Cannot read .*a\.parquet.*again"):
        read(path)


def test_a_column_of_structs_counts_as_its_fields(tmp_path):
    """Hugging Face's files are refused as Parquet, and read as JSON lines."""
    path = tmp_path / "a.parquet"
    rows = [{"en": "Lamp", "de": "Lampe"}, {"en": "Door", "de": None}, None]
    table = pyarrow.table({"id": ["1", "2", "3"], "translation": rows})
    parquet.write_table(table, path)
    assert [row[1:6] for row in read(path)] == [
        (1, "de", "Lamp", "Lampe", ""),
        (2, "", "Door", "Door", "empty"),
        (3, "", "", "", "empty"),
    ]
    with pytest.raises(BabeletError, match=r"does not name.*en de.*data\.columns"):
        read(path, columns=("en=source", "de=target"))


def test_text_that_its_writer_called_binary_is_read(tmp_path):
    """Every row is rejected, and the file opens in every other program."""
    path = tmp_path / "a.parquet"
    german = pyarrow.array(["Küche".encode(), "Tür".encode("latin-1")])
    parquet.write_table(pyarrow.table({"en": ["Kitchen", "Door"], "de": german}), path)
    found = [(row.text, row.problem) for row in read(path)]
    assert found == [("Küche", ""), ("b'T\\xfcr'", "not_text")]


OTHERS = [
    (pyarrow.list_(pyarrow.string()), ["a"]),
    (pyarrow.map_(pyarrow.string(), pyarrow.string()), [("en", "a")]),
    (pyarrow.struct([("en", pyarrow.string())]), {"en": "a"}),
    (pyarrow.timestamp("ns"), 1),
    (pyarrow.date32(), datetime.date(2026, 1, 1)),
    (pyarrow.decimal128(9, 2), decimal.Decimal("1.50")),
    (pyarrow.float64(), float("nan")),
    (pyarrow.bool_(), True),
    (pyarrow.null(), None),
    (pyarrow.duration("ns"), 1),
    (pyarrow.binary(), b"\xff"),
]


@pytest.mark.parametrize("column", ["de", "en", "language", "translation"])
@pytest.mark.parametrize(("kind", "value"), OTHERS, ids=[str(x) for x, _ in OTHERS])
def test_columns_of_other_types_are_rejected(tmp_path, kind, value, column):
    """A value that is no text is learned as what Python prints of it."""
    columns = {"en": ["Lamp"], "text": ["Lampe"], "language": ["de"]}
    if column == "de":
        del columns["text"], columns["language"]
    columns[column] = pyarrow.array([value], kind)
    parquet.write_table(pyarrow.table(columns), tmp_path / "a.parquet")
    if column == "translation" and not isinstance(value, dict):
        assert [row.problem for row in read(tmp_path / "a.parquet")] == [""]
    else:
        with pytest.raises(BabeletError, match=r"a\.parquet.*Remedy"):
            read(tmp_path / "a.parquet")
