"""From a record of named or ordered values to sentence pairs."""

import decimal
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from babelet.configs.schema import DataConfig
from babelet.core.errors import BabeletError
from babelet.data.sources.language_tags import match
from babelet.data.sources.location import Location
from babelet.data.sources.raw import RawPair

LANGUAGE, TEXT, UNUSED = "language", "text", "-"
# In the place of the pivot's sentence, the class of labelled text.
LABEL = "label"


def roles_of(names: Iterable[str], config: DataConfig) -> dict[str, str]:
    """Returns role by name, of the names that have one; {} if they make no pair.

    Without languages a text alone is enough.

    Args:
        names: Of the columns of a file.
        config: `columns` if it is given decides, else the names themselves.
    """
    if config.columns:
        wanted = {}
        for column in config.columns:
            role, _, name = column.partition("=")
            wanted[(name or role).strip()] = role.strip()
        found = {name: wanted[name] for name in names if name in wanted}
        needed = {name for name, role in wanted.items() if role != UNUSED}
        return found if needed <= set(found) else {}
    languages = (config.pivot, *config.languages)
    found = {}
    for name in names:
        folded = name.strip().casefold()
        role = folded if folded in (LANGUAGE, TEXT) else match(name, languages)
        if role:
            found[name] = role
    roles = set(found.values())
    if not config.languages:
        return found if roles & {TEXT, config.pivot} else {}
    has_text = bool(roles & {TEXT, *config.languages})
    return found if config.pivot in roles and has_text else {}


def no_roles(place: str, names: Iterable[str], config: DataConfig) -> BabeletError:
    """Returns the error for a file whose columns have other names."""
    example = f"{config.pivot}=source"
    if config.languages:
        example += f",{config.languages[0]}=target"
    if config.columns:
        expected = f"the columns of data.columns={','.join(config.columns)}"
    elif config.languages:
        several = " ".join(config.languages)
        expected = (
            f"columns named {config.pivot} and {several}, or "
            f"{LANGUAGE}, {config.pivot} and {TEXT}"
        )
    else:
        expected = f"a column named {TEXT} or {config.pivot}"
    if config.pivot == LABEL:
        expected = (
            f"columns named {TEXT}, {LABEL} and, if there are several, {LANGUAGE}"
        )
        example = f"{TEXT}=Sentence,{LABEL}=Intent"
    return BabeletError(
        f"{place} does not name its columns as expected",
        expected=expected,
        received=" ".join(names)[:200] or "nothing",
        remedy=f"name them in the file, change data.languages, or say which is which: "
        f"--set data.columns={example}",
    )


def require_each_once(place: str, names: Iterable[str]) -> None:
    """Raises a BabeletError if two columns of a table have one name."""
    names = list(names)
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise BabeletError(
            f"{place} has two columns named {twice[0]!r}",
            expected="every column that is used once",
            received=" ".join(names)[:200],
            remedy="remove or rename one of them in the file",
        )


def pairs_in(
    record: Mapping[str, Any], location: Location, line: int, config: DataConfig
) -> Iterator[RawPair]:
    """Yields a row for each translation of a record, or its text alone.

    Args:
        record: Value by role: the pivot's code, languages' codes, "language", "text".
            None is no value.
        location: Where it comes from; its language is that of "text".
        line: Where in it.
        config: Its only language is that of "text" if nothing else tells; without
            languages there are no pairs.
    """
    if not config.languages:
        yield _alone(record, location, line, config)
        return
    values = {role: value for role, value in record.items() if value is not None}
    pivot = values.pop(config.pivot, None)
    if config.pivot == LABEL:
        pivot = _class_name(pivot)
    named = values.pop(LANGUAGE, None)
    if TEXT in values:
        language = named if LANGUAGE in record else _told(location, line, config)
        text = values.pop(TEXT)
        values = {language: text} if _is_name(language) else {}
    if not values:
        shown = " ".join(_shown(value) for value in record.values() if value)
        absent = {*config.languages} & set(record)
        problem = "empty" if absent else "columns"
        yield RawPair(location.path, line, "", _shown(pivot or ""), shown, problem)
    for language, text in values.items():
        problem = ""
        if not isinstance(text, str):
            problem = "not_text"
        elif not isinstance(pivot, str):
            problem = "no_pivot" if pivot is None else "not_text"
        source = "" if pivot is None else _shown(pivot)
        yield RawPair(location.path, line, language, source, _shown(text), problem)


def _alone(
    record: Mapping[str, Any], location: Location, line: int, config: DataConfig
) -> RawPair:
    """Returns the row of a text that has no translation."""
    is_pivot = config.pivot in record
    value = record[config.pivot if is_pivot else TEXT]
    language = config.pivot
    if LANGUAGE in record and not is_pivot:
        language = record[LANGUAGE]
    text, problem = _shown(value), ""
    if not _is_name(language):
        language, problem = "", "columns"
    elif not isinstance(value, str):
        text, problem = ("", "empty") if value is None else (text, "not_text")
    return RawPair(location.path, line, language, text, text, problem, monolingual=True)


def _class_name(value: object) -> object:
    """Returns the name of a class that is a number; JSON and Parquet have those."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float | decimal.Decimal):
        if value != value:
            return None
        # A column of integers with gaps is one of floats.
        return str(int(value)) if value % 1 == 0 else str(value)
    return str(value) if isinstance(value, int) else value


def _shown(value: object) -> str:
    """Returns a text as it is, and anything else in a way to be listed."""
    try:
        return str(value)
    except (RecursionError, ValueError):
        # Lists nested deep, or a number of thousands of digits.
        return f"({type(value).__name__})"


def _is_name(language: object) -> bool:
    return isinstance(language, str) and bool(language.strip())


def _told(location: Location, line: int, config: DataConfig) -> str:
    if location.language or len(config.languages) == 1:
        return location.language or config.languages[0]
    raise BabeletError(
        f"{location.path}, line {line} does not tell its language",
        expected="a column with the language, or a file for each",
        received=f"text in one of {' '.join(config.languages)}",
        remedy="write {language} into data.files where the paths have the code, or "
        "set data.languages to the only one, or add the column",
    )
