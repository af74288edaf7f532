"""Which passages a query may find: by the language and metadata of their documents."""

import dataclasses
import json
from collections.abc import Sequence
from typing import Any

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
