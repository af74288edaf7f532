"""Which passages a query may find: by the language and metadata of their documents."""

import dataclasses
import json
from collections.abc import Sequence
from typing import Any


@dataclasses.dataclass(frozen=True)
class Filter:
    """Conditions that a document has to meet, all of them."""

    # Any of these; none is any language.
    languages: tuple[str, ...] = ()
    # Name and value of metadata; numbers count as their digits.
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
        for name, value in self.metadata:
            # Not ->>: a name with a quote or "$" would be a path.
            tests.append(
                "EXISTS (SELECT 1 FROM json_each(d.metadata) AS m "
                "WHERE m.key = ? AND CAST(m.value AS TEXT) = ?)"
            )
            values += [name, value]
        if not tests:
            return "", ()
        return (
            f" AND {column} IN (SELECT p.id FROM documents AS d JOIN passages AS p "
            f"ON p.document = d.id WHERE {' AND '.join(tests)})",
            values,
        )
