"""The settings of each task, by the task's name."""

import functools
import importlib.metadata

from babelet.configs.classification import ClassificationConfig
from babelet.configs.embedding import EmbeddingConfig
from babelet.configs.schema import Config
from babelet.configs.translation import TranslationConfig
from babelet.core.errors import BabeletError

# Other packages name their tasks in this group of entry points, each with an object
# that has a `config_class`.
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
    if task not in task_names():
        raise BabeletError(
            f"Unknown task {task[:100]!r}",
            expected=f"one of {', '.join(task_names())}",
            remedy="correct the name, or install the package that brings the task",
        )
    if task in _OURS:
        return _OURS[task]
    (entry,) = importlib.metadata.entry_points(group=TASKS, name=task)
    return entry.load().config_class
