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


# Conditions as one JSON value, so that any number of them is one expression: SQLite
# limits their depth. Not ->>: a name with a quote or "$" would be a path.
_MEETS_ALL = """
NOT EXISTS (
  SELECT 1 FROM json_each(?) AS c
  WHERE NOT EXISTS (
    SELECT 1 FROM json_each(d.metadata) AS m
    WHERE m.key = c.value ->> 0 AND CASE
      WHEN m.type IN ('true', 'false', 'null') THEN m.type = lower(c.value ->> 1)
      ELSE CAST(m.value AS TEXT) = c.value ->> 1 END
  )
)"""


@dataclasses.dataclass(frozen=True)
class Filter:
    """Conditions that a document has to meet, all of them."""

    # Any of these; none is any language.
    languages: tuple[str, ...] = ()
    # Name and value of metadata; numbers count as their digits, JSON's true, false
    # and null as these words.
    metadata: tuple[tuple[str, str], ...] = ()

    def clause(self, column: str) -> tuple[str, Sequence[Any]]:
        """Returns SQL that is true of passages that may be found, and its values.

        Args:
            column: The passage's number in the query that the clause is part of.
        """
        tests, values = [], []
        if self.languages:
            tests.append("d.language IN (SELECT value FROM json_each(?))")
            values.append(json.dumps(self.languages))
        if self.metadata:
            tests.append(_MEETS_ALL)
            values.append(json.dumps(self.metadata))
        if not tests:
            return "", ()
        return (
            f" AND {column} IN (SELECT p.id FROM documents AS d JOIN passages AS p "
            f"ON p.document = d.id WHERE {' AND '.join(tests)})",
            values,
        )
