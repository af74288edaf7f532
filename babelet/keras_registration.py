"""Lets `keras.saving.load_model` read a student after `import babelet` alone.

Keras finds a class of ours by its registered name, hence only if its module has been
imported; and that module needs Keras, which `import babelet` must not wait for. So the
modules are imported as soon as Keras is, or at once if it is there already.
"""

import importlib

MODULES = (
    "babelet.model.backbone",
    "babelet.model.decoder",
    "babelet.model.encoder_decoder",
    "babelet.model.heads",
    "babelet.model.muon",
    "babelet.model.optimizer",
)


def when_keras_is_imported() -> None:
    """Asks for the classes to be registered once `keras` has been imported."""
    try:
        # TensorFlow brings it; without it there is no Keras either.
        import wrapt
    except ImportError:
        return
    wrapt.register_post_import_hook(_register, "keras")


def _register(_: object) -> None:
    for name in MODULES:
        importlib.import_module(name)
