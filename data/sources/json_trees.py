"""Texts in nested JSON objects, a file for each part and language, inside a zip.

Their leaves are aligned across languages by their keys.
"""

import json
import re
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, cast

from tqdm import tqdm

from babelet.configs.schema import DataConfig
from babelet.core.errors import BabeletError
from babelet.data.sources.raw import RawPair, require_language

# ICU's texts for each number or gender: several in one, of which none is whole.
_CHOICE = re.compile(r"\{\s*\w+\s*,\s*(plural|select|selectordinal)\s*,")


class Trees(NamedTuple):
    """How a source has its texts.

    Attributes:
        name: Of the source, for messages.
        member: Matches a file's name in the zip; its groups are "part" and "language".
        aliases: Languages that the source names in another way as well.
    """

    name: str
    member: re.Pattern
    aliases: Mapping[str, str]

    def languages_in(self, wheel: Path) -> set[str]:
        """Returns the languages that the wheel has."""
        with zipfile.ZipFile(wheel) as archive:
            found = {
                name for names in self._members(archive).values() for name in names
            }
        return found | {name for name, own in self.aliases.items() if own in found}

    def read(self, wheel: Path, config: DataConfig) -> Iterator[RawPair]:
        """Yields the rows of a wheel, part by part in alphabetical order.

        Args:
            wheel: A zip.
            config: `languages` and `pivot` are used.

        Yields:
            One row per text of the translation; `line` is its ordinal in the file.

        Raises:
            BabeletError: A language is not in the source, or a file is not JSON.
        """
        available = self.languages_in(wheel)
        for language in (config.pivot, *config.languages):
            require_language(self.name, language, available)
        with zipfile.ZipFile(wheel) as archive:
            members = self._members(archive)
            for part in tqdm(sorted(members), desc="Reading", unit="file"):
                yield from self._part(archive, members[part], config)

    def _members(self, archive: zipfile.ZipFile) -> dict[str, dict[str, str]]:
        """Returns part -> language -> member name."""
        members: dict[str, dict[str, str]] = {}
        for name in archive.namelist():
            match = self.member.fullmatch(name)
            if match:
                members.setdefault(match["part"] or "", {})[match["language"]] = name
        return members

    def _part(
        self, archive: zipfile.ZipFile, names: dict[str, str], config: DataConfig
    ) -> Iterator[RawPair]:
        pivot_name = self._find(names, config.pivot)
        pivot = _texts(archive, pivot_name) if pivot_name else {}
        for language in config.languages:
            name = self._find(names, language)
            if not name:
                continue
            for line, (key, text) in enumerate(_texts(archive, name).items(), start=1):
                # Whatever JSON has: `_pair` refuses what is no text.
                source = cast(Any, pivot.get(key))
                yield _pair(RawPair(name, line, language, source, text))

    def _find(self, names: dict[str, str], language: str) -> str | None:
        return names.get(language) or names.get(self.aliases.get(language, ""))


def _pair(row: RawPair) -> RawPair:
    """Returns `row`, with its problem if a side is no text or several in one."""
    if isinstance(row.pivot_text, str) and isinstance(row.text, str):
        several = _CHOICE.search(row.pivot_text) or _CHOICE.search(row.text)
        return row._replace(problem="choice") if several else row
    problem = "not_text"
    if row.pivot_text is None:
        problem, row = "no_pivot", row._replace(pivot_text="")
    # Printable, for the file of rejected rows.
    return row._replace(
        pivot_text=str(row.pivot_text), text=str(row.text), problem=problem
    )


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
