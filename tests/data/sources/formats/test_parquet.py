"""Parquet: read where pyarrow is there, and asked for where it is not."""

import sys

import pyarrow
import pytest
from pyarrow import parquet

from configs.errors import BabeletError
from configs.schema import DataConfig
from data.optional_package import require_package
from data.sources import parallel_files


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
