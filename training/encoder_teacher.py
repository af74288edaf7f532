"""A run's teacher of sentence vectors, and the model that its student starts from."""

from collections.abc import Callable
from functools import cached_property
from pathlib import Path

import keras
import numpy as np

from babelet.configs import schema
from babelet.core.errors import BabeletError
from babelet.data.download import cache_folder
from babelet.model.initialisation import initialise_from_teacher
from babelet.model.teachers.base import Teacher
from babelet.training.teacher_cache import TeacherCache
from babelet.training.teachers import open_teacher
from babelet.training.workdir import Workdir

CACHE = "teacher_cache"


class EncoderTeacher:
    """Opens teacher and origin at first use, and remembers the teacher's vectors."""

    def __init__(
        self,
        workdir: Workdir,
        load: Callable[[schema.TeacherConfig], Teacher] | None = None,
    ) -> None:
        """Takes the run's folder.

        Args:
            workdir: The run's.
            load: Opens the teacher of the settings; None: `open_teacher`.
        """
        self._config = workdir.config
        self._path = workdir.path
        self._load = load or (lambda config: open_teacher(config, cache_folder()))

    @cached_property
    def model(self) -> Teacher:
        """The teacher."""
        return self._load(self._config.teacher)

    @cached_property
    def origin(self) -> Teacher:
        """Whose layers and vocabulary the student starts from."""
        kind, _, path = self._config.student.init_from.partition(":")
        if not kind:
            return self.model
        length = self._config.teacher.max_length
        config = schema.TeacherConfig(kind=kind, path=path, max_length=length)
        return open_teacher(config, cache_folder())

    @cached_property
    def cache(self) -> TeacherCache:
        """The teacher's vectors."""
        folder = self._config.teacher.cache_dir or self._path / CACHE
        return TeacherCache(self.model, Path(folder))

    def fingerprints(self) -> dict[str, str]:
        """Returns what names teacher and origin."""
        found = {"teacher": self.model.fingerprint}
        if self._config.student.init_from:
            found["origin"] = self.origin.fingerprint
        return found

    def backbone(self) -> keras.Model:
        """Returns the encoder whose layers the student starts from.

        Raises:
            BabeletError: The origin has no layers of a kind that the student has, or
                not those of `student.init_layers`.
        """
        wanted, backbone = self._config.student.init_layers, self.origin.backbone
        if backbone is None:
            raise BabeletError(
                "This teacher has no layers for the student to start from",
                expected="student.init_layers empty, or a BERT encoder",
                received=f"student.init_layers={wanted}",
                remedy="set student.init_layers= (random weights), or student.init_from"
                " to another teacher, such as packaged_e5",
            )
        count = backbone.num_layers
        if any(layer >= count for layer in wanted):
            raise BabeletError(
                "The student cannot start from a layer that its teacher does not have",
                expected=f"layers from 0 to {count - 1}",
                received=f"student.init_layers={','.join(map(str, wanted))}",
                remedy="change student.init_layers, or leave it empty: random weights",
            )
        return backbone

    def require_layers(self) -> None:
        """Checks what `student.init_layers` names; before the teacher has run.

        Raises:
            BabeletError: As `backbone`.
        """
        if self._config.student.init_layers:
            self.backbone()

    def start(
        self, student: keras.Model, teacher_ids: Callable[[], np.ndarray | None]
    ) -> None:
        """Copies the origin's layers of `init_layers` into `student`, where set.

        Args:
            student: At random weights.
            teacher_ids: Returns int32 (vocabulary,), the origin's id of each student
                token; None if the two have no vocabulary in common.

        Raises:
            BabeletError: The layers are not the student's shape, or not there.
        """
        layers = self._config.student.init_layers
        if not layers:
            return
        try:
            copied = initialise_from_teacher(
                student, self.backbone(), layers=layers, teacher_ids=teacher_ids()
            )
        except ValueError as error:
            raise BabeletError(
                str(error), remedy="change student.init_layers"
            ) from error
        trainable = len(student.trainable_variables)
        print(f"initialised {len(copied)} of {trainable} variables from the teacher")


def lost_from(cache: Callable[[], TeacherCache], what: str) -> Callable[[dict], str]:
    """Returns what `Step.lost` is to be: whether a step's vectors are still cached.

    Args:
        cache: Opens the cache.
        what: The name, among the step's facts, of how many there were.
    """

    def lost(facts: dict) -> str:
        count = facts[what] - len(cache())
        if count <= 0:
            return ""
        return (
            f"{count:,} {what} of the teacher are damaged or missing and are computed "
            "again"
        )

    return lost
