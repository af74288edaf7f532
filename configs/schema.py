"""What the settings of all tasks have in common, as frozen and validated dataclasses.

A recipe is a Python file in this folder whose `get_config()` returns the settings of a
task: an `EmbeddingConfig`, a `ClassificationConfig` or a `TranslationConfig`. The
module of a task has all of its sections under the names that are here, as
`babelet.configs.embedding.StudentConfig`. `config.json` in a workdir is the same
thing, resolved; either can be given as `--config`.
"""

import dataclasses
from typing import Annotated, ClassVar, Literal

from babelet.configs.checks import Range, Section, named, require
from babelet.configs.data import DataConfig
from babelet.configs.values import (
    Above0,
    Cosine,
    Count,
    CountOrNone,
    File,
    InnerWidth,
    Layers,
    Length,
    Origin,
    Seed,
    Share,
    ShareBelow1,
    Width,
)


@dataclasses.dataclass(frozen=True)
class VocabularyConfig(Section):
    """The student's tokenizer."""

    section: ClassVar[str] = "vocabulary"
    # Pieces of the student's tokenizer, the four special ones included.
    size: Annotated[int, Range(32, 1_000_000)] = 32_000


@dataclasses.dataclass(frozen=True)
class EncoderVocabularyConfig(VocabularyConfig):
    """The tokenizer of an encoder that has a teacher with one."""

    # "trim" keeps the pieces of a teacher's SentencePiece model that serve the corpus
    # best. "train" makes a SentencePiece Unigram model from the corpus alone.
    method: Literal["trim", "train"] = "trim"
    # A language whose held-out text agrees less than this gets a warning. Agreement is
    # the mean cosine of the teacher with the trimmed vocabulary and the teacher with
    # its own.
    min_agreement: Cosine = 0.95
    # A language with a larger share of unknown tokens in held-out text gets a warning.
    max_unknown_rate: Share = 0.01
    # Held-out sentences of each language that these two warnings are based on.
    report_sentences: Count = 100


@dataclasses.dataclass(frozen=True)
class TeacherConfig(Section):
    """The model whose vectors the student learns."""

    section: ClassVar[str] = "teacher"
    # packaged_e5, packaged_minilm, kerashub, saved_model or vectors; for a teacher that
    # is a classifier already (tuning.scope=none): kerashub, saved_model or scores.
    kind: str = "packaged_e5"
    # A local file or folder, or the name of a KerasHub preset. Empty: what the kind
    # downloads.
    path: File = ""
    # Text put before every text. "auto": what the model was trained with, if the kind
    # knows it, else nothing.
    prefix: str = "auto"
    # From token vectors to a sentence vector. "auto": as the model was trained, if its
    # files say so, else mean.
    pooling: Literal["auto", "mean", "cls", "max"] = "auto"
    # "l2" scales vectors to unit length. "none" refuses vectors that are not of unit
    # length.
    normalization: Literal["l2", "none"] = "l2"
    # Layers kept, from the first. 0 keeps all; fewer are for tests and measurements.
    num_layers: Annotated[int, Range(0, 256)] = 0
    # Tokens the teacher reads. Longer text is truncated.
    max_length: Length = 128
    # Tokens per forward pass, padding included.
    tokens_per_batch: Count = 4096
    # Folder where vectors are cached. Empty: <workdir>/teacher_cache.
    cache_dir: File = ""


@dataclasses.dataclass(frozen=True)
class StudentConfig(Section):
    """A Transformer of free shape."""

    section: ClassVar[str] = "student"
    # Transformer layers; for a translator, those of its encoder.
    num_layers: Layers = 6
    # Width of the layers; a multiple of num_heads.
    hidden_dim: Width = 384
    # Attention heads of each layer.
    num_heads: Width = 12
    # Width of the feed-forward part of each layer.
    intermediate_dim: InnerWidth = 1536
    # Tokens the student reads, special ones included. Longer text is truncated.
    max_length: Length = 64
    # Share of activations dropped in training. In short training over much text it
    # costs accuracy and a fifth of the time.
    dropout: ShareBelow1 = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        require_heads(self.section, self.hidden_dim, self.num_heads)


def require_heads(section: str, hidden_dim: int, num_heads: int) -> None:
    """Raises a BabeletError unless each head has the same share of the width."""
    require(
        hidden_dim % num_heads == 0,
        f"{section}.hidden_dim",
        f"a multiple of {section}.num_heads ({num_heads})",
        str(hidden_dim),
    )


@dataclasses.dataclass(frozen=True)
class EncoderStudentConfig(StudentConfig):
    """A Transformer encoder of free shape, cut from another or begun anew."""

    # From token vectors to a sentence vector.
    pooling: Literal["mean", "cls", "max"] = "mean"
    # Model whose layers and trimmed vocabulary the student starts from: a kind of
    # teacher, or kind:path. Empty: the teacher itself.
    init_from: Origin = ""
    # Layers of that model that initialise the student's, one for each. Empty: random
    # weights.
    init_layers: tuple[Annotated[int, Range(0, 255)], ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        require(
            len(self.init_layers) in (0, self.num_layers),
            "student.init_layers",
            f"one teacher layer for each of the {self.num_layers} student layers, "
            "or none",
            str(self.init_layers),
        )


@dataclasses.dataclass(frozen=True)
class ObjectiveConfig(Section):
    """alpha·CE + (1-alpha)·T²·KL over the candidates, plus weighted feature terms."""

    section: ClassVar[str] = "objective"
    # Weight of the hard label: 1 trains without a teacher, 0 on the teacher alone.
    alpha: Share = 0.5
    # Above 0: replaces cross-entropy with a hinge on the label's log-odds, which should
    # reach this number. Suits greedy decoding; probabilities are then uncalibrated.
    margin: Annotated[float, Range(0, 1000)] = 0.0


@dataclasses.dataclass(frozen=True)
class TemperedObjectiveConfig(ObjectiveConfig):
    """An objective whose candidates are all there, so that they can be tempered."""

    # Temperature T of both softmaxes.
    temperature: Annotated[float, Range(1, 1000)] = 1.0


@dataclasses.dataclass(frozen=True)
class TrainingConfig(Section):
    """The loop. Budgets are steps, never wall-clock."""

    section: ClassVar[str] = "training"
    # Optimizer steps.
    steps: Count = 1000
    # Rows per step.
    batch_size: Count = 128
    # "muon" needs fewer steps than "adamw", at the same learning rate or twice that.
    optimizer: Literal["adamw", "muon"] = "adamw"
    # Peak, after a linear warm-up; a cosine decay to zero follows.
    learning_rate: Above0 = 4e-4
    # Steps of the warm-up.
    warmup_steps: CountOrNone = 100
    # Decoupled weight decay.
    weight_decay: Annotated[float, Range(0, 1000)] = 0.0
    # Gradients of a larger norm are scaled down to it.
    clip_norm: Above0 = 1.0
    # "auto": bfloat16 if the CPU computes in it, else float32.
    precision: Literal["auto", "float32", "mixed_bfloat16", "mixed_float16"] = "auto"
    # Steps between checkpoints, from which an interrupted training continues.
    checkpoint_every: Count = 200
    # Steps between validations.
    validate_every: Count = 200
    # Weights that are kept: of the step with the best validation, or of the last one.
    # Between many uncertain scores, the best is luck.
    keep: Literal["best", "last"] = "best"
    # Validations without improvement before training stops, with keep "best".
    patience: Count = 5
    # Validation metric that picks the best weights; higher is better.
    metric: str = ""
    # Validation pairs, or sentences, of each language.
    validation_pairs: Count = 200


@dataclasses.dataclass(frozen=True)
class EncoderTrainingConfig(TrainingConfig):
    """The loop of a task whose text is in many languages."""

    # Languages that are measured but not trained on.
    leave_out: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        named("training.leave_out", self.leave_out)


@dataclasses.dataclass(frozen=True)
class EvaluationConfig(Section):
    """What the finished student is measured on."""

    section: ClassVar[str] = "evaluation"
    # Test pairs, or sentences, of each language, at most.
    pairs_per_language: Count = 1000


@dataclasses.dataclass(frozen=True)
class FoldsConfig(Section):
    """One fold of a cross-validation; `babelet tune --folds` runs them all."""

    section: ClassVar[str] = "folds"
    # Parts that all text but the test is dealt to, whole groups or templates together.
    # data.validation_fraction then has no effect. 0: no cross-validation.
    count: Annotated[int, Range(0, 1000)] = 0
    # The part that validates; the others train.
    number: Annotated[int, Range(0, 999)] = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self.count != 1, "folds.count", "0, or 2 or more", str(self.count))
        require(
            self.number < max(1, self.count),
            "folds.number",
            f"from 0, below folds.count={self.count}",
            str(self.number),
        )


@dataclasses.dataclass(frozen=True)
class Config(Section):
    """One run: its task, its seed, and its sections."""

    # Name of the run, in its reports and model files.
    name: str
    data: DataConfig
    # What the student learns to do.
    task: str = ""
    # Decides initial weights, batches and dropout; not which text is held out.
    seed: Seed = 0
    # Licence of the exported files, an SPDX expression. Those of text and teacher limit
    # it.
    licence: str = "unstated"
    vocabulary: VocabularyConfig = dataclasses.field(default_factory=VocabularyConfig)
    student: StudentConfig = dataclasses.field(default_factory=StudentConfig)
    objective: ObjectiveConfig = dataclasses.field(default_factory=ObjectiveConfig)
    training: TrainingConfig = dataclasses.field(default_factory=TrainingConfig)
    evaluation: EvaluationConfig = dataclasses.field(default_factory=EvaluationConfig)

    def __post_init__(self) -> None:
        super().__post_init__()
        named("name", self.name)


@dataclasses.dataclass(frozen=True)
class EncoderTaskConfig(Config):
    """One run whose student is an encoder with a teacher of its own kind."""

    vocabulary: EncoderVocabularyConfig = dataclasses.field(
        default_factory=EncoderVocabularyConfig
    )
    teacher: TeacherConfig = dataclasses.field(default_factory=TeacherConfig)
    student: EncoderStudentConfig = dataclasses.field(
        default_factory=EncoderStudentConfig
    )
    objective: TemperedObjectiveConfig = dataclasses.field(
        default_factory=TemperedObjectiveConfig
    )
    training: EncoderTrainingConfig = dataclasses.field(
        default_factory=EncoderTrainingConfig
    )
    folds: FoldsConfig = dataclasses.field(default_factory=FoldsConfig)

    def __post_init__(self) -> None:
        super().__post_init__()
        unknown = set(self.training.leave_out) - set(self.data.languages)
        require(
            not unknown,
            "training.leave_out",
            "languages of data.languages",
            ", ".join(sorted(unknown)),
        )
