"""Passages with the documents that they are of."""

import dataclasses
import json
from collections.abc import Sequence
from typing import Any

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
    return [
        # SQLite's own substr ends at a NUL.
        Passage(number, start, stop, text[start:stop], *rest, _read(metadata))
        for number, start, stop, text, *rest, metadata in rows
    ]


def _read(metadata: str) -> dict[str, Any]:
    # Another program may have written NaN, which is no JSON.
    return json.loads(metadata, parse_constant=lambda name: None)
