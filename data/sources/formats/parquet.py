"""Parquet, through pyarrow: 50 MB to install, so only who reads it needs it."""

from collections.abc import Iterator
from typing import Any

from babelet.configs.schema import DataConfig
from babelet.core.errors import BabeletError
from babelet.data.optional_package import require_package
from babelet.data.sources.formats.records import (
    no_roles,
    pairs_in,
    require_each_once,
    roles_of,
)
from babelet.data.sources.location import Location
from babelet.data.sources.opening import opened
from babelet.data.sources.raw import RawPair

EXPECTED = "columns of text, named by language"
BATCH_ROWS = 1024
# A column of structs as Hugging Face's data sets have them: its fields are columns.
NESTED = "translation"


def read(location: Location, config: DataConfig) -> Iterator[RawPair]:
    """Yields the pairs of a file; `line` is the row, from 1.

    Fields of a column "translation" count as columns.

    Raises:
        BabeletError: pyarrow is not installed, the file cannot be read, or its
            columns have other names.
    """
    path = location.path
    parquet = require_package("pyarrow.parquet", "pyarrow", f"Reading {path}")
    line = 0
    try:
        with opened(path) as binary, parquet.ParquetFile(binary) as file:
            names, nested = _names(file.schema_arrow)
            roles = roles_of(names, config)
            if not roles:
                raise no_roles(path, names, config)
            require_each_once(path, [name for name in names if name in roles])
            require_each_once(path, roles.values())
            columns = [NESTED] if nested else list(roles)
            for batch in file.iter_batches(BATCH_ROWS, columns=columns):
                for row in batch.to_pylist():
                    line += 1
                    record = (row[NESTED] or {}) if nested else row
                    values = {r: _text(record.get(name)) for name, r in roles.items()}
                    yield from pairs_in(values, location, line, config)
    except (ValueError, NotImplementedError, TypeError) as error:
        raise BabeletError(
            f"Cannot read {path}, after row {line}",
            expected="a whole Parquet file",
            received=str(error),
            remedy="write or download the file again, or change data.files",
        ) from error


def _names(schema: Any) -> tuple[list[str], bool]:
    """Returns the names of the columns, and whether they are fields of NESTED."""
    if NESTED in schema.names:
        kind = schema.field(NESTED).type
        fields = [kind.field(i).name for i in range(kind.num_fields)]
        if str(kind).startswith("struct"):
            return fields, True
    return schema.names, False


def _text(value: object) -> object:
    """Returns a value, decoded if it is text that its writer called binary."""
    if not isinstance(value, bytes):
        return value
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value
