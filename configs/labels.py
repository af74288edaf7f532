"""Settings of classification: which labels are used, and how the teacher gets them."""

import dataclasses
from typing import Literal

from babelet.configs.checks import in_range, named
from babelet.configs.ranges import RANGES


def class_name(text: str) -> str:
    """Returns a class's name as it is, without white space and a BOM around it.

    Nothing else is changed: names from several files are compared letter by letter.
    """
    return text.strip().strip("\ufeff").strip()


@dataclasses.dataclass(frozen=True)
class LabelsConfig:
    """Which labels a run may see. Hidden ones still count in the test."""

    # "supervised": all labels. "few_shot": all of the pivot language, per_class of each
    # class elsewhere. "zero_shot": those of the pivot language alone. Text whose label
    # is hidden is trained on by its soft label alone.
    setting: Literal["supervised", "few_shot", "zero_shot"] = "supervised"
    # Labelled sentences of each class in each language but the pivot, for few_shot.
    per_class: int = 4
    # Names of the classes, in order; rows of others are left out. Empty: all that the
    # text has.
    classes: tuple[str, ...] = ()
    # Sentences made of each template, by sources that have templates.
    sentences_per_template: int = 4
    # "balanced": each class weighs the same in the hard labels' loss.
    class_weights: Literal["none", "balanced"] = "none"
    # Share of validation sentences that may be refused as of no known class. The
    # threshold on the highest score follows from it.
    rejected_share: float = 0.05

    def __post_init__(self) -> None:
        in_range("labels", self, RANGES)
        classes = tuple(class_name(name) for name in self.classes)
        object.__setattr__(self, "classes", classes)
        named("labels.classes", classes)


@dataclasses.dataclass(frozen=True)
class TuningConfig:
    """How the teacher learns the task before it teaches."""

    # What of the teacher is trained on the labels. "head": a linear classifier on its
    # cached vectors. "last_layers": that and num_layers layers below it. "all":
    # everything. "none": the teacher is a classifier with a labels.txt, and its scores
    # are taken as they are.
    scope: Literal["none", "head", "last_layers", "all"] = "all"
    # Layers that last_layers trains.
    num_layers: int = 3
    # Optimizer steps.
    steps: int = 600
    # Sentences per step.
    batch_size: int = 128
    # Peak, after a linear warm-up; a cosine decay to zero follows.
    learning_rate: float = 3e-4
    # Steps of the warm-up.
    warmup_steps: int = 60
    # Gradients of a larger norm are scaled down to it.
    clip_norm: float = 1.0
    # Steps between validations. They know the visible labels alone, which say little of
    # other languages.
    validate_every: int = 100
    # Validations without improvement before tuning stops.
    patience: int = 6
    # Decides the order of its batches. Students of every seed share the teacher.
    seed: int = 0

    def __post_init__(self) -> None:
        in_range("tuning", self, RANGES)
