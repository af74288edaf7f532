"""Tables as text: TSV as it stands, CSV with quotes and named columns."""

import csv
import re
from collections import Counter
from collections.abc import Iterator
from itertools import chain, dropwhile, islice

from babelet.configs.schema import DataConfig
from babelet.core.errors import BabeletError
from babelet.data.sources.formats.records import (
    LABEL,
    LANGUAGE,
    TEXT,
    UNUSED,
    no_roles,
    pairs_in,
    require_each_once,
    roles_of,
)
from babelet.data.sources.language_codes import names_language
from babelet.data.sources.location import Location
from babelet.data.sources.opening import MAX_LINE, lines
from babelet.data.sources.raw import RawPair

EXPECTED_TSV = (
    "rows of language<TAB>pivot text<TAB>translation, of pivot text<TAB>translation, "
    "or of named columns"
)
EXPECTED_CSV = "rows below a header that names the columns"

# Rows that are looked at to tell the columns.
SAMPLE = 20
# What headers say beside languages; text has such words, but not in every column.
_OF_HEADERS = {LANGUAGE, TEXT, LABEL, "id", "lang", "source", "target", "src", "tgt"}
_OF_HEADERS |= {"trg", "translation", "score"}
# Excel's first line, which tells the separator and is no row.
_SEPARATOR = re.compile(r'"?sep=([,;\t|])"?', re.IGNORECASE)

# The line a row begins in, and its cells.
Row = tuple[int, list[str]]


def read_tsv(location: Location, config: DataConfig) -> Iterator[RawPair]:
    """Yields the pairs of a file with tabs between its cells.

    Cells are taken as they are, quotes included. Columns are named by the first row,
    or by their order in `config.columns`, or there are three or two. Labelled text
    has names or `config.columns`.

    Raises:
        BabeletError: The file cannot be read, its columns cannot be told, or its
            first row names others.
    """
    cells = ((line, text.split("\t")) for line, text in lines(location.path))
    needs_header = config.pivot == LABEL and not config.columns
    yield from _pairs(cells, location, config, needs_header)


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
    if _is_header(names):
        # Taken for text, it would hide that the text is in another language.
        raise no_roles(place, names, config)
    if config.columns:
        return None, [column.strip() for column in config.columns]
    return None, _usual_columns(first, place, config)


def _is_header(names: list[str]) -> bool:
    """Tells whether cells are names of columns, each another."""
    folded = {name.casefold() for name in names}
    known = all(name in _OF_HEADERS or names_language(name) for name in folded)
    return known and len(folded) == len(names)


def _usual_columns(first: list[Row], place: str, config: DataConfig) -> list[str]:
    """Returns the columns of a table without names, by how many there are."""
    # One malformed row at the top must not decide for the others.
    widths = Counter(len(cells) for _, cells in first)
    if not config.languages:
        width = widths.most_common(1)[0][0]
        if width == 1:
            return [TEXT]
        raise BabeletError(
            f"{place} begins a table of {width} columns without names",
            expected=f"text in {config.pivot!r} alone, as data.languages is empty",
            remedy=f"say which column has it, as in --set data.columns={config.pivot}"
            f"{',-' * (width - 1)}, or set data.languages",
        )
    known = Counter({width: widths[width] for width in (2, 3) if width in widths})
    width = known.most_common(1)[0][0] if known else 3
    return [LANGUAGE, config.pivot, TEXT][-width:]


def _csv_rows(path: str) -> Iterator[Row]:
    """Yields line and cells of each row; empty lines below the header are rows."""
    numbered = dropwhile(lambda item: not item[1].strip(), lines(path))
    first = next(numbered, None)
    said = first and _SEPARATOR.fullmatch(first[1].strip(" "))
    if said:
        first = next(numbered, None)
    if first is None:
        return
    begun = first[0]
    offset = begun - 1
    delimiter = said[1] if said else max(",;\t", key=first[1].count)
    csv.field_size_limit(MAX_LINE)
    texts = (text + "\n" for _, text in chain([first], numbered))
    reader = csv.reader(texts, delimiter=delimiter, strict=True)
    try:
        for cells in reader:
            yield begun, cells
            begun = offset + reader.line_num + 1
    except csv.Error as error:
        raise _no_csv(
            f"{path}, line {begun}", error, offset + reader.line_num
        ) from error


def _no_csv(place: str, error: csv.Error, line: int) -> BabeletError:
    if "new-line" in str(error):
        return BabeletError(
            f"{place} has a carriage return where no line ends",
            expected="lines that end as on Windows or Unix",
            remedy="save the file with such line ends, for instance with "
            "tr '\\r' '\\n'",
        )
    return BabeletError(
        f"{place} has a quote that is not as CSV has them",
        expected='"quoted cells", a quote in them doubled: "say ""on"""',
        received=f"{error}, at line {line}",
        remedy="correct the line; a table without quotes is a .tsv",
    )
