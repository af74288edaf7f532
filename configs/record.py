"""A run's folder as one record: its settings, its manifest and its files agree.

`manifest.json` holds, of each finished step, what it depended on and the checksums of
what it left. Whatever reads a student goes through here, so that an aborted start or
a damaged file is never taken for the run.
"""

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from babelet.configs import parsing
from babelet.configs.schema import Config
from babelet.core import boundary, checksums
from babelet.core.atomic import atomic_path
from babelet.core.errors import BabeletError
from babelet.core.run_files import read_json, write_json

CONFIG, MANIFEST = "config.json", "manifest.json"
# In the manifest: the settings of the training that is done.
STUDENT = "student"
# What is read after the training alone.
_AFTERWARDS = ("name", "licence", "evaluation", "export")
_AGAIN = (
    "run babelet distill with the run's settings and this --workdir again: finished "
    "steps are kept"
)


def digest(text: str) -> str:
    """Returns the SHA-256 of `text`, hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def read_manifest(folder: Path) -> dict[str, Any]:
    """Returns the manifest of a run, {"steps": {}} where there is none.

    Raises:
        BabeletError: It is damaged.
    """
    file = folder / MANIFEST
    if not file.exists():
        return {"steps": {}}
    with boundary.run_folder(file):
        manifest = read_json(file, ("steps",))
        if not _sound(manifest):
            raise BabeletError(
                f"Cannot read {file}: it is damaged, or was changed by hand",
                remedy="delete it: the steps are then done again",
            )
        manifest.pop("checksum", None)
        return manifest


def _sound(manifest: dict) -> bool:
    steps = manifest["steps"].values()
    others = {key: value for key, value in manifest.items() if key != "checksum"}
    if "checksum" not in manifest:
        # Written by a version that recorded no checksums.
        return not any("files" in step for step in steps)
    return manifest["checksum"] == digest(json.dumps(others))


def write_manifest(folder: Path, manifest: dict[str, Any]) -> None:
    """Writes the manifest with a checksum of itself."""
    # As it will be read: keys are texts, tuples are lists.
    values = json.loads(json.dumps(manifest))
    values["checksum"] = digest(json.dumps(values))
    write_json(folder / MANIFEST, values, indent=2, ensure_ascii=True)


def write_config(folder: Path, config: Config) -> None:
    """Writes the settings that the run in `folder` is begun or continued with."""
    with atomic_path(folder / CONFIG) as file:
        file.write_text(parsing.to_json(config), encoding="utf-8")


def read_config(folder: Path) -> Config:
    """Returns the settings of a run.

    Raises:
        BabeletError: There are none, or they are not those that its manifest names.
    """
    config = parsing.from_json(folder / CONFIG)
    recorded = read_manifest(folder).get("config_hash")
    if recorded != digest(parsing.to_json(config)):
        raise BabeletError(
            f"{folder / CONFIG} is not what the run in {folder} wrote",
            expected=f"the settings that {MANIFEST} names",
            consequence="Files and settings would not belong together",
            remedy=_AGAIN,
        )
    return config


def require_student(folder: Path) -> Config:
    """Returns the settings of a run whose student is finished, and whole.

    Raises:
        BabeletError: The training is not done, or was done with other settings, or a
            file of it is damaged.
    """
    config = read_config(folder)
    manifest = read_manifest(folder)
    if "training" not in manifest["steps"]:
        raise BabeletError(
            f"There is no trained student in {folder}",
            expected="a run whose training is finished",
            remedy=_AGAIN,
        )
    if STUDENT not in manifest:
        raise BabeletError(
            f"The student in {folder} was trained by an earlier version of Babelet",
            expected="a manifest with its settings",
            remedy=_AGAIN,
        )
    trained = flat(manifest[STUDENT])
    for key, value in flat(of_student(config)).items():
        if trained.get(key) != value:
            raise BabeletError(
                f"The student in {folder} was trained with other settings than "
                f"{CONFIG} has now",
                expected=f"{key}={trained.get(key)}",
                received=f"{key}={value}",
                consequence="A run with other settings was begun here and not finished",
                remedy="finish it, or run babelet distill with the former settings: "
                "finished steps are kept",
            )
    files = manifest["steps"]["training"]["files"]
    checksums.require_undamaged(folder, files, remedy=_AGAIN)
    return config


def of_student(config: Config) -> dict[str, Any]:
    """Returns the settings that a student may depend on, as JSON values."""
    values = json.loads(json.dumps(dataclasses.asdict(config)))
    return {key: value for key, value in values.items() if key not in _AFTERWARDS}


def require_files(folder: Path, step: str) -> None:
    """Compares what a step of a run left with its checksums, where it has some.

    Raises:
        BabeletError: A file is damaged.
    """
    done = read_manifest(folder)["steps"].get(step, {})
    checksums.require_undamaged(folder, done.get("files", {}), remedy=_AGAIN)


def flat(values: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """Returns nested settings by dotted key."""
    found = {}
    for key, value in values.items():
        if isinstance(value, dict):
            found |= flat(value, f"{before}{key}.")
        else:
            found[f"{before}{key}"] = value
    return found
