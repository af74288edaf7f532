"""Packages that only some files need."""

import importlib
from types import ModuleType

from configs.errors import BabeletError


def require_package(module: str, package: str, path: str) -> ModuleType:
    """Returns the imported module.

    Raises:
        BabeletError: It is not installed; the command that installs it is named.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise BabeletError(
            f"Reading {path} needs the package {package}",
            received=str(error),
            remedy=f"pip install {package}",
        ) from error
