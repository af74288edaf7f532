"""Imports TensorFlow without what it says while it starts."""

import contextlib
import gc
import importlib
import logging
import os
import sys
from collections.abc import Iterator
from types import ModuleType

from babelet.core.import_hooks import Load, around_import
from babelet.core.quiet import without_noise


def import_quietly(name: str) -> ModuleType:
    """Returns the module `name`, which imports TensorFlow.

    What TensorFlow writes while it loads and looks for devices is shown if the import
    fails. Afterwards it logs errors alone, in processes started from this one too,
    and keeps the memory of its tensors for the next ones. Keras computes with it, in
    float32, whatever other programs left in the environment and in keras.json.
    """
    _set_environment()
    with without_noise(), _uncollected():
        _import_keras()
        module = importlib.import_module(name)
        _find_devices()
    return module


def quieten() -> None:
    """Lets every later import of TensorFlow in this process be a quiet one."""
    _set_environment()
    if "tensorflow" not in sys.modules:
        around_import("tensorflow", _load_quietly)


def _load_quietly(load: Load) -> None:
    with without_noise(), _uncollected():
        load()
        _find_devices()


def _set_environment() -> None:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    # Else the system is asked for every large tensor, and given it back: its zeroing of
    # fresh pages took two fifths of a training step (measured).
    os.environ.setdefault("TF_CPU_ALLOCATOR_USE_BFC", "true")


def _find_devices() -> None:
    sys.modules["tensorflow"].config.list_physical_devices()
    absl_logging = importlib.import_module("absl.logging")
    absl_logging.set_verbosity(absl_logging.ERROR)
    logging.getLogger("tensorflow").setLevel(logging.ERROR)


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


@contextlib.contextmanager
def _uncollected() -> Iterator[None]:
    """Lets the garbage collector pass over what is imported, now and later.

    A million objects that all stay: to look through them again and again took a third
    of the start, and a second or two at the end (measured).
    """
    if "tensorflow" in sys.modules or not gc.isenabled():
        # What was done since the first import is not for keeping.
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
