"""What a run does, for each task."""

from training.pipelines.base import Pipeline
from training.pipelines.embedding import EmbeddingPipeline

PIPELINES: dict[str, type[Pipeline]] = {"embedding": EmbeddingPipeline}
