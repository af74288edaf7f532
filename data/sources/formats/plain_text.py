"""Text without translations: one sentence a line, one language a file."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from configs.errors import BabeletError
from configs.schema import DataConfig
from data.sources.formats import delimited
from data.sources.language_tags import match
from data.sources.location import COMPRESSED, Location
from data.sources.opening import lines
from data.sources.raw import RawPair

EXPECTED = "one text a line; or tabs between the columns of a table"


def read(location: Location, config: DataConfig) -> Iterator[RawPair]:
    """Yields a row for each line; a file with tabs in it is read as TSV.

    Raises:
        BabeletError: The file cannot be read, or its name does not tell the language.
    """
    first = islice(lines(location.path), delimited.SAMPLE)
    if any("\t" in text for _, text in first):
        yield from delimited.read_tsv(location, config)
        return
    language = _language(location, config)
    for line, text in lines(location.path):
        yield RawPair(location.path, line, language, text, text, monolingual=True)


def _language(location: Location, config: DataConfig) -> str:
    """Returns the language that the path tells: `de` of de.txt and news.de.txt.gz."""
    if location.language:
        return location.language
    languages = (config.pivot, *config.languages)
    path = Path(location.path)
    stem = Path(path.stem).stem if path.suffix in COMPRESSED else path.stem
    if found := match(stem.rpartition(".")[2], languages):
        return found
    if not config.languages:
        return config.pivot
    raise BabeletError(
        f"{location.path} does not tell its language",
        expected="its code before .txt, as in news.de.txt or de.txt: one of "
        f"{' '.join(languages)}",
        received="text in one column, which has no translations",
        remedy="rename the file, or write {language} into data.files in its place; "
        "pairs have a tab between their texts",
    )
