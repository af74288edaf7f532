"""Labelled files of one's own: CSV, TSV, JSONL or Parquet of text, label, language.

They are read in the formats of parallel text, with the label in the place of the
pivot's sentence, so that columns, compression and errors are the same. A row without a
label is unlabelled text, and so is a line of a .txt.
"""

import dataclasses
from collections.abc import Generator, Iterator
from pathlib import Path

from tqdm import tqdm

from babelet.configs.classification import LabelsConfig
from babelet.configs.schema import DataConfig
from babelet.core.errors import BabeletError
from babelet.data.sources.formats import read
from babelet.data.sources.formats.records import LABEL
from babelet.data.sources.language_codes import require_codes
from babelet.data.sources.language_tags import match
from babelet.data.sources.location import Location, locate
from babelet.data.sources.raw import RawLabelled, require_language

# Endings of the formats that have no labels, and would give texts in their place.
_NOT_LABELLED = (".po", ".tmx")


def rows(
    config: DataConfig, labels: LabelsConfig, cache: Path
) -> Generator[RawLabelled, None, None]:
    """Yields the rows of `config.files` in the pivot and the other languages.

    Args:
        config: `files`, `columns`, `languages` and `pivot` are used.
        labels: Not used: there are no templates.
        cache: Not used: nothing is downloaded.

    Raises:
        BabeletError: No file is named; a file is missing, cannot be read, has other
            columns, or no row in a wanted language; a language is in none of them.
    """
    del labels, cache
    require_codes("data.pivot", (config.pivot,))
    require_codes("data.languages", config.languages)
    config = as_parallel(config)
    found: set[str] = set()
    for location in tqdm(locate(config), desc="Reading", unit="file"):
        found |= yield from _file(location, config)
    for language in config.languages:
        require_language("data.files", language, found)


def as_parallel(config: DataConfig) -> DataConfig:
    """Returns the settings under which labels are the pivot's sentences."""
    languages = (config.pivot, *config.languages)
    return dataclasses.replace(config, pivot=LABEL, languages=languages)


def _file(location: Location, config: DataConfig) -> Iterator[RawLabelled]:
    """Yields the wanted rows of a file; returns their languages."""
    if location.ending.lower() in _NOT_LABELLED:
        raise BabeletError(
            f"{location.path} cannot have labels",
            expected=".csv, .tsv, .jsonl or .parquet; text without labels in .txt too",
            received=location.ending,
            remedy="change data.files",
        )
    found, others = set(), set()
    for row in read(location, config):
        language = match(row.language, config.languages) if row.language else ""
        if language is None:
            others.add(row.language)
            continue
        # A row of no language has a problem.
        found |= {language} - {""}
        yield RawLabelled(
            row.origin,
            row.line,
            language,
            # A text alone is in the place of its label too.
            "" if row.monolingual else row.pivot_text,
            row.text,
            # A row without a label is one without a pivot.
            problem="" if row.problem == "no_pivot" else row.problem,
        )
    if not found:
        raise BabeletError(
            f"{location.path} has no row in a wanted language",
            expected=f"text, {LABEL} and language, in {' '.join(config.languages)}",
            received=" ".join(sorted(others))[:200] or "an empty file",
            remedy="correct the file, or change data.files, data.columns, data.pivot "
            "or data.languages",
        )
    return found
