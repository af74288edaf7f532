"""What every source yields, and the error for a language it does not have."""

import difflib
from collections.abc import Collection
from typing import NamedTuple

from babelet.core.errors import BabeletError


class RawPair(NamedTuple):
    """A sentence of the pivot language and its translation, as the source has them.

    Or a sentence of any language alone: then both texts are that sentence.
    """

    # The file it comes from, and where in it, from 1.
    origin: str
    line: int
    language: str
    pivot_text: str
    text: str
    # Why the source itself rejects the row; empty: it does not.
    problem: str = ""
    monolingual: bool = False
    # The entry of data.files that it comes from.
    entry: int = 0


class RawLabelled(NamedTuple):
    """A sentence and its class, as the source has them."""

    # The file it comes from, and where in it, from 1.
    origin: str
    line: int
    language: str
    # "" where it is not known.
    label: str
    text: str
    # What it was made of; sentences of one template are never split. "" if of none.
    template: str = ""
    # Why the source itself rejects the row; empty: it does not.
    problem: str = ""


def require_language(source: str, language: str, available: Collection[str]) -> None:
    """Raises a BabeletError that names near languages unless it is available."""
    if language in available:
        return
    near = difflib.get_close_matches(language, available, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else "choose one of these"
    raise BabeletError(
        f"{source} has no language {language!r}",
        expected=f"one of {' '.join(sorted(available))}",
        received=language,
        remedy=f"change data.languages; {hint}",
    )
