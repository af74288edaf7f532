"""From a record of named or ordered values to sentence pairs."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from configs.errors import BabeletError
from configs.schema import DataConfig
from data.sources.language_tags import match
from data.sources.location import Location
from data.sources.raw import RawPair

LANGUAGE, TEXT, UNUSED = "language", "text", "-"


def roles_of(names: Iterable[str], config: DataConfig) -> dict[str, str]:
    """Returns role by name, of the names that have one; {} if they make no pair.

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
    has_text = bool(roles & {TEXT, *config.languages})
    return found if config.pivot in roles and has_text else {}


def no_roles(place: str, names: Iterable[str], config: DataConfig) -> BabeletError:
    """Returns the error for a file whose columns have other names."""
    if config.columns:
        expected = f"the columns of data.columns={','.join(config.columns)}"
    else:
        several = " ".join(config.languages)
        expected = (
            f"columns named {config.pivot} and {several}, or "
            f"{LANGUAGE}, {config.pivot} and {TEXT}"
        )
    example = f"{config.pivot}=source,{config.languages[0]}=target"
    return BabeletError(
        f"{place} does not name its columns as expected",
        expected=expected,
        received=" ".join(names)[:200] or "nothing",
        remedy=f"name them in the file, or say which is which: --set "
        f"data.columns={example}",
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
    """Yields a row for each translation of a record.

    Args:
        record: Value by role: the pivot's code, languages' codes, "language", "text".
            None is no value.
        location: Where it comes from; its language is that of "text".
        line: Where in it.
        config: Its only language is that of "text" if nothing else tells.
    """
    values = {role: value for role, value in record.items() if value is not None}
    pivot = values.pop(config.pivot, None)
    named = values.pop(LANGUAGE, None)
    if TEXT in values:
        language = named if LANGUAGE in record else _told(location, line, config)
        text = values.pop(TEXT)
        values = {language: text} if _is_name(language) else {}
    if not values:
        shown = " ".join(str(value) for value in record.values() if value)
        absent = {*config.languages} & set(record)
        problem = "empty" if absent else "columns"
        yield RawPair(location.path, line, "", str(pivot or ""), shown, problem)
    for language, text in values.items():
        problem = "" if isinstance(text, str) else "not_text"
        if not isinstance(pivot, str):
            problem = "no_pivot" if pivot is None else "not_text"
        source = "" if pivot is None else str(pivot)
        yield RawPair(location.path, line, language, source, str(text), problem)


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
