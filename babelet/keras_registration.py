"""Lets `keras.saving.load_model` read a student after `import babelet` alone.

Keras finds a class of ours by its registered name, hence only if its module has been
imported; and that module needs Keras, which `import babelet` must not wait for. So the
modules are imported as soon as Keras is, or at once if it is there already.
"""

import importlib
import importlib.util
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

MODULES = (
    "babelet.model.backbone",
    "babelet.model.decoder",
    "babelet.model.encoder_decoder",
    "babelet.model.heads",
    "babelet.model.muon",
    "babelet.model.optimizer",
)


def when_keras_is_imported() -> None:
    """Registers the classes once `keras` has been imported."""
    if "keras" in sys.modules:
        _register()
    else:
        sys.meta_path.insert(0, _AfterKeras())


def _register() -> None:
    for name in MODULES:
        importlib.import_module(name)


class _AfterKeras(MetaPathFinder):
    """Lets the import of `keras` end with that of `MODULES`; finds nothing itself."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Returns None, or Keras's own specification with a longer import."""
        if fullname != "keras":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(fullname)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def and_register(module: ModuleType) -> None:
                execute(module)
                _register()

            spec.loader.exec_module = and_register
        return spec
