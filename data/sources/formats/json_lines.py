"""JSON lines: an object in each, its keys the columns."""

import json
from collections.abc import Iterator
from typing import Any

from babelet.configs.schema import DataConfig
from babelet.data.sources.formats.records import no_roles, pairs_in, roles_of
from babelet.data.sources.location import Location
from babelet.data.sources.opening import lines
from babelet.data.sources.raw import RawPair

EXPECTED = 'a JSON object in each line, such as {"en": "…", "de": "…"}'


def read(location: Location, config: DataConfig) -> Iterator[RawPair]:
    """Yields the pairs of a file; a line that is no object is a row with a problem.

    Objects inside an object "translation" count as the object itself.

    Raises:
        BabeletError: The file cannot be read, or no object has the columns.
    """
    first: tuple[int, dict[str, Any]] | None = None
    usable = False
    for line, text in lines(location.path):
        try:
            record = json.loads(text)
        except (ValueError, RecursionError):
            record = None
        if not isinstance(record, dict):
            yield RawPair(location.path, line, "", "", text, "json")
            continue
        if isinstance(record.get("translation"), dict):
            record = record["translation"]
        first = first or (line, record)
        roles = roles_of(record, config)
        usable = usable or bool(roles)
        values = {role: record[name] for name, role in roles.items()}
        # Of two keys for one language, such as "de" and "DE", either may be meant.
        if values and len(values) == len(roles):
            yield from pairs_in(values, location, line, config)
        else:
            yield RawPair(location.path, line, "", "", text, "columns")
    if first and not usable:
        line, record = first
        raise no_roles(f"{location.path}, line {line}", record, config)
