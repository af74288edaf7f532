"""Every setting of a run, as frozen and validated dataclasses.

A recipe is a Python file in this folder whose `get_config()` returns a `Config`.
`config.json` in a workdir is the same thing, resolved; either can be given as
`--config`.
"""

import dataclasses
from typing import Literal

from babelet.configs.checks import in_range, named, require
from babelet.configs.data import DataConfig
from babelet.configs.folds import FoldsConfig
from babelet.configs.labels import LabelsConfig, TuningConfig
from babelet.configs.ranges import RANGES
from babelet.configs.translation import TranslationConfig


@dataclasses.dataclass(frozen=True)
class VocabularyConfig:
    """The student's tokenizer."""

    # "trim": the pieces of a teacher's SentencePiece that serve the corpus best;
    # "train": a SentencePiece Unigram model of the corpus alone.
    method: Literal["trim", "train"] = "trim"
    # Pieces, the four special ones included.
    size: int = 32_000
    # Below either of these, on held-out text of a language, a warning is printed:
    # mean cosine of the trimmed teacher with the full one;
    min_agreement: float = 0.95
    # share of unknown tokens.
    max_unknown_rate: float = 0.01
    # Held-out sentences per language for the coverage report.
    report_sentences: int = 100

    def __post_init__(self) -> None:
        in_range("vocabulary", self, RANGES)


@dataclasses.dataclass(frozen=True)
class TeacherConfig:
    """The model whose vectors the student learns."""

    # A name in model/teachers.
    kind: str = "packaged_e5"
    # A local file or folder, or a KerasHub preset's name; empty: what the kind
    # downloads.
    path: str = ""
    # Put before every text. "auto": what the model was trained with, where the kind
    # knows it, else nothing.
    prefix: str = "auto"
    # From token vectors to a sentence vector. "auto": as the model was trained, where
    # its files tell, else mean.
    pooling: Literal["auto", "mean", "cls", "max"] = "auto"
    # "l2" scales vectors to unit length; "none" refuses those that are not.
    normalization: Literal["l2", "none"] = "l2"
    # Layers kept, from the first; 0 keeps all (tests and measurements use fewer).
    num_layers: int = 0
    # Tokens; longer text is truncated.
    max_length: int = 128
    # Tokens per forward pass, padding included.
    tokens_per_batch: int = 4096
    # Where vectors are cached; empty: <workdir>/teacher_cache.
    cache_dir: str = ""

    def __post_init__(self) -> None:
        in_range("teacher", self, RANGES)


@dataclasses.dataclass(frozen=True)
class StudentConfig:
    """A Transformer encoder of free shape."""

    num_layers: int = 6
    hidden_dim: int = 384
    num_heads: int = 12
    intermediate_dim: int = 1536
    # Positions, special tokens included; longer text is truncated.
    max_length: int = 64
    pooling: Literal["mean", "cls", "max"] = "mean"
    # Width of the sentence vector; a projection is added where it differs from
    # hidden_dim.
    output_dim: int = 384
    # Few steps over much text: dropout costs accuracy and a fifth of the time.
    dropout: float = 0.0
    # Whose layers, and trimmed vocabulary, the student starts from: a kind of teacher,
    # or kind:path; empty: the teacher itself.
    init_from: str = ""
    # Its layers that initialise the student's, one for each; empty: random.
    init_layers: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        in_range("student", self, RANGES)
        require(
            self.hidden_dim % self.num_heads == 0,
            "student.hidden_dim",
            f"a multiple of student.num_heads ({self.num_heads})",
            str(self.hidden_dim),
        )
        require(
            len(self.init_layers) in (0, self.num_layers),
            "student.init_layers",
            f"one teacher layer for each of the {self.num_layers} student layers, "
            "or none",
            str(self.init_layers),
        )


@dataclasses.dataclass(frozen=True)
class ObjectiveConfig:
    """alpha·CE + (1-alpha)·T²·KL over the candidates, plus weighted feature terms."""

    # Share of the hard label: 1 is plain training, 0 pure distillation.
    alpha: float = 0.5
    # Temperature T >= 1 of both softmaxes.
    temperature: float = 1.0
    # Above 0: of the hard label is learned, in the place of cross-entropy, what its
    # log-odds lack to this number. Then the likeliest choice is the one that counts,
    # as where a translator decodes greedily, and probabilities are no beliefs.
    margin: float = 0.0
    # tau: logits are cosines divided by it.
    scale: float = 0.03
    # "teacher": cached teacher vectors of the translations, and a bank of others;
    # "student": the student's own vectors of the translations in the batch.
    candidates: Literal["teacher", "student"] = "teacher"
    # Further teacher vectors drawn at each step as candidates.
    bank_size: int = 1024
    # Weight of 1 - cosine(student, teacher).
    embedding_match: float = 10.0

    def __post_init__(self) -> None:
        in_range("objective", self, RANGES)


@dataclasses.dataclass(frozen=True)
class TrainingConfig:
    """The loop. Budgets are steps, never wall-clock."""

    steps: int = 1000
    # Pairs per step.
    batch_size: int = 128
    # Share of rows whose source is the pivot sentence itself.
    pivot_share: float = 0.1
    # Languages of the data that are measured but not trained on.
    leave_out: tuple[str, ...] = ()
    # "muon" learns from fewer steps, at AdamW's rates or double.
    optimizer: Literal["adamw", "muon"] = "adamw"
    # Peak; linear warm-up, cosine decay to zero.
    learning_rate: float = 4e-4
    warmup_steps: int = 100
    weight_decay: float = 0.0
    clip_norm: float = 1.0
    # "auto": bfloat16 where the CPU computes in it, else float32.
    precision: Literal["auto", "float32", "mixed_bfloat16", "mixed_float16"] = "auto"
    checkpoint_every: int = 200
    validate_every: int = 200
    # Of which step the weights are kept: the one with the best validation, or the last,
    # where the rate has decayed to zero. The best of many uncertain scores is luck.
    keep: Literal["best", "last"] = "best"
    # Validations without improvement before stopping, where the best are kept.
    patience: int = 5
    # Validation metric that picks the best weights; higher is better. Where no text is
    # translated there is no retrieval, and "agreement" with the teacher decides.
    metric: str = "retrieval"
    # Validation pairs per language.
    validation_pairs: int = 200

    def __post_init__(self) -> None:
        in_range("training", self, RANGES)
        named("training.leave_out", self.leave_out)


@dataclasses.dataclass(frozen=True)
class EvaluationConfig:
    """What the finished student is measured on."""

    # Test pairs per language, at most.
    pairs_per_language: int = 1000
    # Folders in LASER's Tatoeba layout and STS CSV files, measured as well.
    tatoeba: tuple[str, ...] = ()
    sts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        in_range("evaluation", self, RANGES)


@dataclasses.dataclass(frozen=True)
class ExportConfig:
    """The gate that quantised files pass, against the student in float32."""

    # Smallest cosine of the two vectors of any test text.
    min_cosine: float = 0.98
    # Share of test sentences, mean over languages, whose translation is found no more.
    max_retrieval_loss: float = 0.01
    # BLEU, of 100, that a translator's quantised file may lose.
    max_bleu_loss: float = 0.5

    def __post_init__(self) -> None:
        in_range("export", self, RANGES)


@dataclasses.dataclass(frozen=True)
class Config:
    """One run. `seed` decides initial weights, batches and dropout, not the splits."""

    name: str
    data: DataConfig
    task: Literal["embedding", "classification", "translation"] = "embedding"
    seed: int = 0
    # Of the exported files, as an SPDX expression; text and teacher have their say.
    licence: str = "unstated"
    vocabulary: VocabularyConfig = dataclasses.field(default_factory=VocabularyConfig)
    teacher: TeacherConfig = dataclasses.field(default_factory=TeacherConfig)
    student: StudentConfig = dataclasses.field(default_factory=StudentConfig)
    objective: ObjectiveConfig = dataclasses.field(default_factory=ObjectiveConfig)
    training: TrainingConfig = dataclasses.field(default_factory=TrainingConfig)
    evaluation: EvaluationConfig = dataclasses.field(default_factory=EvaluationConfig)
    translation: TranslationConfig = dataclasses.field(
        default_factory=TranslationConfig
    )
    export: ExportConfig = dataclasses.field(default_factory=ExportConfig)
    folds: FoldsConfig = dataclasses.field(default_factory=FoldsConfig)
    # Of the task "classification" alone.
    labels: LabelsConfig = dataclasses.field(default_factory=LabelsConfig)
    tuning: TuningConfig = dataclasses.field(default_factory=TuningConfig)

    def __post_init__(self) -> None:
        in_range("", self, RANGES)
        named("name", self.name)
        unknown = set(self.training.leave_out) - set(self.data.languages)
        require(
            not unknown,
            "training.leave_out",
            "languages of data.languages",
            ", ".join(sorted(unknown)),
        )
        require(
            not (self.folds.count and self.task == "translation"),
            "folds.count",
            "0 for the task translation",
            str(self.folds.count),
        )
