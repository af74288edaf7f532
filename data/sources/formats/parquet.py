"""Parquet, through pyarrow: 50 MB to install, so only who reads it needs it."""

from collections.abc import Iterator

from configs.errors import BabeletError
from configs.schema import DataConfig
from data.optional_package import require_package
from data.sources.formats.records import (
    no_roles,
    pairs_in,
    require_each_once,
    roles_of,
)
from data.sources.location import Location
from data.sources.opening import opened
from data.sources.raw import RawPair

EXPECTED = "columns of text, named by language"
BATCH_ROWS = 4096


def read(location: Location, config: DataConfig) -> Iterator[RawPair]:
    """Yields the pairs of a file; `line` is the row, from 1.

    Raises:
        BabeletError: pyarrow is not installed, the file cannot be read, or its
            columns have other names.
    """
    path = location.path
    parquet = require_package("pyarrow.parquet", "pyarrow", f"Reading {path}")
    line = 0
    try:
        with opened(path) as binary, parquet.ParquetFile(binary) as file:
            names = file.schema_arrow.names
            roles = roles_of(names, config)
            if not roles:
                raise no_roles(path, names, config)
            require_each_once(path, roles.values())
            for batch in file.iter_batches(BATCH_ROWS, columns=list(roles)):
                for row in batch.to_pylist():
                    line += 1
                    values = {role: row[name] for name, role in roles.items()}
                    yield from pairs_in(values, location, line, config)
    except ValueError as error:
        raise BabeletError(
            f"Cannot read {path}, after row {line}",
            expected="a whole Parquet file",
            received=str(error),
            remedy="write or download the file again, or change data.files",
        ) from error
