"""The translations of Home Assistant's user interface (Apache-2.0).

They sit inside the `homeassistant` wheel as one JSON file per component and
language, `homeassistant/components/<component>/translations/<language>.json`:
nested objects whose leaves are texts, aligned across languages by their keys.
"""

import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tqdm import tqdm

from configs.errors import BabeletError
from configs.schema import DataConfig
from data.download import fetch_wheel
from data.sources.raw import RawPair, require_language

VERSION = "2026.2.3"
FILENAME = f"homeassistant-{VERSION}-py3-none-any.whl"
SHA256 = "8167820cac4b8defe895fd2c36ac23402a445d1fe6028e8cde24caabb935282c"
# The wheel asks for a Python newer than ours; as data it needs none.
PYTHON_VERSION = "3.13.2"

MEMBER = re.compile(r"homeassistant/components/([^/]+)/translations/([^/]+)\.json")
# Languages the source names by their script as well.
ALIASES = {"zh": "zh-Hans"}


def pairs(config: DataConfig, cache: Path) -> Iterator[RawPair]:
    """Yields the rows of the pinned release, downloaded into `cache` if need be."""
    yield from read(fetch(cache), config)


def fetch(cache: Path) -> Path:
    """Returns the wheel in `cache`, downloaded if need be."""
    return fetch_wheel(
        f"homeassistant=={VERSION}", FILENAME, SHA256, cache, PYTHON_VERSION
    )


def languages_in(wheel: Path) -> set[str]:
    """Returns the languages that the wheel has."""
    with zipfile.ZipFile(wheel) as archive:
        found = {name for names in _members(archive).values() for name in names}
    return found | {name for name, alias in ALIASES.items() if alias in found}


def read(wheel: Path, config: DataConfig) -> Iterator[RawPair]:
    """Yields the rows of a wheel, component by component in alphabetical order.

    Args:
        wheel: A zip with members as described above.
        config: `languages` and `pivot` are used.

    Yields:
        One row per text of the translation; `line` is its ordinal in the file.

    Raises:
        BabeletError: A language is not in the source, or a file is not JSON.
    """
    available = languages_in(wheel)
    for language in (config.pivot, *config.languages):
        require_language("Home Assistant", language, available)
    with zipfile.ZipFile(wheel) as archive:
        members = _members(archive)
        for component in tqdm(sorted(members), desc="Reading", unit="file"):
            yield from _component(archive, members[component], config)


def _members(archive: zipfile.ZipFile) -> dict[str, dict[str, str]]:
    """Returns component -> language -> member name."""
    members: dict[str, dict[str, str]] = {}
    for name in archive.namelist():
        match = MEMBER.fullmatch(name)
        if match:
            members.setdefault(match[1], {})[match[2]] = name
    return members


def _component(
    archive: zipfile.ZipFile, names: dict[str, str], config: DataConfig
) -> Iterator[RawPair]:
    pivot_name = _find(names, config.pivot)
    pivot = _texts(archive, pivot_name) if pivot_name else {}
    for language in config.languages:
        name = _find(names, language)
        if not name:
            continue
        for line, (key, text) in enumerate(_texts(archive, name).items(), start=1):
            yield _pair(RawPair(name, line, language, pivot.get(key), text))


def _pair(row: RawPair) -> RawPair:
    """Returns `row`, or a printable one with its problem if a side is no text."""
    if isinstance(row.pivot_text, str) and isinstance(row.text, str):
        return row
    problem = "not_text"
    if row.pivot_text is None:
        problem, row = "no_pivot", row._replace(pivot_text="")
    return row._replace(
        pivot_text=str(row.pivot_text), text=str(row.text), problem=problem
    )


def _find(names: dict[str, str], language: str) -> str | None:
    return names.get(language) or names.get(ALIASES.get(language, ""))


def _texts(archive: zipfile.ZipFile, name: str) -> dict[tuple[str, ...], Any]:
    """Returns the leaves of a file by their path of keys, in the file's order."""
    try:
        tree = json.loads(archive.read(name))
        if not isinstance(tree, dict):
            raise ValueError(f"its root is {type(tree).__name__}, not an object")
    except ValueError as error:
        raise BabeletError(
            f"Cannot read {name} in {archive.filename}",
            expected="a JSON object of texts in UTF-8",
            received=str(error),
            remedy="remove the wheel and run the same command again",
        ) from error
    return dict(_leaves(tree, ()))


def _leaves(
    tree: dict[str, Any], path: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], Any]]:
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from _leaves(value, (*path, key))
        else:
            yield (*path, key), value
