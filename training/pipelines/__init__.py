"""What a run does, for each task."""

from babelet.training.pipelines.base import Pipeline
from babelet.training.pipelines.classification import ClassificationPipeline
from babelet.training.pipelines.embedding import EmbeddingPipeline
from babelet.training.pipelines.translation import TranslationPipeline

PIPELINES: dict[str, type[Pipeline]] = {
    "classification": ClassificationPipeline,
    "embedding": EmbeddingPipeline,
    "translation": TranslationPipeline,
}
