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

from babelet.configs.checks import hints
from babelet.configs.registry import config_class, task_names
from babelet.configs.schema import Config
from babelet.configs.values import KIND_AND_PATH, PATH
from babelet.core.errors import BabeletError

BOOLEANS = {"true": True, "false": False}


def to_json(config: Config) -> str:
    """Returns `config` as indented JSON text that `from_json` reads back."""
    return json.dumps(dataclasses.asdict(config), indent=2) + "\n"


def from_json(path: Path) -> Config:
    """Reads a `config.json`.

    Raises:
        BabeletError: The file is missing, is not JSON, or has an unknown or
            mistyped key, an unknown task, or settings as an earlier version had them.
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
    # Once, the settings of all tasks were in every file.
    if isinstance(values, dict) and {"translation", "labels", "tuning"} <= {*values}:
        raise BabeletError(
            f"{path} was written by an earlier version of Babelet",
            expected="the settings of its own task alone",
            remedy="give babelet distill the recipe and this --workdir again: steps "
            "whose settings are the same are kept",
        )
    if not isinstance(values, dict) or not isinstance(values.get("task"), str):
        raise BabeletError(
            f"{path} does not name a task",
            expected=f"task: one of {', '.join(task_names())}",
            remedy="use the config.json of a run unchanged, and --set for changes",
        )
    return _build(config_class(values["task"]), values)


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
    values, cls = dataclasses.asdict(config), type(config)
    for key, value in changes.items():
        _assign(cls, values, key, value)
    return _build(cls, values)


def keys(cls: type) -> list[str]:
    """Returns the dotted path of every setting of a class, in the order of the code."""
    found = []
    for name, kind in section_types(cls).items():
        if dataclasses.is_dataclass(kind):
            inner = keys(typing.cast(type, kind))
            found += [f"{name}.{key}" for key in inner]
        else:
            found.append(name)
    return found


def section_types(cls: type) -> dict[str, Any]:
    """Returns the type of each field of a section, or of the whole config."""
    found = hints(cls)
    fields = dataclasses.fields(typing.cast(Any, cls))
    return {field.name: found[field.name] for field in fields}


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


def _assign(root: type, values: dict[str, Any], key: str, value: Any) -> None:
    cls, place, names = root, values, key.split(".")
    for depth, name in enumerate(names):
        field_types, path = section_types(cls), ".".join(names[: depth + 1])
        if name not in field_types:
            raise _unknown_key(key, root)
        kind = field_types[name]
        if not dataclasses.is_dataclass(kind):
            if depth + 1 < len(names):
                raise BabeletError(
                    f"{path} has no settings inside it", remedy=f"set {path}"
                )
            place[name] = _coerce(path, kind, value)
            return
        cls, place = typing.cast(type, kind), place[name]
    inside = ", ".join(f"{key}.{name}" for name in keys(cls))
    raise BabeletError(f"{key} is a group of settings", remedy=f"set one of {inside}")


def _build(cls: type, values: Any, where: str = "", root: type | None = None) -> Any:
    """Returns a section, or the whole config, of values by name."""
    if not isinstance(values, dict):
        raise BabeletError(
            f"{where[:-1]} must be a group of settings",
            received=type(values).__name__,
            remedy="compare it with the config.json of a finished run",
        )
    field_types, arguments, root = section_types(cls), {}, root or cls
    for key, value in values.items():
        path = f"{where}{key}"
        if key not in field_types:
            raise _unknown_key(path, root)
        kind = field_types[key]
        if dataclasses.is_dataclass(kind):
            inner = typing.cast(type, kind)
            arguments[key] = _build(inner, value, f"{path}.", root)
        else:
            arguments[key] = _coerce(path, kind, value)
    missing = [
        f.name
        for f in dataclasses.fields(typing.cast(Any, cls))
        if f.name not in arguments
        and f.default is dataclasses.MISSING
        and f.default_factory is dataclasses.MISSING
    ]
    if missing:
        raise BabeletError(
            f"The config lacks {where}{missing[0]}", remedy="add it to the config"
        )
    return cls(**arguments)


def _unknown_key(path: str, root: type) -> BabeletError:
    """Returns the error for a key that the settings of a task do not have."""
    path, own, known = path[:100], section_types(root), keys(root)
    task = root.__dataclass_fields__["task"].default  # type: ignore[attr-defined]
    of_key = f"{path}."
    others = [
        name
        for name in task_names()
        if any(f"{key}.".startswith(of_key) for key in keys(config_class(name)))
    ]
    if others:
        return BabeletError(
            f"{path} is a setting of {' and '.join(others)}, not of {task}",
            remedy=f"leave it out; babelet settings {task} lists those that it reads",
        )
    near = difflib.get_close_matches(path, [*known, *own], n=1, cutoff=0.3)
    hint = f"did you mean {near[0]}?" if near else f"the keys are {', '.join(known)}"
    return BabeletError(f"Unknown config key {path}", remedy=hint)


def _coerce(path: str, wanted: Any, value: Any) -> Any:
    """Returns `value`, parsed if it is text for another type, or raises."""
    marks = getattr(wanted, "__metadata__", ())
    if marks:
        wanted = wanted.__origin__
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
            return _expanded(str(value), marks) if marks and wanted is str else value
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


def _expanded(value: str, marks: tuple[Any, ...]) -> str:
    """Returns the text of a path setting with ~ as the home folder."""
    kind, colon, place = value.partition(":")
    if KIND_AND_PATH in marks and colon:
        return f"{kind}:{os.path.expanduser(place)}"
    return os.path.expanduser(value) if PATH in marks else value


def _items(text: str) -> list[str]:
    text, brackets = text.strip(), set("()[]")
    # Not those of a name, such as "other (billing)".
    if text[:1] + text[-1:] in ("()", "[]") and not brackets & set(text[1:-1]):
        text = text[1:-1]
    return [item.strip() for item in text.split(",") if item.strip()]
