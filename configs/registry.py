"""The settings of each task, by the task's name."""

import functools
import importlib
import importlib.metadata
from typing import Any

from babelet.configs.classification import ClassificationConfig
from babelet.configs.embedding import EmbeddingConfig
from babelet.configs.schema import Config
from babelet.configs.translation import TranslationConfig
from babelet.core.errors import BabeletError

# Other packages name their tasks in this group of entry points, each with a module that
# has `CONFIG`, `TASK`, `EXPORT`, `METRICS` and `page`, as the modules of ours do.
TASKS = "babelet.tasks"
_OURS: dict[str, type[Config]] = {
    "embedding": EmbeddingConfig,
    "classification": ClassificationConfig,
    "translation": TranslationConfig,
}


@functools.cache
def task_names() -> tuple[str, ...]:
    """Returns the names of all tasks, ours first."""
    others = importlib.metadata.entry_points(group=TASKS).names
    return (*_OURS, *sorted(others - _OURS.keys()))


@functools.cache
def config_class(task: str) -> type[Config]:
    """Returns the class of a task's settings.

    Raises:
        BabeletError: There is no such task.
    """
    return _OURS[task] if task in _OURS else module_of(task).CONFIG


@functools.cache
def module_of(task: str, part: str = "") -> Any:
    """Returns the module of a task, imported when it is asked for.

    Args:
        task: The task's name.
        part: Of ours, the module to import: "" with `TASK` and `EXPORT`, which needs
            TensorFlow, or "report" with `METRICS` and `page`. Another package's module
            has all of it.

    Raises:
        BabeletError: There is no such task.
    """
    if task in _OURS:
        return importlib.import_module(f"babelet.tasks.{task}{'_' * bool(part)}{part}")
    if task not in task_names():
        raise BabeletError(
            f"Unknown task {task[:100]!r}",
            expected=f"one of {', '.join(task_names())}",
            remedy="correct the name, or install the package that brings the task",
        )
    (entry,) = importlib.metadata.entry_points(group=TASKS, name=task)
    return entry.load()
