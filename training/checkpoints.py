"""Checkpoints from which training continues bit for bit.

Keras's own weight files leave out the dropout layers' random state, so resuming
from them diverges. Here every variable goes in, in one file with the callbacks' state,
written under a temporary name and renamed.
"""

import json
import zipfile
from pathlib import Path
from typing import Any

import keras
import numpy as np

from babelet.core.atomic import atomic_path
from babelet.core.errors import BabeletError

NAME = "state.npz"


def save(
    folder: Path,
    identity: str,
    step: int,
    distiller: keras.Model,
    callback_state: dict,
) -> None:
    """Writes the state after `step` steps, over the one before.

    Args:
        folder: Of the checkpoints.
        identity: Names all that the training depends on.
        step: Steps done.
        distiller: Compiled, its optimizer built.
        callback_state: JSON values.
    """
    variables = _variables(distiller)
    arrays: dict[str, Any] = {
        f"variable_{index}": np.asarray(variable)
        for index, variable in enumerate(variables)
    }
    notes = {
        "identity": identity,
        "step": step,
        "variables": _describe(variables),
        "callbacks": callback_state,
    }
    with atomic_path(folder / NAME) as path, path.open("wb") as file:
        np.savez(file, notes=np.array(json.dumps(notes)), **arrays)


def restore(folder: Path, identity: str, distiller: keras.Model) -> tuple[int, dict]:
    """Sets every variable from the checkpoint of the same training, if there is one.

    Returns:
        The steps done and the callbacks' state; (0, {}) without a checkpoint or with
        one of other settings, which is left to be overwritten.

    Raises:
        BabeletError: The checkpoint is of another model or cannot be read.
    """
    path = folder / NAME
    if not path.exists():
        return 0, {}
    variables = _variables(distiller)
    try:
        with np.load(path, allow_pickle=False) as arrays:
            notes = json.loads(str(arrays["notes"]))
            if notes["identity"] != identity:
                return 0, {}
            if notes["variables"] != _describe(variables):
                raise ValueError("it holds the variables of another model")
            for index, variable in enumerate(variables):
                variable.assign(arrays[f"variable_{index}"])
    except (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise BabeletError(
            f"Cannot continue from {path}: {error}",
            remedy=f"delete {folder} to train from the start",
        ) from error
    return notes["step"], notes["callbacks"]


def _variables(distiller: keras.Model) -> list:
    return list(distiller.variables) + list(distiller.optimizer.variables)


def _describe(variables: list) -> list:
    """Returns names and shapes; paths would hold numbers that Keras counts up."""
    return [[variable.name, list(variable.shape)] for variable in variables]
