"""Checks of settings, with the error that names the setting."""

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

from babelet.core.errors import BabeletError


def require(condition: bool, key: str, expected: str, received: str) -> None:
    """Raises a BabeletError for the setting `key` unless `condition` holds."""
    if not condition:
        raise BabeletError(
            f"Invalid {key}",
            expected=expected,
            received=received,
            remedy=f"change {key} in the recipe or with --set",
        )


@dataclasses.dataclass(frozen=True)
class Range:
    """Numbers from `low` to `high`; each end counts unless it is said to be open."""

    low: float
    high: float
    above: bool = False
    below: bool = False

    def __contains__(self, value: float) -> bool:
        """Returns whether `value` is inside; NaN never is."""
        over = value > self.low if self.above else value >= self.low
        return over and (value < self.high if self.below else value <= self.high)

    def __str__(self) -> str:
        """Returns it in words."""
        low = f"above {self.low:,}" if self.above else f"{self.low:,} or more"
        high = f"below {self.high:,}" if self.below else f"at most {self.high:,}"
        return f"a number {low} and {high}"


def in_range(group: str, settings: Any, ranges: Mapping[str, Range]) -> None:
    """Checks every number and text of a group of settings.

    Args:
        group: Its name, before the dot; "" for the settings outside all groups.
        settings: A dataclass.
        ranges: By dotted path. Of a tuple, each item has to be inside.

    Raises:
        BabeletError: A number out of its range, or a text that no file can hold.
    """
    for field in dataclasses.fields(settings):
        key = f"{group}.{field.name}" if group else field.name
        value = getattr(settings, field.name)
        for item in value if isinstance(value, tuple | list) else (value,):
            if key in ranges:
                number = isinstance(item, int | float) and not isinstance(item, bool)
                inside = number and item in ranges[key]
                require(inside, key, str(ranges[key]), _shown(item))
            elif isinstance(item, str):
                require("\0" not in item, key, "text without NUL", _shown(item))


def named(key: str, values: str | Iterable[str]) -> None:
    """Raises a BabeletError unless all of the setting's texts are names, each once.

    A name is not empty, and UTF-8 can hold it.
    """
    values = [values] if isinstance(values, str) else list(values)
    for value in values:
        plain = isinstance(value, str) and value.encode("utf-8", "ignore").decode()
        require(
            plain == value and bool(value.strip()),
            key,
            "text in Unicode that is not empty",
            _shown(value),
        )
    twice = sorted({value for value in values if values.count(value) > 1})
    require(not twice, key, "names that differ", ", ".join(twice))


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 100 else f"{text[:99]}…"
