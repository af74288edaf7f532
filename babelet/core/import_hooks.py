"""Work that is done around the first import of a module, wherever it happens."""

import importlib.util
import sys
from collections.abc import Callable, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

Load = Callable[[], None]


def around_import(name: str, wrapper: Callable[[Load], None]) -> None:
    """Lets `wrapper` load the module `name` when it is first imported.

    Args:
        name: Of a module that has not been imported.
        wrapper: Calls what it gets, once; that executes the module.
    """
    sys.meta_path.insert(0, _Around(name, wrapper))


class _Around(MetaPathFinder):
    """Finds nothing itself; lengthens the loading of one module that others find."""

    def __init__(self, name: str, wrapper: Callable[[Load], None]) -> None:
        self._name, self._wrapper = name, wrapper
        self._asking = False

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        """Returns None, or the module's own specification with a longer loading."""
        if fullname != self._name or self._asking:
            return None
        self._asking = True
        try:
            spec = importlib.util.find_spec(fullname)
        finally:
            self._asking = False
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def load(module: ModuleType) -> None:
                # Not before: others only ask whether there is such a module.
                sys.meta_path.remove(self)
                self._wrapper(lambda: execute(module))

            spec.loader.exec_module = load
        return spec
