"""Which files the settings name: paths, globs, and {language} in either."""

import glob
import os
from pathlib import Path
from typing import NamedTuple

from babelet.configs.schema import DataConfig
from babelet.core.errors import BabeletError

COMPRESSED = (".gz", ".xz")
LANGUAGE = "{language}"


class Location(NamedTuple):
    """A file to be read."""

    path: str
    # The language that its path tells, "" if it does not.
    language: str = ""
    # The entry of data.files that leads to it, from 0.
    entry: int = 0

    @property
    def ending(self) -> str:
        """The last part of the name, before that of a compression: ".tsv"."""
        path = Path(self.path)
        return Path(path.stem).suffix if path.suffix in COMPRESSED else path.suffix


def locate(config: DataConfig) -> list[Location]:
    """Returns the files of `config.files`, each once, in the order given.

    The matches of a glob come in the order of their names, {language} in the order
    of `config.languages`; ~ is the home folder. Of entries that lead to one file the
    last counts.

    Raises:
        BabeletError: No file is named, or a path or glob leads to none.
    """
    if not config.files:
        raise BabeletError(
            "data.source=parallel_files has no files",
            expected="paths in data.files",
            remedy="give --set data.files=first.tsv,second.tmx.gz",
        )
    found = {
        location.path: location._replace(entry=entry)
        for entry, pattern in enumerate(config.files)
        for location in _matches(os.path.expanduser(pattern), config.languages)
    }
    return list(found.values())


def _matches(pattern: str, languages: tuple[str, ...]) -> list[Location]:
    if LANGUAGE in pattern:
        return [
            location._replace(language=language)
            for language in languages
            for location in _matches(pattern.replace(LANGUAGE, language), ())
        ]
    # A path with brackets in its name is itself, not a pattern.
    if Path(pattern).exists() or not glob.has_magic(pattern):
        return [Location(pattern)]
    paths = sorted(path for path in glob.glob(pattern, recursive=True))
    files = [Location(path) for path in paths if Path(path).is_file()]
    if not files:
        raise BabeletError(
            f"There is no file like {pattern}",
            expected="a path or glob that leads to files",
            remedy="correct data.files; paths are relative to the working directory",
        )
    return files
