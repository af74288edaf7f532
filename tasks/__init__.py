"""What a decision is, for each task."""

from tasks.base import Task
from tasks.embedding import EmbeddingTask

TASKS: dict[str, type[Task]] = {"embedding": EmbeddingTask}
