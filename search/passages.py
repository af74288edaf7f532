"""Passages with the documents that they are of."""

import dataclasses
import json
from collections.abc import Iterable, Sequence
from typing import Any, cast

import apsw


@dataclasses.dataclass(frozen=True)
class Passage:
    """A row of `passages`, and of `documents` what belongs to it."""

    number: int
    # In the document's text, in code points.
    start: int
    stop: int
    text: str
    document: int
    source: str
    key: str
    language: str
    metadata: dict[str, Any]


def read_passages(connection: apsw.Connection, numbers: Sequence[int]) -> list[Passage]:
    """Returns passages in the order of their numbers given."""
    rows = connection.execute(
        "SELECT p.id, p.start, p.stop, d.text, d.id, d.source, d.key, d.language, "
        "d.metadata FROM json_each(?) AS j JOIN passages AS p ON p.id = j.value "
        "JOIN documents AS d ON d.id = p.document ORDER BY j.key",
        (json.dumps(list(numbers)),),
    )
    return [_passage(*row) for row in cast(Iterable[Any], rows)]


def _passage(
    number: int, start: int, stop: int, text: str, document: int, *rest: str
) -> Passage:
    require_texts(text, *rest)
    source, key, language, metadata = rest
    # Another program may have written NaN, which is no JSON.
    facts = json.loads(metadata, parse_constant=lambda name: None)
    if not isinstance(facts, dict):
        raise ValueError(f"metadata of document {document} is no JSON object")
    # SQLite's own substr ends at a NUL.
    own, names = text[start:stop], (source, key, language)
    return Passage(number, start, stop, own, document, *names, facts)


def require_texts(*values: str) -> None:
    """Raises TypeError if one is none: SQLite's columns hold anything."""
    for value in values:
        if not isinstance(value, str):
            raise TypeError(f"{value!r:.40} where a text should be")
