"""Settings of a run that distils a classifier."""

import dataclasses
from typing import ClassVar, Literal

from babelet.configs import data
from babelet.configs.checks import Section, named
from babelet.configs.schema import EncoderStudentConfig as StudentConfig
from babelet.configs.schema import (
    EncoderTaskConfig,
    EncoderTrainingConfig,
    EvaluationConfig,
    FoldsConfig,
    TeacherConfig,
)
from babelet.configs.schema import EncoderVocabularyConfig as VocabularyConfig
from babelet.configs.schema import TemperedObjectiveConfig as ObjectiveConfig
from babelet.configs.values import Above0, Count, CountOrNone, Layers, Seed, ShareBelow1

# All sections of a recipe, by the names that they have in every task.
__all__ = (
    "ClassificationConfig",
    "DataConfig",
    "EvaluationConfig",
    "FoldsConfig",
    "LabelsConfig",
    "ObjectiveConfig",
    "StudentConfig",
    "TeacherConfig",
    "TrainingConfig",
    "TuningConfig",
    "VocabularyConfig",
)


def class_name(text: str) -> str:
    """Returns a class's name as it is, without white space and a BOM around it.

    Nothing else is changed: names from several files are compared letter by letter.
    """
    return text.strip().strip("\ufeff").strip()


@dataclasses.dataclass(frozen=True)
class DataConfig(data.DataConfig):
    """Which labelled text, and which of its rows."""

    # home_assistant_intents or labelled_files.
    source: str = "home_assistant_intents"


@dataclasses.dataclass(frozen=True)
class TrainingConfig(EncoderTrainingConfig):
    """The loop over labelled text."""

    # Validation metric that picks the best weights; higher is better.
    metric: Literal["accuracy"] = "accuracy"


@dataclasses.dataclass(frozen=True)
class LabelsConfig(Section):
    """Which labels a run may see. Hidden ones still count in the test."""

    section: ClassVar[str] = "labels"
    # "supervised": all labels. "few_shot": all of the pivot language, per_class of each
    # class elsewhere. "zero_shot": those of the pivot language alone. Text whose label
    # is hidden is trained on by its soft label alone.
    setting: Literal["supervised", "few_shot", "zero_shot"] = "supervised"
    # Labelled sentences of each class in each language but the pivot, for few_shot.
    per_class: Count = 4
    # Names of the classes, in order; rows of others are left out. Empty: all that the
    # text has.
    classes: tuple[str, ...] = ()
    # Sentences made of each template, by sources that have templates.
    sentences_per_template: Count = 4
    # "balanced": each class weighs the same in the hard labels' loss.
    class_weights: Literal["none", "balanced"] = "none"
    # Share of validation sentences that may be refused as of no known class. The
    # threshold on the highest score follows from it.
    rejected_share: ShareBelow1 = 0.05

    def __post_init__(self) -> None:
        super().__post_init__()
        classes = tuple(class_name(name) for name in self.classes)
        object.__setattr__(self, "classes", classes)
        named("labels.classes", classes)


@dataclasses.dataclass(frozen=True)
class TuningConfig(Section):
    """How the teacher learns the task before it teaches."""

    section: ClassVar[str] = "tuning"
    # What of the teacher is trained on the labels. "head": a linear classifier on its
    # cached vectors. "last_layers": that and num_layers layers below it. "all":
    # everything. "none": the teacher is a classifier with a labels.txt, and its scores
    # are taken as they are.
    scope: Literal["none", "head", "last_layers", "all"] = "all"
    # Layers that last_layers trains.
    num_layers: Layers = 3
    # Optimizer steps.
    steps: Count = 600
    # Sentences per step.
    batch_size: Count = 128
    # Peak, after a linear warm-up; a cosine decay to zero follows.
    learning_rate: Above0 = 3e-4
    # Steps of the warm-up.
    warmup_steps: CountOrNone = 60
    # Gradients of a larger norm are scaled down to it.
    clip_norm: Above0 = 1.0
    # Steps between validations. They know the visible labels alone, which say little of
    # other languages.
    validate_every: Count = 100
    # Validations without improvement before tuning stops.
    patience: Count = 6
    # Decides the order of its batches. Students of every seed share the teacher.
    seed: Seed = 0


@dataclasses.dataclass(frozen=True)
class ClassificationConfig(EncoderTaskConfig):
    """One run that distils a classifier."""

    data: DataConfig
    # What the student learns to do.
    task: Literal["classification"] = "classification"
    training: TrainingConfig = dataclasses.field(default_factory=TrainingConfig)
    labels: LabelsConfig = dataclasses.field(default_factory=LabelsConfig)
    tuning: TuningConfig = dataclasses.field(default_factory=TuningConfig)
