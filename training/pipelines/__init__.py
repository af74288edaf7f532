"""What a run does, for each task."""

from training.pipelines.base import Pipeline
from training.pipelines.embedding import EmbeddingPipeline
from training.pipelines.translation import TranslationPipeline

PIPELINES: dict[str, type[Pipeline]] = {
    "embedding": EmbeddingPipeline,
    "translation": TranslationPipeline,
}
