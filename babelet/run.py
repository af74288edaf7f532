"""Runs from Python: `distill` does what the command does, and gives what it left."""

import dataclasses
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from babelet.configs import overrides, parsing, record
from babelet.configs.schema import Config
from babelet.core.errors import BabeletError
from babelet.core.run_files import read_json
from babelet.core.startup import import_quietly

if TYPE_CHECKING:
    import keras


@dataclasses.dataclass(frozen=True)
class Run:
    """What a run left in its folder; read when it is asked for."""

    path: Path

    @property
    def config(self) -> Config:
        """The resolved settings."""
        return parsing.from_json(self.path / record.CONFIG)

    @property
    def metrics(self) -> dict[str, Any]:
        """The scores of student and teacher on the test text, as in the report.

        Raises:
            BabeletError: The evaluation is not done, or the file is damaged.
        """
        return read_json(self.path / "metrics.json")

    @property
    def files(self) -> dict[str, Path]:
        """The exported models by name: "int8", "mediapipe_int8", "saved_model".

        Empty before the export is done.
        """
        folder = self.path / "export"
        found = {
            path.stem.removeprefix("student_"): path
            for path in sorted(folder.glob("student_*.tflite"))
        }
        saved = folder / "saved_model"
        return found | ({"saved_model": saved} if saved.is_dir() else {})

    @property
    def report(self) -> Path:
        """The page with everything that was measured.

        Raises:
            BabeletError: The run has not come so far.
        """
        page = self.path / "report.html"
        if not page.is_file():
            raise BabeletError(
                f"{self.path} has no report yet",
                remedy="finish the run: babelet.distill with the same workdir",
            )
        return page

    def student(self) -> "keras.Model":
        """Returns the trained student, float32, as `load_student` does."""
        return load_student(self.path)


def distill(
    config: str | os.PathLike | Config,
    workdir: str | os.PathLike,
    *,
    prepared: str | os.PathLike = "",
    until: str = "report",
    **settings: Any,
) -> Run:
    """Distils a student, or continues the run in `workdir`; returns what it left.

    It is the command `babelet distill` in this process, in which TensorFlow is set to
    compute deterministically and all random generators start from `seed`.

        run = babelet.distill("smart_home", "runs/mine", training={"steps": 200})
        run.metrics, run.files["int8"], run.student()

    Args:
        config: A recipe of yours (a .py file), the name of one of Babelet's, a run's
            config.json, or a `Config`.
        workdir: The run's folder; created, or continued if it is there.
        prepared: Another run, whose corpus, vocabulary and teacher vectors serve too.
        until: The last step: preparation, training, evaluation, export or report.
        **settings: Changes: a group with a mapping, `training={"steps": 200}`, or a
            setting outside all groups, `seed=1`.

    Raises:
        BabeletError: Something that you can mend; nothing is lost, and the same call
            continues.
    """
    if not isinstance(config, Config):
        config = overrides.load(os.fspath(config))
    config = parsing.replace(config, _dotted(settings))
    import_quietly("babelet.training.run").run(
        config, Path(workdir), os.fspath(prepared), until
    )
    return Run(Path(workdir))


def load_student(run: Run | str | os.PathLike) -> "keras.Model":
    """Returns the trained student of a run, rebuilt in float32.

    An encoder and a classifier take `{"token_ids": int32 (B, L), "padding_mask": bool
    (B, L)}`; the first gives float32 (B, output_dim) of unit length, the second float32
    scores (B, classes).

    Args:
        run: What `distill` returned, or a run's folder.

    Raises:
        BabeletError: The training is not finished, or the files are damaged.
    """
    path = run.path if isinstance(run, Run) else Path(run)
    return import_quietly("babelet.export.rebuild").rebuild_student(path).student


def _dotted(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Returns {"training.steps": 200} for {"training": {"steps": 200}}."""
    found = {}
    for name, value in settings.items():
        if isinstance(value, Mapping):
            found |= {f"{name}.{inner}": each for inner, each in value.items()}
        else:
            found[name] = value
    return found
