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
    from babelet.model.distiller import Distiller
    from babelet.model.features import EmbeddingMatch, FeatureTerm
    from babelet.model.objective import Decisions, Objective, Outcome
    from babelet.model.student import build_classifier, build_encoder, build_translator
    from babelet.run import Run, distill, load_student
    from babelet.training.teachers import load_teacher

# Name -> the module that has it.
_LAZY = {
    "Classifier": "babelet.export.runtime",
    "Decisions": "babelet.model.objective",
    "Distiller": "babelet.model.distiller",
    "Embedder": "babelet.export.runtime",
    "EmbeddingMatch": "babelet.model.features",
    "FeatureTerm": "babelet.model.features",
    "Objective": "babelet.model.objective",
    "Outcome": "babelet.model.objective",
    "Run": "babelet.run",
    "Translator": "babelet.export.translator",
    "build_classifier": "babelet.model.student",
    "build_encoder": "babelet.model.student",
    "build_translator": "babelet.model.student",
    "distill": "babelet.run",
    "load_student": "babelet.run",
    "load_teacher": "babelet.training.teachers",
}
__all__ = [
    "Classifier",
    "Decisions",
    "Distiller",
    "Embedder",
    "EmbeddingMatch",
    "FeatureTerm",
    "Objective",
    "Outcome",
    "Run",
    "Translator",
    "__version__",
    "build_classifier",
    "build_encoder",
    "build_translator",
    "distill",
    "load_student",
    "load_teacher",
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
