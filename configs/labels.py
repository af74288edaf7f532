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

    # "supervised": all; "few_shot": all of the pivot language, `per_class` sentences
    # of each class in every other one; "zero_shot": those of the pivot language.
    # Text whose label is hidden is trained on by its soft label alone.
    setting: Literal["supervised", "few_shot", "zero_shot"] = "supervised"
    per_class: int = 4
    # Their names in order; rows of others are left out. Empty: all that the text has.
    classes: tuple[str, ...] = ()
    # Sentences made of each template, by sources that have templates.
    sentences_per_template: int = 4
    # "balanced": each class weighs the same in the hard labels' loss.
    class_weights: Literal["none", "balanced"] = "none"
    # Of validation sentences, the share that may be refused as of no known class;
    # the threshold on the highest score follows from it.
    rejected_share: float = 0.05

    def __post_init__(self) -> None:
        in_range("labels", self, RANGES)
        classes = tuple(class_name(name) for name in self.classes)
        object.__setattr__(self, "classes", classes)
        named("labels.classes", classes)


@dataclasses.dataclass(frozen=True)
class TuningConfig:
    """How the teacher learns the task before it teaches."""

    # What is trained on the labels: "head", a linear classifier on the teacher's
    # cached vectors; "last_layers", with `num_layers` layers below it; "all". "none":
    # the teacher is a classifier with a labels.txt, and its scores are taken as they
    # are (teacher.kind kerashub, saved_model or scores).
    scope: Literal["none", "head", "last_layers", "all"] = "all"
    num_layers: int = 3
    steps: int = 600
    batch_size: int = 128
    learning_rate: float = 3e-4
    warmup_steps: int = 60
    clip_norm: float = 1.0
    # Steps between validations, and validations without improvement before stopping.
    # Validation knows the visible labels alone, which say little of other languages.
    validate_every: int = 100
    patience: int = 6
    # Of the order of its batches; students of every seed share the teacher.
    seed: int = 0

    def __post_init__(self) -> None:
        in_range("tuning", self, RANGES)
