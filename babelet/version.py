"""The version, in one place; without imports, so that setuptools can read it."""

__version__ = "0.1.0"
