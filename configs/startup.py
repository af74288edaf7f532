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
    and keeps the memory of its tensors for the next ones.
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
            module = importlib.import_module(name)
            importlib.import_module("tensorflow").config.list_physical_devices()
        except BaseException:
            hidden.seek(0)
            os.write(shown, hidden.read())
            raise
        finally:
            os.dup2(shown, 2)
            os.close(shown)
    absl.logging.set_verbosity(absl.logging.ERROR)
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    return module
