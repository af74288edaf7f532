"""Settings that are good for other tasks and not for translation."""

from babelet.configs.schema import Config
from babelet.core.errors import BabeletError
from babelet.tasks.translation_text import METRICS


def check(config: Config) -> None:
    """Refuses settings with which no translator can be trained.

    Raises:
        BabeletError: Naming the setting.
    """
    if len(config.data.languages) != 1:
        raise BabeletError(
            "A translator has one target language",
            expected="one language in data.languages",
            received=", ".join(config.data.languages),
            remedy="set data.languages=de, say",
        )
    if config.data.weights:
        raise BabeletError(
            "A translator reads every pair as often as every other",
            received="data.weights",
            remedy="leave data.weights empty",
        )
    if config.objective.temperature != 1:
        raise BabeletError(
            "Translation needs a temperature of 1",
            received=f"objective.temperature={config.objective.temperature}",
            consequence="The tokens that are one candidate together cannot be tempered",
            remedy="set objective.temperature=1",
        )
    if config.training.metric not in METRICS:
        raise BabeletError(
            "A translator is validated by its translations",
            expected="one of " + ", ".join(METRICS),
            received=f"training.metric={config.training.metric}",
            remedy="set training.metric=bleu",
        )
    if config.student.init_layers or config.student.init_from:
        raise BabeletError(
            "A translator's student starts from random weights or from its teacher",
            received="student.init_layers or student.init_from",
            remedy="leave both empty, and set translation.init_from_teacher=true",
        )
    if config.translation.init_from_teacher:
        _check_start(config)
    if config.translation.teacher_path and config.translation.teacher_informed:
        raise BabeletError(
            "A teacher that is not trained here reads what it reads",
            received="translation.teacher_path and translation.teacher_informed=true",
            remedy="set translation.teacher_informed=false",
        )
    foreign, targets = config.translation.teacher_path, config.translation.targets
    if foreign and (config.objective.alpha < 1 or targets == "reference"):
        raise BabeletError(
            "Nothing can be learned from this teacher so",
            expected="objective.alpha=1 and translation.targets=teacher or both: of "
            "translation.teacher_path only the translations are known",
            received=f"{config.objective.alpha} and {targets}",
            remedy="change them, or leave translation.teacher_path empty",
        )


def _check_start(config: Config) -> None:
    """Refuses a student that cannot be cut from its teacher."""
    student, teacher = config.student, config.translation
    if teacher.teacher_path:
        raise BabeletError(
            "A teacher that is not trained here has no layers to start from",
            received="translation.teacher_path and translation.init_from_teacher=true",
            remedy="set translation.init_from_teacher=false",
        )
    pairs = {
        "hidden_dim": (student.hidden_dim, teacher.teacher_hidden_dim),
        "num_heads": (student.num_heads, teacher.teacher_num_heads),
        "intermediate_dim": (
            student.intermediate_dim,
            teacher.teacher_intermediate_dim,
        ),
    }
    for name, (own, theirs) in pairs.items():
        if own != theirs:
            raise BabeletError(
                "The student cannot start from a teacher of another shape",
                expected=f"student.{name}=translation.teacher_{name}",
                received=f"{own} and {theirs}",
                remedy="make them equal, or set translation.init_from_teacher=false",
            )
    layers = {
        "encoder": (student.num_layers, teacher.teacher_encoder_layers),
        "decoder": (teacher.decoder_layers, teacher.teacher_decoder_layers),
    }
    for name, (own, theirs) in layers.items():
        if own > theirs:
            raise BabeletError(
                "The student cannot start from a teacher with fewer layers",
                expected=f"at most the {theirs} of its {name}",
                received=str(own),
                remedy=f"raise translation.teacher_{name}_layers, or set "
                "translation.init_from_teacher=false",
            )
