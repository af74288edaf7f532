"""Distils a large multilingual Transformer into one small enough for a phone.

What is named here is imported when it is first used: `import babelet` is quick and
needs no TensorFlow, as a phone's server or a script that only embeds has none.

    from babelet import Embedder
    embedder = Embedder("runs/smart_home")
    embedder.encode(["Turn on the light", "打开灯"])
"""

import importlib
from typing import TYPE_CHECKING, Any

from babelet import keras_registration
from babelet.core import signals, startup
from babelet.version import __version__

if TYPE_CHECKING:
    from babelet.export.runtime import Classifier, Embedder
    from babelet.export.translator import Translator
    from babelet.run import Run, distill, load_student

# Name -> the module that has it.
_LAZY = {
    "Classifier": "babelet.export.runtime",
    "Embedder": "babelet.export.runtime",
    "Run": "babelet.run",
    "Translator": "babelet.export.translator",
    "distill": "babelet.run",
    "load_student": "babelet.run",
}
__all__ = [
    "Classifier",
    "Embedder",
    "Run",
    "Translator",
    "__version__",
    "distill",
    "load_student",
]

# In the process of another program neither signals nor logs are ours.
if signals.starts_as_command():
    signals.end_at_once()
    startup.quieten()
keras_registration.when_keras_is_imported()


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'babelet' has no attribute {name!r}")
    value = getattr(importlib.import_module(_LAZY[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY})
