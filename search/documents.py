"""Documents from files: tables, JSON lines, Parquet, and folders of text files.

A table has a row for each document: `text`, and if there are such columns `id` and
`language`, whatever their case; all other columns are its metadata. A .tsv without
such a header has one column, the text, or two, language and text. In a folder, at any
depth, every .txt and .md file is a document, and the tables are read as such; hidden
files are skipped.
"""

import dataclasses
import hashlib
import json
import math
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

from babelet.core import boundary
from babelet.core.errors import BabeletError
from babelet.data.tokenizer import valid_unicode
from babelet.search.document_files import count_rows, document_files, read_rows

# SQLite's JSON has a limit as well, of 1,000.
_DEEPEST = 100


@dataclasses.dataclass(frozen=True)
class Document:
    """A text to be found."""

    source: str
    key: str
    language: str
    text: str
    # A JSON object.
    metadata: str
    # Where it was read, for errors.
    place: str = ""
    # The input gave the key; else it is made of the content.
    named: bool = True


def read_documents(path: Path, source: str, language: str = "") -> Iterator[Document]:
    """Yields the documents of a file or folder, in a fixed order.

    Args:
        path: A .tsv, .jsonl, .parquet, .txt or .md file, or a folder of them.
        source: What the index calls this input.
        language: Of documents whose input does not tell.

    Raises:
        BabeletError: A file is missing, unreadable, not UTF-8, or without the
            columns; or there is no document at all.
    """
    empty = True
    for file, prefix in document_files(path)[0]:
        with boundary.text_in(file):
            for place, row in read_rows(file):
                empty = False
                yield _document(row, source, prefix, language, place)
    if empty:
        raise BabeletError(
            f"{path} has no document",
            consequence="The index was left as it is",
            remedy="check the path; babelet search build --delete takes documents "
            "out of an index",
        )


def count_documents(path: Path) -> int:
    """Returns about how many documents a file or folder has, 0 if not known.

    For estimates of time: headers and empty lines count, Parquet files do not.
    """
    return sum(count_rows(file) for file, _ in document_files(path)[0])


def _document(
    row: dict[str, Any], source: str, prefix: str, language: str, place: str
) -> Document:
    text = row.pop("text", None)
    if not isinstance(text, str):
        raise BabeletError(
            f"{place} has no text",
            expected='a "text" of letters',
            received=repr(text)[:80],
            remedy="correct the row, or name the column with the texts text",
        )
    key = _told(row, "id", (str, int, float, date, Decimal, UUID), place)
    # A surrogate has no place in UTF-8, nor in the database.
    language = (
        _told(row, "language", (str,), place) or valid_unicode(language)
    ).strip()
    text = valid_unicode(text)
    row = {name: _plain(value, place) for name, value in row.items()}
    metadata = valid_unicode(
        json.dumps(row, ensure_ascii=False, sort_keys=True, default=str)
    )
    named = bool(key)
    if not named:
        content = "\0".join((language, text, metadata))
        key = hashlib.sha256(content.encode()).hexdigest()[:16]
    return Document(source, prefix + key, language, text, metadata, place, named)


def _told(row: dict[str, Any], name: str, kinds: tuple[type, ...], place: str) -> str:
    """Takes a value out of a row as text, "" if there is none; NaN is none."""
    value = row.pop(name, None)
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return ""
    if not isinstance(value, kinds):
        raise BabeletError(
            f"{place} has an unusable {name}",
            expected="text" if name == "language" else "text or a number",
            received=repr(value)[:80],
            remedy=f"correct the row, or give the column {name} another name",
        )
    return valid_unicode(str(value))


def _plain(value: Any, place: str, depth: int = 1) -> Any:
    """Returns a value of metadata as JSON can hold it: NaN and infinity are null."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if not isinstance(value, dict | list | tuple):
        return value
    if depth == _DEEPEST:
        raise BabeletError(
            f"{place} has metadata within metadata, {_DEEPEST} levels deep",
            expected="simple values, or a few levels",
            remedy="leave the column out of the input",
        )
    if isinstance(value, dict):
        return {str(k): _plain(v, place, depth + 1) for k, v in value.items()}
    return [_plain(item, place, depth + 1) for item in value]
