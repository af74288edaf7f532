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

    # "trim" keeps the pieces of a teacher's SentencePiece model that serve the corpus
    # best. "train" makes a SentencePiece Unigram model from the corpus alone.
    method: Literal["trim", "train"] = "trim"
    # Pieces of the student's tokenizer, the four special ones included.
    size: int = 32_000
    # A language whose held-out text agrees less than this gets a warning. Agreement is
    # the mean cosine of the teacher with the trimmed vocabulary and the teacher with
    # its own.
    min_agreement: float = 0.95
    # A language with a larger share of unknown tokens in held-out text gets a warning.
    max_unknown_rate: float = 0.01
    # Held-out sentences of each language that these two warnings are based on.
    report_sentences: int = 100

    def __post_init__(self) -> None:
        in_range("vocabulary", self, RANGES)


@dataclasses.dataclass(frozen=True)
class TeacherConfig:
    """The model whose vectors the student learns."""

    # packaged_e5, packaged_minilm, kerashub, saved_model or vectors; for a teacher that
    # is a classifier already (tuning.scope=none): kerashub, saved_model or scores.
    kind: str = "packaged_e5"
    # A local file or folder, or the name of a KerasHub preset. Empty: what the kind
    # downloads.
    path: str = ""
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
    num_layers: int = 0
    # Tokens the teacher reads. Longer text is truncated.
    max_length: int = 128
    # Tokens per forward pass, padding included.
    tokens_per_batch: int = 4096
    # Folder where vectors are cached. Empty: <workdir>/teacher_cache.
    cache_dir: str = ""

    def __post_init__(self) -> None:
        in_range("teacher", self, RANGES)


@dataclasses.dataclass(frozen=True)
class StudentConfig:
    """A Transformer encoder of free shape."""

    # Transformer layers; for a translator, those of its encoder.
    num_layers: int = 6
    # Width of the layers; a multiple of num_heads.
    hidden_dim: int = 384
    # Attention heads of each layer.
    num_heads: int = 12
    # Width of the feed-forward part of each layer.
    intermediate_dim: int = 1536
    # Tokens the student reads, special ones included. Longer text is truncated.
    max_length: int = 64
    # From token vectors to a sentence vector.
    pooling: Literal["mean", "cls", "max"] = "mean"
    # Width of the sentence vector. A projection is added if it differs from hidden_dim.
    output_dim: int = 384
    # Share of activations dropped in training. In short training over much text it
    # costs accuracy and a fifth of the time.
    dropout: float = 0.0
    # Model whose layers and trimmed vocabulary the student starts from: a kind of
    # teacher, or kind:path. Empty: the teacher itself.
    init_from: str = ""
    # Layers of that model that initialise the student's, one for each. Empty: random
    # weights.
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

    # Weight of the hard label: 1 trains without a teacher, 0 on the teacher alone.
    alpha: float = 0.5
    # Temperature T of both softmaxes. Translation needs 1.
    temperature: float = 1.0
    # Above 0: replaces cross-entropy with a hinge on the label's log-odds, which should
    # reach this number. Suits greedy decoding; probabilities are then uncalibrated.
    margin: float = 0.0
    # Cosines are divided by it to become logits (tau).
    scale: float = 0.03
    # "teacher": cached teacher vectors of the batch's translations, and a bank of
    # others. "student": the student's own vectors of the batch's translations.
    candidates: Literal["teacher", "student"] = "teacher"
    # Further teacher vectors drawn at each step as candidates.
    bank_size: int = 1024
    # Weight of the term 1 - cosine(student, teacher). 0: no such term.
    embedding_match: float = 10.0

    def __post_init__(self) -> None:
        in_range("objective", self, RANGES)


@dataclasses.dataclass(frozen=True)
class TrainingConfig:
    """The loop. Budgets are steps, never wall-clock."""

    # Optimizer steps.
    steps: int = 1000
    # Rows per step.
    batch_size: int = 128
    # Share of rows whose source is the pivot sentence itself.
    pivot_share: float = 0.1
    # Languages that are measured but not trained on.
    leave_out: tuple[str, ...] = ()
    # "muon" needs fewer steps than "adamw", at the same learning rate or twice that.
    optimizer: Literal["adamw", "muon"] = "adamw"
    # Peak, after a linear warm-up; a cosine decay to zero follows.
    learning_rate: float = 4e-4
    # Steps of the warm-up.
    warmup_steps: int = 100
    # Decoupled weight decay.
    weight_decay: float = 0.0
    # Gradients of a larger norm are scaled down to it.
    clip_norm: float = 1.0
    # "auto": bfloat16 if the CPU computes in it, else float32.
    precision: Literal["auto", "float32", "mixed_bfloat16", "mixed_float16"] = "auto"
    # Steps between checkpoints, from which an interrupted training continues.
    checkpoint_every: int = 200
    # Steps between validations.
    validate_every: int = 200
    # Weights that are kept: of the step with the best validation, or of the last one.
    # Between many uncertain scores, the best is luck.
    keep: Literal["best", "last"] = "best"
    # Validations without improvement before training stops, with keep "best".
    patience: int = 5
    # Validation metric that picks the best weights; higher is better. Embedding:
    # "retrieval", or "agreement" with the teacher (always, if no text is translated).
    # Classification: "accuracy". Translation: "bleu", "chrf" or "exact".
    metric: str = "retrieval"
    # Validation pairs, or sentences, of each language.
    validation_pairs: int = 200

    def __post_init__(self) -> None:
        in_range("training", self, RANGES)
        named("training.leave_out", self.leave_out)


@dataclasses.dataclass(frozen=True)
class EvaluationConfig:
    """What the finished student is measured on."""

    # Test pairs, or sentences, of each language, at most.
    pairs_per_language: int = 1000
    # Folders in the layout of LASER's Tatoeba test set, measured as well.
    tatoeba: tuple[str, ...] = ()
    # CSV files of sentence 1, sentence 2, score, measured as well.
    sts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        in_range("evaluation", self, RANGES)


@dataclasses.dataclass(frozen=True)
class ExportConfig:
    """The gate that quantised files pass, against the student in float32."""

    # Smallest cosine of any test text's vector with that of the student in float32.
    min_cosine: float = 0.98
    # Share of retrieval accuracy, mean over languages, that may be lost.
    max_retrieval_loss: float = 0.01
    # BLEU, of 100, that a translator's quantised file may lose. Below 0, a gain is
    # demanded.
    max_bleu_loss: float = 0.5

    def __post_init__(self) -> None:
        in_range("export", self, RANGES)


@dataclasses.dataclass(frozen=True)
class Config:
    """One run: its task, its seed, and its groups of settings."""

    # Name of the run, in its reports and model files.
    name: str
    data: DataConfig
    # What the student learns to do.
    task: Literal["embedding", "classification", "translation"] = "embedding"
    # Decides initial weights, batches and dropout; not which text is held out.
    seed: int = 0
    # Licence of the exported files, an SPDX expression. Those of text and teacher limit
    # it.
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
