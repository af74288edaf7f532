"""Settings of a run that distils a sentence encoder."""

import dataclasses
from typing import Annotated, ClassVar, Literal

from babelet.configs import schema
from babelet.configs.checks import Range, Section, require
from babelet.configs.data import PairDataConfig
from babelet.configs.schema import (
    EncoderStudentConfig,
    EncoderTaskConfig,
    EncoderTrainingConfig,
    FoldsConfig,
    TeacherConfig,
    TemperedObjectiveConfig,
)
from babelet.configs.schema import EncoderVocabularyConfig as VocabularyConfig
from babelet.configs.values import (
    Above0,
    Cosine,
    CountOrNone,
    File,
    Share,
    ShareBelow1,
    Width,
)

# All sections of a recipe, by the names that they have in every task.
__all__ = (
    "DataConfig",
    "EmbeddingConfig",
    "EvaluationConfig",
    "ExportConfig",
    "FoldsConfig",
    "ObjectiveConfig",
    "StudentConfig",
    "TeacherConfig",
    "TrainingConfig",
    "VocabularyConfig",
)


@dataclasses.dataclass(frozen=True)
class DataConfig(PairDataConfig):
    """Which text, translated or not, and which of its rows."""

    # How often training draws from each entry of data.files, in proportion. Empty: as
    # often as it has rows.
    weights: tuple[Above0, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        require(
            len(self.weights) in (0, len(self.files)),
            "data.weights",
            f"a number above 0 for each of the {len(self.files)} entries of data.files",
            ",".join(map(str, self.weights)),
        )


@dataclasses.dataclass(frozen=True)
class StudentConfig(EncoderStudentConfig):
    """A Transformer encoder, and the width of its vectors."""

    # Width of the sentence vector. A projection is added if it differs from hidden_dim.
    output_dim: Width = 384


@dataclasses.dataclass(frozen=True)
class ObjectiveConfig(TemperedObjectiveConfig):
    """Translation ranking with soft labels, plus the match of vectors."""

    # Cosines are divided by it to become logits (tau).
    scale: Annotated[float, Range(1e-6, 1000)] = 0.03
    # "teacher": cached teacher vectors of the batch's translations, and a bank of
    # others. "student": the student's own vectors of the batch's translations.
    candidates: Literal["teacher", "student"] = "teacher"
    # Further teacher vectors drawn at each step as candidates.
    bank_size: CountOrNone = 1024
    # Weight of the term 1 - cosine(student, teacher). 0: no such term.
    embedding_match: Annotated[float, Range(0, 1_000_000)] = 10.0


@dataclasses.dataclass(frozen=True)
class TrainingConfig(EncoderTrainingConfig):
    """The loop over pairs of translations."""

    # Share of rows whose source is the pivot sentence itself.
    pivot_share: ShareBelow1 = 0.1
    # Validation metric that picks the best weights; higher is better. "retrieval" of
    # translations, or "agreement" with the teacher (always, if no text is translated).
    metric: Literal["retrieval", "agreement"] = "retrieval"


@dataclasses.dataclass(frozen=True)
class EvaluationConfig(schema.EvaluationConfig):
    """What the finished encoder is measured on."""

    # Folders in the layout of LASER's Tatoeba test set, measured as well.
    tatoeba: tuple[File, ...] = ()
    # CSV files of sentence 1, sentence 2, score, measured as well.
    sts: tuple[File, ...] = ()


@dataclasses.dataclass(frozen=True)
class ExportConfig(Section):
    """The gate that quantised files pass, against the student in float32."""

    section: ClassVar[str] = "export"
    # Smallest cosine of any test text's vector with that of the student in float32.
    min_cosine: Cosine = 0.98
    # Share of retrieval accuracy, mean over languages, that may be lost.
    max_retrieval_loss: Share = 0.01


@dataclasses.dataclass(frozen=True)
class EmbeddingConfig(EncoderTaskConfig):
    """One run that distils a sentence encoder."""

    data: DataConfig
    # What the student learns to do.
    task: Literal["embedding"] = "embedding"
    vocabulary: VocabularyConfig = dataclasses.field(default_factory=VocabularyConfig)
    student: StudentConfig = dataclasses.field(default_factory=StudentConfig)
    objective: ObjectiveConfig = dataclasses.field(default_factory=ObjectiveConfig)
    training: TrainingConfig = dataclasses.field(default_factory=TrainingConfig)
    evaluation: EvaluationConfig = dataclasses.field(default_factory=EvaluationConfig)
    export: ExportConfig = dataclasses.field(default_factory=ExportConfig)
