"""Imports TensorFlow without what it says while it starts."""

import importlib
import logging
import os
import sys
import tempfile
from types import ModuleType

import absl.logging


def import_quietly(name: str) -> ModuleType:
    """Returns the module `name`, which imports TensorFlow.

    TensorFlow writes a dozen lines about missing GPUs and rounding to the standard
    error while it loads and looks for devices, before it heeds its own log level.
    They would bury the one line that an error is. If the import fails they are shown.
    Afterwards TensorFlow logs errors alone, in processes started from this one too,
    and keeps the memory of its tensors for the next ones. Keras computes with it, in
    float32, whatever other programs left in the environment and in keras.json.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    # Else the system is asked for every large tensor, and given it back: its zeroing of
    # fresh pages took two fifths of a training step (measured).
    os.environ.setdefault("TF_CPU_ALLOCATOR_USE_BFC", "true")
    sys.stderr.flush()
    shown = os.dup(2)
    with tempfile.TemporaryFile() as hidden:
        os.dup2(hidden.fileno(), 2)
        try:
            _import_keras()
            module = importlib.import_module(name)
            importlib.import_module("tensorflow").config.list_physical_devices()
        except Exception:
            hidden.seek(0)
            os.write(shown, hidden.read())
            raise
        finally:
            os.dup2(shown, 2)
            os.close(shown)
    absl.logging.set_verbosity(absl.logging.ERROR)
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    return module


def _import_keras() -> None:
    """Imports Keras as Babelet needs it, without the user's keras.json.

    Another backend has no exporter; another type of numbers, or fewer steps than were
    asked for, would change every result.
    """
    os.environ["KERAS_BACKEND"] = "tensorflow"
    for name in ("MAX_EPOCHS", "MAX_STEPS_PER_EPOCH", "NNX_ENABLED"):
        os.environ.pop(f"KERAS_{name}", None)
    home = os.environ.get("KERAS_HOME")
    # Where no keras.json can be, nor be written.
    os.environ["KERAS_HOME"] = os.devnull
    try:
        importlib.import_module("keras")
    finally:
        del os.environ["KERAS_HOME"]
        if home is not None:
            os.environ["KERAS_HOME"] = home
