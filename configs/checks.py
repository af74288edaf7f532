"""Checks of settings, with the error that names the setting."""

import dataclasses
import functools
import typing
from collections.abc import Iterable
from typing import Any, ClassVar

from babelet.core.errors import BabeletError

# Class of settings -> name -> type, with what is annotated.
hints = functools.cache(functools.partial(typing.get_type_hints, include_extras=True))


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


def range_of(kind: Any) -> Range | None:
    """Returns the range in a setting's type, or in that of its items."""
    if typing.get_origin(kind) is tuple:
        kind = typing.get_args(kind)[0]
    found = [x for x in getattr(kind, "__metadata__", ()) if isinstance(x, Range)]
    return found[0] if found else None


class Section:
    """Settings that are checked when they are made; subclasses are dataclasses.

    Attributes:
        section: Their place in the config, before the dot.
    """

    section: ClassVar[str] = ""

    def __post_init__(self) -> None:
        """Checks every number, text and section.

        Raises:
            BabeletError: A number out of its range, a text that no file can hold, or
                a section of another task.
        """
        for field in dataclasses.fields(typing.cast(Any, self)):
            key = f"{self.section}.{field.name}" if self.section else field.name
            kind, value = hints(type(self))[field.name], getattr(self, field.name)
            if dataclasses.is_dataclass(kind):
                named = typing.cast(type, kind)
                is_one, expected = isinstance(value, named), _class_name(named)
                require(is_one, key, expected, _class_name(type(value)))
                continue
            numbers = range_of(kind)
            for item in value if isinstance(value, tuple | list) else (value,):
                if numbers:
                    number = isinstance(item, int | float) and not isinstance(
                        item, bool
                    )
                    inside = number and item in numbers
                    require(inside, key, str(numbers), _shown(item))
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


def _class_name(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 100 else f"{text[:99]}…"
