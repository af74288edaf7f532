"""gettext PO: messages and their translations, one language a file."""

import re
from collections.abc import Iterator
from typing import Any

from babelet.configs.schema import DataConfig
from babelet.core.errors import BabeletError
from babelet.data.optional_package import require_package
from babelet.data.sources.location import Location
from babelet.data.sources.opening import decoded, encoding_named, whole
from babelet.data.sources.raw import RawPair

EXPECTED = "msgid in the pivot language and msgstr with its translation"
CHARSET = re.compile(rb"Content-Type:[^\n]*?charset=([\w.-]+)", re.IGNORECASE)
LINE = re.compile(r"line (\d+)\)?:?\s*(.*)")
_LINE_END = re.compile("\r\n|\n|\r")


class _Content(str):
    """A text whose lines end as gettext's do: U+2028 and the like are inside them."""

    def splitlines(self, keepends: bool = False) -> list[str]:
        return _LINE_END.split(self)


def read(location: Location, config: DataConfig) -> Iterator[RawPair]:
    """Yields the messages of a file, singular and plural as rows of their own.

    The language is told by the path, or the header, or is the only one wanted.
    Fuzzy and obsolete messages are rows with a problem.

    Raises:
        BabeletError: polib is not installed, the file cannot be read or parsed, or
            does not tell its language.
    """
    polib = require_package("polib", "polib", f"Reading {location.path}")
    text = _text(location.path)
    try:
        # As lines: polib would take a short text for the name of a file.
        messages = polib.pofile(_Content(text + "\n"))
    except (OSError, ValueError, IndexError) as error:
        found = LINE.search(str(error))
        raise BabeletError(
            f"{location.path}, line {found[1] if found else '?'} is not a PO file's",
            expected=EXPECTED,
            received=found[2] if found else str(error),
            remedy="check it with msgfmt --check, or change data.files",
        ) from error
    language = location.language or messages.metadata.get("Language", "").strip()
    if not language and len(config.languages) == 1:
        language = config.languages[0]
    if not language:
        raise BabeletError(
            f"{location.path} does not tell its language",
            expected='a header line "Language: de\\n"',
            remedy="add it, or write {language} into data.files in its place",
        )
    for message in messages:
        problem = "fuzzy" if message.fuzzy else ""
        problem = "obsolete" if message.obsolete else problem
        for pivot, text in _forms(message.msgid, message):
            yield RawPair(
                location.path, message.linenum, language, pivot, text, problem
            )


def _forms(singular: str, message: Any) -> Iterator[tuple[str, str]]:
    """Yields the pairs of a message: one, or its singular and its last plural."""
    forms = getattr(message, "msgstr_plural", None)
    if not forms:
        yield singular, message.msgstr
        return
    if len(forms) > 1:
        yield singular, forms[min(forms)]
    # Languages with one form use it for all numbers, those with many for large ones
    # the last, as the pivot's plural.
    yield message.msgid_plural, forms[max(forms)]


def _text(path: str) -> str:
    """Returns the file's text, in the encoding that its header names."""
    data = whole(path)
    named = CHARSET.search(data)
    # A template has its "CHARSET" still.
    name = named[1].decode() if named and named[1] != b"CHARSET" else "utf-8"
    encoding = encoding_named(name, f"The header of {path}")
    if encoding != "utf-8":
        try:
            return data.decode(encoding)
        except UnicodeDecodeError as error:
            raise BabeletError(
                f"{path} is not in the encoding its header names",
                expected=f"charset={name}",
                received=str(error),
                remedy="convert it with msgconv -t UTF-8, or correct the header",
            ) from error
    parts = data.splitlines(keepends=True)
    return "".join(decoded(path, line, part) for line, part in enumerate(parts, 1))
