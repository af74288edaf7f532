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
from babelet.configs.ranges import RANGES
from babelet.configs.schema import Config
from babelet.core import command
from babelet.core.errors import BabeletError

TASKS: tuple[str, ...] = typing.get_args(typing.get_type_hints(Config)["task"])
# Settings, and whole groups of them, that a task does not read.
UNREAD: dict[str, tuple[str, ...]] = {
    "embedding": ("translation", "labels", "tuning", "export.max_bleu_loss"),
    "classification": (
        "translation",
        "export",
        "data.weights",
        "data.min_characters",
        "data.keep_placeholders",
        "data.keep_equal",
        "data.max_length_ratio",
        "data.check_language",
        "student.output_dim",
        "objective.scale",
        "objective.candidates",
        "objective.bank_size",
        "objective.embedding_match",
        "training.pivot_share",
        "evaluation.tatoeba",
        "evaluation.sts",
    ),
    # The first four are refused unless they have their defaults.
    "translation": (
        "data.weights",
        "folds",
        "student.init_from",
        "student.init_layers",
        "training.leave_out",
        "labels",
        "tuning",
        "teacher.cache_dir",
        "vocabulary.method",
        "vocabulary.min_agreement",
        "vocabulary.max_unknown_rate",
        "vocabulary.report_sentences",
        "student.pooling",
        "student.output_dim",
        "objective.scale",
        "objective.candidates",
        "objective.bank_size",
        "objective.embedding_match",
        "training.pivot_share",
        "evaluation.tatoeba",
        "evaluation.sts",
        "export.min_cosine",
        "export.max_retrieval_loss",
    ),
}
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
    # The tasks that read it.
    tasks: tuple[str, ...]

    @property
    def group(self) -> str:
        """Returns the part of the name before the dot, "" if there is none."""
        return self.name.rpartition(".")[0]


@functools.cache
def every_setting() -> tuple[Setting, ...]:
    """Returns all settings, in the order of the code; those outside groups first."""
    return tuple(
        sorted(map(_setting, parsing.keys()), key=lambda each: "." in each.name)
    )


def group_meaning(group: str) -> str:
    """Returns what a group of settings is about; "" is those outside all groups."""
    return inspect.cleandoc(_group(group).__doc__ or "")


def find(task: str = "", word: str = "") -> tuple[Setting, ...]:
    """Returns the settings of a task that have a word in their name or meaning.

    Args:
        task: One of `TASKS`; "" for all of them.
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
        near = _nearest(sought, [*(each.name for each in of_task), *TASKS])
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
    return "" if tuple(tasks) == TASKS else f"Only for {' and '.join(tasks)}."


def _setting(name: str) -> Setting:
    """Returns the setting at a dotted path."""
    group, _, own = name.rpartition(".")
    kind = _group(group)
    default = kind.__dataclass_fields__[own].default
    return Setting(
        name,
        _values(name, typing.get_type_hints(kind)[own]),
        "" if default is dataclasses.MISSING else _shown(default),
        _comments(kind).get(own, ""),
        tuple(task for task in TASKS if not {name, group} & set(UNREAD[task])),
    )


def _group(name: str) -> Any:
    """Returns the dataclass of a group of settings; "" is the whole."""
    return typing.get_type_hints(Config)[name] if name else Config


@functools.cache
def _comments(group: type) -> dict[str, str]:
    """Returns the comment above each field of a dataclass that has one."""
    lines = inspect.getsource(group).splitlines()
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


def _values(name: str, kind: Any) -> str:
    """Returns what a setting may be, in words."""
    if typing.get_origin(kind) is Literal:
        return " | ".join(map(str, typing.get_args(kind)))
    if typing.get_origin(kind) is tuple:
        return f"{_values(name, typing.get_args(kind)[0])}, several with commas"
    if name not in RANGES:
        return _TYPES[kind]
    numbers = RANGES[name]
    low = f"above {numbers.low:,}" if numbers.above else f"{numbers.low:,}"
    if numbers.high >= 1e30:
        return f"{_TYPES[kind]} {low}"
    return f"{_TYPES[kind]}, {low} to {'below ' * numbers.below}{numbers.high:,}"


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
    task = given.pop(0) if given and given[0] in TASKS else ""
    print(text(find(task, " ".join(given))))


if __name__ == "__main__":
    command.run(main)
