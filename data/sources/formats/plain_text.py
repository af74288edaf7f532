"""Text without translations: one sentence a line, one language a file."""

import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from babelet.configs.schema import DataConfig
from babelet.core.errors import BabeletError
from babelet.data.sources.formats import delimited
from babelet.data.sources.language_codes import names_language
from babelet.data.sources.language_tags import match
from babelet.data.sources.location import COMPRESSED, Location
from babelet.data.sources.opening import lines
from babelet.data.sources.raw import RawPair

EXPECTED = "one text a line; or tabs between the columns of a table"


def read(location: Location, config: DataConfig) -> Iterator[RawPair]:
    """Yields a row for each line; where most have a tab, the file is read as TSV.

    Raises:
        BabeletError: The file cannot be read, or its name does not tell the language.
    """
    first = islice(lines(location.path), delimited.SAMPLE)
    tabs = ["\t" in text for _, text in first if text.strip()]
    if 2 * sum(tabs) > len(tabs):
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
    named = stem.rpartition(".")[2]
    if found := match(named, languages):
        return found
    # Longer names, such as "cat", may be words.
    contradicts = names_language(named) and len(re.split("[-_]", named)[0]) == 2
    if not config.languages and not contradicts:
        return config.pivot
    raise BabeletError(
        f"{location.path} does not tell a language that is wanted",
        expected="its code before .txt, as in news.de.txt or de.txt: one of "
        f"{' '.join(languages)}",
        received=f"{named!r}, and text without translations",
        remedy="rename the file, or write {language} into data.files in its place; "
        "pairs have a tab between their texts",
    )
