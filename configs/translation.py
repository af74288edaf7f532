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

    # The student's decoder layers: few, for they run once for each token.
    decoder_layers: int = 1
    # Whether the student starts from the teacher's token table and layers, as many of
    # them as it has, in the place of random weights. Both are then of one width.
    init_from_teacher: bool = False
    # The teacher that is trained first, on the references.
    teacher_encoder_layers: int = 4
    teacher_decoder_layers: int = 4
    teacher_hidden_dim: int = 256
    teacher_num_heads: int = 4
    teacher_intermediate_dim: int = 1024
    teacher_dropout: float = 0.15
    teacher_steps: int = 4000
    teacher_learning_rate: float = 1e-3
    teacher_warmup_steps: int = 400
    # Of its initial weights, batches and dropout; students of any `seed` share it.
    teacher_seed: int = 0
    # Whether it reads, beside the tokens of a text, the vectors that the encoder of the
    # section `teacher` has of them: what that one knows of languages needs no pairs.
    teacher_informed: bool = False
    # In the place of a trained teacher: a SavedModel folder whose serving_default maps
    # `text` to `translation`, or a file of such texts and translations, two columns
    # with a tab between them. Either needs objective.alpha=1 and targets of "teacher"
    # or "both".
    teacher_path: str = ""
    # What the student learns to say: the corpus's translations, the teacher's own
    # (sequence-level distillation), or both, each pair of texts once.
    targets: Literal["reference", "teacher", "both"] = "both"
    # Training pairs once more, with other names and placeholders in both texts alike:
    # teacher and student learn to copy what they have never seen. 0: none.
    renamed: int = 0
    # Sentences made of two training sentences each, which the teacher translates
    # whatever the targets are: text that it does not know by heart. 0: none.
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
