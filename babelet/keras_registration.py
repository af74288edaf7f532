"""Lets `keras.saving.load_model` read a student after `import babelet` alone.

Keras finds a class of ours by its registered name, hence only if its module has been
imported; and that module needs Keras, which `import babelet` must not wait for. So the
modules are imported as soon as Keras is, or at once if it is there already.
"""

import importlib
import sys

from babelet.core.import_hooks import Load, around_import

MODULES = (
    "babelet.model.backbone",
    "babelet.model.decoder",
    "babelet.model.distiller",
    "babelet.model.encoder_decoder",
    "babelet.model.features",
    "babelet.model.heads",
    "babelet.model.muon",
    "babelet.model.optimizer",
)


def when_keras_is_imported() -> None:
    """Registers the classes once `keras` has been imported."""
    if "keras" in sys.modules:
        _register()
    else:
        around_import("keras", _load_and_register)


def _load_and_register(load: Load) -> None:
    load()
    _register()


def _register() -> None:
    for name in MODULES:
        importlib.import_module(name)
