"""Tables as text: TSV as it stands, CSV with quotes and named columns."""

import csv
from collections import Counter
from collections.abc import Iterator
from itertools import chain, dropwhile, islice

from configs.errors import BabeletError
from configs.schema import DataConfig
from data.sources.formats.records import (
    LANGUAGE,
    TEXT,
    UNUSED,
    no_roles,
    pairs_in,
    require_each_once,
    roles_of,
)
from data.sources.location import Location
from data.sources.opening import lines
from data.sources.raw import RawPair

EXPECTED_TSV = (
    "rows of language<TAB>pivot text<TAB>translation, of pivot text<TAB>translation, "
    "or of named columns"
)
EXPECTED_CSV = "rows below a header that names the columns"
# Characters of a cell; what is longer began with a quote that does not end.
MAX_CELL = 1 << 24

# Rows that are looked at to tell the columns.
SAMPLE = 20

# The line a row begins in, and its cells.
Row = tuple[int, list[str]]


def read_tsv(location: Location, config: DataConfig) -> Iterator[RawPair]:
    """Yields the pairs of a file with tabs between its cells.

    Cells are taken as they are, quotes included. Columns are named by the first row,
    or by their order in `config.columns`, or there are three or two.

    Raises:
        BabeletError: The file cannot be read, or its columns cannot be told.
    """
    cells = ((line, text.split("\t")) for line, text in lines(location.path))
    yield from _pairs(cells, location, config, needs_header=False)


def read_csv(location: Location, config: DataConfig) -> Iterator[RawPair]:
    """Yields the pairs of a file with commas, semicolons or tabs between its cells.

    Raises:
        BabeletError: The file cannot be read, its header names other columns, or a
            quote does not end.
    """
    yield from _pairs(_csv_rows(location.path), location, config, needs_header=True)


def _pairs(
    rows: Iterator[Row], location: Location, config: DataConfig, needs_header: bool
) -> Iterator[RawPair]:
    """Yields the pairs of rows, of which the first may be a header."""
    first = list(islice(rows, SAMPLE))
    if not first:
        return
    header, roles = _columns(first, location, config, needs_header)
    for line, cells in chain(first[bool(header) :], rows):
        problem = ""
        if cells == header:
            problem = "header"
        elif len(cells) != len(roles):
            problem = "columns"
        if problem:
            text = "\t".join(cells)
            yield RawPair(location.path, line, "", "", text, problem)
        else:
            record = dict(zip(roles, cells, strict=True))
            record.pop(UNUSED, None)
            yield from pairs_in(record, location, line, config)


def _columns(
    first: list[Row], location: Location, config: DataConfig, needs_header: bool
) -> tuple[list[str] | None, list[str]]:
    """Returns the header if the first row is one, and the role of each column."""
    line, cells = first[0]
    names = [cell.strip() for cell in cells]
    place = f"{location.path}, line {line}"
    found = roles_of(names, config)
    if found:
        require_each_once(place, [name for name in names if name in found])
        require_each_once(place, found.values())
        return cells, [found.get(name, UNUSED) for name in names]
    if needs_header or any("=" in column for column in config.columns):
        raise no_roles(place, names, config)
    if config.columns:
        return None, [column.strip() for column in config.columns]
    # One malformed row at the top must not decide for the others.
    widths = Counter(len(cells) for _, cells in first if len(cells) in (2, 3))
    width = widths.most_common(1)[0][0] if widths else 3
    return None, [LANGUAGE, config.pivot, TEXT][-width:]


def _csv_rows(path: str) -> Iterator[Row]:
    """Yields line and cells of each row; empty lines below the header are rows."""
    numbered = dropwhile(lambda item: not item[1].strip(), lines(path))
    first = next(numbered, None)
    if first is None:
        return
    begun = first[0]
    offset = begun - 1
    delimiter = max(",;\t", key=first[1].count)
    csv.field_size_limit(MAX_CELL)
    texts = (text + "\n" for _, text in chain([first], numbered))
    reader = csv.reader(texts, delimiter=delimiter, strict=True)
    try:
        for cells in reader:
            yield begun, cells
            begun = offset + reader.line_num + 1
    except csv.Error as error:
        raise BabeletError(
            f"{path}, line {begun} has a quote that is not as CSV has them",
            expected='"quoted cells", a quote in them doubled: "say ""on"""',
            received=f"{error}, at line {offset + reader.line_num}",
            remedy="correct the line; a table without quotes is a .tsv",
        ) from error
