"""Configs as JSON and by dotted keys: read, written and changed, every key checked."""

import dataclasses
import difflib
import functools
import json
import os
import reprlib
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from babelet.configs.schema import Config
from babelet.core.errors import BabeletError

BOOLEANS = {"true": True, "false": False}
# Settings that are paths, in which ~ is the home folder. data.files is read in data/,
# which knows which of its entries are paths.
_PATHS = frozenset(
    {
        "teacher.path",
        "teacher.cache_dir",
        "student.init_from",
        "evaluation.tatoeba",
        "evaluation.sts",
        "translation.teacher_path",
    }
)

_hints = functools.cache(typing.get_type_hints)


def to_json(config: Config) -> str:
    """Returns `config` as indented JSON text that `from_json` reads back."""
    return json.dumps(dataclasses.asdict(config), indent=2) + "\n"


def from_json(path: Path) -> Config:
    """Reads a `config.json`.

    Raises:
        BabeletError: The file is missing, is not JSON, or has an unknown or
            mistyped key.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
        values = json.loads(text, object_pairs_hook=_once)
    except OSError as error:
        raise BabeletError(
            f"Cannot read the config {path}: {error.strerror}",
            remedy="give --config an existing recipe or a run's config.json",
        ) from error
    # The second: it is nested too deep.
    except (ValueError, RecursionError) as error:
        raise BabeletError(
            f"{path} is not valid JSON: {error}",
            remedy="use the config.json of a run unchanged, and --set for changes",
        ) from error
    return _build(Config, values, where="")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Returns the pairs of a JSON object; of a key there twice one would be ignored."""
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"{twice[:100]!r} is there twice")
    return found


def replace(config: Config, changes: Mapping[str, Any]) -> Config:
    """Returns `config` with all of `changes` made at once, then checked.

    Args:
        config: The config to start from; it is not changed.
        changes: By dotted path, such as "training.steps", a value of the setting's
            type, or its text as given to --set.

    Raises:
        BabeletError: No such key (the nearest is named), or a value of another type
            or out of range.
    """
    values = dataclasses.asdict(config)
    for key, value in changes.items():
        _assign(values, key, value)
    return _build(Config, values, where="")


def keys() -> list[str]:
    """Returns the dotted path of every setting, in the order of the schema."""
    found = []
    for name, wanted in _hints(Config).items():
        if dataclasses.is_dataclass(wanted):
            found += [f"{name}.{field.name}" for field in dataclasses.fields(wanted)]
        else:
            found.append(name)
    return found


def value_of(config: Config, key: str) -> Any:
    """Returns the setting at a dotted path, such as "training.steps"."""
    return functools.reduce(getattr, key.split("."), config)


def as_values(config: Config, key: str) -> Any:
    """Returns the setting, or the group of settings, at a dotted path as JSON values.

    Raises:
        AttributeError: There is none.
    """
    found = value_of(config, key)
    if dataclasses.is_dataclass(found) and not isinstance(found, type):
        return dataclasses.asdict(found)
    return found


def _assign(values: dict[str, Any], key: str, value: Any) -> None:
    cls, where = Config, ""
    head, *rest = key.split(".")
    while True:
        field_types = _hints(cls)
        path = f"{where}{head}"
        if head not in field_types:
            raise _unknown_key(path, [f"{where}{name}" for name in field_types])
        wanted = field_types[head]
        if not dataclasses.is_dataclass(wanted):
            break
        if not rest:
            keys = ", ".join(f"{path}.{f.name}" for f in dataclasses.fields(wanted))
            raise BabeletError(
                f"{path} is a group of settings", remedy=f"set one of {keys}"
            )
        cls, where, values = wanted, f"{path}.", values[head]
        head, *rest = rest
    if rest:
        raise BabeletError(f"{path} has no settings inside it", remedy=f"set {path}")
    values[head] = _coerce(path, wanted, value)


def _build(cls: type, values: Any, where: str) -> Any:
    if not isinstance(values, dict):
        raise BabeletError(
            f"{where or 'The config'} must be a group of settings",
            received=type(values).__name__,
            remedy="compare it with the config.json of a finished run",
        )
    field_types = _hints(cls)
    arguments = {}
    for key, value in values.items():
        path = f"{where}{key}"
        if key not in field_types:
            raise _unknown_key(path, [f"{where}{name}" for name in field_types])
        if dataclasses.is_dataclass(field_types[key]):
            arguments[key] = _build(field_types[key], value, where=f"{path}.")
        else:
            arguments[key] = _coerce(path, field_types[key], value)
    missing = [
        f.name
        for f in dataclasses.fields(cls)
        if f.name not in arguments
        and f.default is dataclasses.MISSING
        and f.default_factory is dataclasses.MISSING
    ]
    if missing:
        raise BabeletError(
            f"The config lacks {where}{missing[0]}", remedy="add it to the config"
        )
    return cls(**arguments)


def _unknown_key(path: str, known: list[str]) -> BabeletError:
    path = path[:100]
    near = difflib.get_close_matches(path, known, n=1, cutoff=0.3)
    hint = f"did you mean {near[0]}?" if near else f"the keys are {', '.join(known)}"
    return BabeletError(f"Unknown config key {path}", remedy=hint)


def _coerce(path: str, wanted: Any, value: Any) -> Any:
    """Returns `value`, parsed if it is text for another type, or raises."""
    origin, choices = typing.get_origin(wanted), typing.get_args(wanted)
    try:
        if origin is Literal:
            chosen = value.strip() if isinstance(value, str) else value
            if chosen in choices:
                return chosen
            raise ValueError
        if origin is tuple:
            items = _items(value) if isinstance(value, str) else value
            if not isinstance(items, list | tuple):
                raise ValueError
            return tuple(_coerce(path, choices[0], item) for item in items)
        if wanted is float and isinstance(value, int) and not isinstance(value, bool):
            return float(value)
        if type(value) is wanted:
            return _expanded(path, str(value)) if path in _PATHS else value
        if isinstance(value, str):
            return _parse(wanted, value)
        raise ValueError
    # The second: a float holds no number of 400 digits.
    except (ValueError, OverflowError):
        raise BabeletError(
            f"Wrong value for {path}",
            expected=_described(wanted),
            received=f"{reprlib.repr(value)} ({type(value).__name__})",
            remedy=f"give --set {path}=... a value of that kind",
        ) from None


def _described(wanted: Any) -> str:
    """Returns what values of a type are, in words."""
    if typing.get_origin(wanted) is Literal:
        return "one of " + ", ".join(map(str, typing.get_args(wanted)))
    if wanted is bool:
        return " or ".join(BOOLEANS)
    return str(wanted if isinstance(wanted, types.GenericAlias) else wanted.__name__)


def _parse(wanted: type, text: str) -> int | float | bool:
    """Returns the number or truth value that `text` is, or raises ValueError."""
    if wanted is bool and text.strip().lower() in BOOLEANS:
        return BOOLEANS[text.strip().lower()]
    if wanted in (int, float):
        return wanted(text)
    raise ValueError


def _expanded(path: str, value: str) -> str:
    """Returns the text of a path setting with ~ as the home folder."""
    kind, colon, place = value.partition(":")
    if path == "student.init_from" and colon:
        return f"{kind}:{os.path.expanduser(place)}"
    return os.path.expanduser(value)


def _items(text: str) -> list[str]:
    text, brackets = text.strip(), set("()[]")
    # Not those of a name, such as "other (billing)".
    if text[:1] + text[-1:] in ("()", "[]") and not brackets & set(text[1:-1]):
        text = text[1:-1]
    return [item.strip() for item in text.split(",") if item.strip()]
