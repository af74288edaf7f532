"""Where the text and the models of a run come from, under which licences."""

import sys
from collections.abc import Mapping
from typing import Any

UNKNOWN = "see its source"


def origins(config: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Returns what a run is made of: what it is, from where, and its licence.

    The modules of sources and teachers say it, as `ORIGIN`; of what is a user's own
    nothing is known.

    Args:
        config: `config.json` as read.
    """
    from babelet.data.sources import LABELLED_SOURCES, SOURCES

    data, kinds = config.get("data", {}), SOURCES | LABELLED_SOURCES
    named = [data.get("source", "not recorded")]
    named += [name for name in data.get("files", []) if name in kinds]
    rows = [("text", *_origin(kinds.get(name), name)) for name in named]
    kind = config.get("teacher", {}).get("kind", "not recorded")
    start = config.get("student", {}).get("init_from", "").partition(":")[0] or kind
    for what, each in {"teacher": kind, "student's first weights": start}.items():
        if what == "teacher" or each != kind:
            rows.append((what, *_origin(_loader(each), each)))
    return rows


def teacher_note(config: Mapping[str, Any]) -> str:
    """Returns what a reader must know before comparing a student with its teacher."""
    module = _module(_loader(config.get("teacher", {}).get("kind", "")))
    return getattr(module, "NOTE", "") or (
        "The teacher is used as it is, without training on this domain; the student "
        "was trained on it and is measured on it. Being above the teacher here says "
        "nothing about other text."
    )


def _loader(kind: str) -> Any:
    from babelet.model.teachers import TEACHERS

    return TEACHERS[kind].load if kind in TEACHERS else None


def _module(function: Any) -> Any:
    return sys.modules.get(getattr(function, "__module__", ""))


def _origin(function: Any, name: str) -> tuple[str, str]:
    return getattr(_module(function), "ORIGIN", None) or (name, UNKNOWN)
