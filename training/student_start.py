"""Where a student starts: layers of its teacher."""

import keras

from babelet.configs.schema import EncoderStudentConfig
from babelet.core.errors import BabeletError
from babelet.model.initialisation import initialise_from_teacher
from babelet.training.preparation import Preparation


def start_from_teacher(
    student: keras.Model, settings: EncoderStudentConfig, preparation: Preparation
) -> None:
    """Copies the teacher's layers of `init_layers` into `student`, where set.

    Raises:
        BabeletError: A layer that the teacher does not have.
    """
    if not settings.init_layers:
        return
    try:
        copied = initialise_from_teacher(
            student,
            preparation.origin_backbone(),
            layers=settings.init_layers,
            teacher_ids=preparation.teacher_ids(),
        )
    except ValueError as error:
        raise BabeletError(str(error), remedy="change student.init_layers") from error
    trainable = len(student.trainable_variables)
    print(f"initialised {len(copied)} of {trainable} variables from the teacher")
