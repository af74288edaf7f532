"""Packages that only some files or settings need."""

import importlib
from types import ModuleType

from babelet.core.errors import BabeletError


def require_package(module: str, package: str, what: str) -> ModuleType:
    """Returns the imported module, without which there is no `what`.

    Raises:
        BabeletError: It is not installed; the command that installs it is named.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise BabeletError(
            f"{what} needs the package {package}",
            received=str(error),
            remedy=f"pip install {package}",
        ) from error
