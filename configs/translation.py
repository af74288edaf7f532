"""Settings that translation alone has: the teacher it trains, and how it decodes."""

import dataclasses
from typing import Literal

from babelet.configs.checks import in_range, require
from babelet.configs.ranges import RANGES


@dataclasses.dataclass(frozen=True)
class TranslationConfig:
    """From data.pivot into data.languages, which is one language.

    `student.num_layers` are the student's encoder layers; its other shapes serve the
    encoder and the decoder.
    """

    # The student's decoder layers. Few: they run once for each token.
    decoder_layers: int = 1
    # Whether the student starts from the teacher's token table and layers, as many as
    # it has, and not from random weights. Both are then of one width.
    init_from_teacher: bool = False
    # Encoder layers of the teacher, which is trained first, on the references.
    teacher_encoder_layers: int = 4
    # Decoder layers of the teacher.
    teacher_decoder_layers: int = 4
    # Width of the teacher's layers; a multiple of teacher_num_heads.
    teacher_hidden_dim: int = 256
    # Attention heads of each of the teacher's layers.
    teacher_num_heads: int = 4
    # Width of the feed-forward part of each of the teacher's layers.
    teacher_intermediate_dim: int = 1024
    # Share of activations dropped when the teacher is trained.
    teacher_dropout: float = 0.15
    # Optimizer steps of the teacher.
    teacher_steps: int = 4000
    # Peak of the teacher's learning rate.
    teacher_learning_rate: float = 1e-3
    # Steps of the teacher's warm-up.
    teacher_warmup_steps: int = 400
    # Decides the teacher's initial weights, batches and dropout. Students of every seed
    # share it.
    teacher_seed: int = 0
    # Whether the teacher reads, beside the tokens of a text, the token vectors of the
    # encoder of the section teacher. That encoder knows languages without pairs.
    teacher_informed: bool = False
    # A teacher in place of a trained one: a SavedModel folder whose serving_default
    # maps `text` to `translation`, or a file of texts and their translations with a tab
    # between them. Needs objective.alpha=1 and targets "teacher" or "both".
    teacher_path: str = ""
    # What the student learns to say: the corpus's translations ("reference"), the
    # teacher's own ("teacher", sequence-level distillation), or both, each pair of
    # texts once.
    targets: Literal["reference", "teacher", "both"] = "both"
    # Training pairs read once more with other names and placeholders, the same in both
    # texts: teacher and student learn to copy what they have never seen. 0: none.
    renamed: int = 0
    # New sentences, each made of two training sentences, that the teacher translates
    # whatever the targets are. The teacher has memorised its training pairs; these it
    # has not. 0: none.
    recombined: int = 0
    # The teacher's most probable tokens that are kept for each position.
    soft_candidates: int = 64
    # Beams of the teacher's translations, and of the evaluation's beam search.
    beam_size: int = 4
    # Beams are compared by log-probability / length ** length_penalty.
    length_penalty: float = 1.0

    def __post_init__(self) -> None:
        in_range("translation", self, RANGES)
        require(
            self.teacher_hidden_dim % self.teacher_num_heads == 0,
            "translation.teacher_hidden_dim",
            f"a multiple of translation.teacher_num_heads ({self.teacher_num_heads})",
            str(self.teacher_hidden_dim),
        )
