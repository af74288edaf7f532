"""Prints every setting of a run: its values, its default and what it means.

    babelet settings [embedding|classification|translation] [WORD]

    babelet settings translation
    babelet settings vocabulary.size
    babelet settings classification label

A task shows the settings that it reads; a word those that have it in their name or
meaning. Change them in a recipe, or on the command line with --set training.steps=200.
"""

import ast
import dataclasses
import difflib
import functools
import inspect
import itertools
import textwrap
import typing
from collections.abc import Sequence
from typing import Any, Literal

from babelet.configs import parsing
from babelet.configs.checks import Section, range_of
from babelet.configs.registry import config_class, task_names
from babelet.core import command
from babelet.core.errors import BabeletError

_TYPES = {bool: "true or false", int: "whole number", float: "number", str: "text"}
_WIDTH = 88


@dataclasses.dataclass(frozen=True)
class Setting:
    """One setting of a run, in words."""

    # "training.steps"; settings outside all groups have no dot.
    name: str
    # Its type with its range or choices.
    values: str
    # As --set takes it; "" if there is none.
    default: str
    # The comment above the field.
    meaning: str
    # The tasks that have it.
    tasks: tuple[str, ...]

    @property
    def group(self) -> str:
        """Returns the part of the name before the dot, "" if there is none."""
        return self.name.rpartition(".")[0]


@functools.cache
def every_setting() -> tuple[Setting, ...]:
    """Returns all settings, in the order of the code; those outside groups first.

    What tasks have by one name and not with the same values, default and meaning is
    there once for each.
    """
    found: dict[str, dict[str, list[Setting]]] = {"": {}}
    for task in task_names():
        for name in parsing.keys(config_class(task)):
            if name == "task":
                # Another task is another recipe.
                continue
            own = _setting(name, task)
            same_name = found.setdefault(own.group, {}).setdefault(name, [])
            same = [
                x for x in same_name if dataclasses.replace(own, tasks=x.tasks) == x
            ]
            if same:
                same_name.remove(same[0])
                own = dataclasses.replace(own, tasks=(*same[0].tasks, task))
            same_name.append(own)
    groups = (group.values() for group in found.values())
    return tuple(itertools.chain(*(itertools.chain(*names) for names in groups)))


def group_meaning(group: str) -> str:
    """Returns what a group of settings is about, in all tasks; "" is the whole."""
    for task in task_names():
        if kind := _group(config_class(task), group):
            shared = [base for base in kind.__mro__ if issubclass(base, Section)]
            # Above those of a single task, and below `Section` itself.
            return inspect.cleandoc(shared[-2].__doc__ or "")
    raise KeyError(group)


def find(task: str = "", word: str = "") -> tuple[Setting, ...]:
    """Returns the settings of a task that have a word in their name or meaning.

    Args:
        task: One of `task_names()`; "" for all of them.
        word: Any part of a name or meaning, in either case; "" for all settings.

    Raises:
        BabeletError: There is none. The nearest names are named.
    """
    of_task = [each for each in every_setting() if not task or task in each.tasks]
    sought = word.strip().lower()
    found = [
        each for each in of_task if sought in f"{each.name} {each.meaning}".lower()
    ]
    if not found:
        of_what = f"The task {task} reads no setting" if task else "There is no setting"
        near = _nearest(sought, [*(each.name for each in of_task), *task_names()])
        raise BabeletError(
            f"{of_what} that has {word[:100]!r} in its name or meaning",
            remedy=f"did you mean {', '.join(near)}? "
            f"{' '.join(('babelet settings', task)).strip()} shows all",
        )
    return tuple(found)


def text(settings: Sequence[Setting]) -> str:
    """Returns the settings for a terminal, each with its meaning indented below it."""
    lines = []
    for name, each in itertools.groupby(settings, lambda setting: setting.group):
        about = group_meaning(name).partition("\n")[0]
        lines += [f"{name or 'run'}: {about}", ""]
        for setting in each:
            default = f"default {setting.default}" if setting.default else "required"
            head = f"  {setting.name}  {setting.values}; {default}"
            lines += textwrap.wrap(head, _WIDTH, subsequent_indent=" " * 6)
            lines += textwrap.wrap(
                " ".join((setting.meaning, only(setting.tasks))),
                _WIDTH,
                initial_indent=" " * 6,
                subsequent_indent=" " * 6,
            )
        lines.append("")
    return "\n".join(lines).rstrip()


def only(tasks: Sequence[str]) -> str:
    """Returns which tasks read a setting, as a remark; "" if all of them do."""
    if set(tasks) == set(task_names()):
        return ""
    return f"Only for {' and '.join(tasks)}."


def _setting(name: str, task: str) -> Setting:
    """Returns the setting of a task at a dotted path."""
    group, _, own = name.rpartition(".")
    kind: Any = _group(config_class(task), group)
    default = kind.__dataclass_fields__[own].default
    return Setting(
        name,
        _values(parsing.section_types(kind)[own]),
        "" if default is dataclasses.MISSING else _shown(default),
        _comments(kind).get(own, ""),
        (task,),
    )


def _group(cls: type, group: str) -> type | None:
    """Returns the dataclass of a group of settings, None if the task has none."""
    for name in filter(None, group.split(".")):
        found = parsing.section_types(cls).get(name)
        if found is None:
            return None
        cls = found
    return cls


@functools.cache
def _comments(section: type) -> dict[str, str]:
    """Returns the comment above each field of a dataclass that has one."""
    found = {}
    for base in reversed(section.__mro__):
        if issubclass(base, Section):
            found |= _own_comments(base)
    return found


@functools.cache
def _own_comments(section: type) -> dict[str, str]:
    lines = inspect.getsource(section).splitlines()
    found = {}
    for node in ast.parse("\n".join(lines)).body[0].body:  # type: ignore[attr-defined]
        if isinstance(node, ast.AnnAssign):
            above = reversed(lines[: node.lineno - 1])
            own = itertools.takewhile(
                lambda x: x.startswith("#"), map(str.strip, above)
            )
            words = [line.lstrip("# ") for line in reversed(list(own))]
            found[ast.unparse(node.target)] = " ".join(words)
    return {name: meaning for name, meaning in found.items() if meaning}


def _values(kind: Any) -> str:
    """Returns what a setting may be, in words."""
    if typing.get_origin(kind) is Literal:
        return " | ".join(map(str, typing.get_args(kind)))
    if typing.get_origin(kind) is tuple:
        return f"{_values(typing.get_args(kind)[0])}, several with commas"
    numbers, plain = range_of(kind), getattr(kind, "__origin__", kind)
    if numbers is None:
        return _TYPES[plain]
    low = f"above {numbers.low:,}" if numbers.above else f"{numbers.low:,}"
    if numbers.high >= 1e30:
        return f"{_TYPES[plain]} {low}"
    return f"{_TYPES[plain]}, {low} to {'below ' * numbers.below}{numbers.high:,}"


def _shown(default: Any) -> str:
    """Returns a default as --set takes it."""
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, tuple):
        return ",".join(map(str, default)) or "empty"
    return str(default) if default != "" else "empty"


def _nearest(word: str, names: Sequence[str]) -> list[str]:
    """Returns the three names that are most like `word`, whole or after the dot."""

    def likeness(name: str) -> float:
        parts = (name, name.rpartition(".")[2])
        return max(difflib.SequenceMatcher(None, word, x).ratio() for x in parts)

    return sorted(names, key=likeness, reverse=True)[:3]


def main(argv: list[str]) -> None:
    """Runs the command line."""
    given = argv[1:]
    task = given.pop(0) if given and given[0] in task_names() else ""
    print(text(find(task, " ".join(given))))


if __name__ == "__main__":
    command.run(main)
