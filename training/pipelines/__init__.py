"""What a run does, for each task."""

from training.pipelines.base import Pipeline
from training.pipelines.classification import ClassificationPipeline
from training.pipelines.embedding import EmbeddingPipeline
from training.pipelines.translation import TranslationPipeline

PIPELINES: dict[str, type[Pipeline]] = {
    "classification": ClassificationPipeline,
    "embedding": EmbeddingPipeline,
    "translation": TranslationPipeline,
}
