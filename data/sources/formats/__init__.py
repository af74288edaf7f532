"""What text looks like in files, one file per kind of format.

A format reads a file into rows in every language it has, named as the file names
them; a row it cannot use is one with a problem, a file it cannot use an error.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from babelet.configs.schema import DataConfig
from babelet.core.boundary import text_in
from babelet.core.errors import BabeletError
from babelet.data.sources.formats import (
    delimited,
    gettext_po,
    json_lines,
    moses,
    parquet,
    plain_text,
    translation_memory,
)
from babelet.data.sources.language_tags import match
from babelet.data.sources.location import Location
from babelet.data.sources.raw import RawPair


class Format(NamedTuple):
    """How to read a file, and what a usable row of it is."""

    read: Callable[[Location, DataConfig], Iterator[RawPair]]
    expected: str


MOSES = Format(moses.read, moses.EXPECTED)
FORMATS = {
    ".tsv": Format(delimited.read_tsv, delimited.EXPECTED_TSV),
    ".csv": Format(delimited.read_csv, delimited.EXPECTED_CSV),
    ".jsonl": Format(json_lines.read, json_lines.EXPECTED),
    ".parquet": Format(parquet.read, parquet.EXPECTED),
    ".tmx": Format(translation_memory.read, translation_memory.EXPECTED),
    ".po": Format(gettext_po.read, gettext_po.EXPECTED),
    ".txt": Format(plain_text.read, plain_text.EXPECTED),
}
ALIASES = {".tab": ".tsv", ".ndjson": ".jsonl", ".json": ".jsonl"}


def read(location: Location, config: DataConfig) -> Iterator[RawPair]:
    """Yields the rows of a file in its format: the one way in for text from outside.

    Raises:
        BabeletError: The file cannot be used, for whatever reason.
    """
    with text_in(location.path):
        yield from format_of(location, config).read(location, config)


def format_of(location: Location, config: DataConfig) -> Format:
    """Returns the format that the name of a file tells.

    Raises:
        BabeletError: Its ending is neither a format's nor a language's code.
    """
    ending = location.ending.lower()
    if found := FORMATS.get(ALIASES.get(ending, ending)):
        return found
    if match(ending[1:], (config.pivot, *config.languages)):
        return MOSES
    raise BabeletError(
        f"Nothing is known to read {location.path}",
        expected=f"a name that ends in {' '.join(FORMATS)}, or in the code of a "
        f"language ({' '.join((config.pivot, *config.languages))}), and then .gz or "
        ".xz if it is compressed",
        received=location.ending or "no ending",
        remedy="rename the file, or change data.files or data.languages",
    )
