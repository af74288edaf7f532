"""Where data of other people enters or leaves: one place for what libraries raise.

Five boundaries: text in, model in, run folder, index, output. Inside one, an error of
any library becomes a `BabeletError`, so that input nobody thought of is one line too.
BABELET_TRACEBACK=1 shows the library's own error instead, for those who mend it.
"""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from babelet.core.atomic import explain, full
from babelet.core.errors import BabeletError


@contextlib.contextmanager
def boundary(
    problem: str, *, expected: str = "", consequence: str = "", remedy: str
) -> Iterator[None]:
    """Turns what is raised in the block into a `BabeletError`.

    A `BabeletError` passes as it is, and so does everything that is no `Exception`.

    Args:
        problem: What failed and where, such as "Cannot read words.tsv, line 3".
        expected: What would have been right.
        consequence: What the failure means for the user's work.
        remedy: What to do.
    """
    try:
        yield
    except BabeletError:
        raise
    except Exception as error:
        if os.environ.get("BABELET_TRACEBACK"):
            raise
        if isinstance(error, OSError) and full(error):
            where = os.fsdecode(error.filename or "a file")
            raise explain(error, Path(where)) from error
        raise BabeletError(
            problem,
            expected=expected,
            received=described(error),
            consequence=consequence,
            remedy=remedy,
        ) from error


def described(error: BaseException) -> str:
    """Returns what an error says, on one line of at most 300 characters."""
    said = getattr(error, "strerror", None) or str(error)
    text = f"{type(error).__name__}: {' '.join(said.split())}".rstrip(": ")
    return text if len(text) <= 300 else f"{text[:299]}…"


def text_in(path: str | Path) -> contextlib.AbstractContextManager[None]:
    """Returns the boundary of a user's file of text, labels, pairs or vectors."""
    return boundary(
        f"Cannot read {path}",
        expected="a whole file of a known format",
        consequence="None of it is used",
        remedy="open it with another program to see that it is whole, then save or "
        "download it again",
    )


def model_in(path: str | Path) -> contextlib.AbstractContextManager[None]:
    """Returns the boundary of a model file that somebody gave."""
    return boundary(
        f"Cannot load the model {path}",
        expected="a whole model of a known kind",
        remedy="copy or download it again, whole, and check teacher.kind",
    )


def run_folder(path: str | Path) -> contextlib.AbstractContextManager[None]:
    """Returns the boundary of a file that a run keeps in its folder."""
    return boundary(
        f"Cannot read {path}",
        expected="the file as the run wrote it",
        consequence="It is damaged, or was changed by another program",
        remedy="delete it and run babelet distill with this --workdir again: only "
        "its step is done again",
    )


def index(path: str | Path) -> contextlib.AbstractContextManager[None]:
    """Returns the boundary of a search index."""
    return boundary(
        f"Cannot read the index {path}",
        expected="an index as babelet search build wrote it",
        consequence="It was left as it is",
        remedy="restore a copy, or move the file away and build it anew",
    )


def output(path: str | Path) -> contextlib.AbstractContextManager[None]:
    """Returns the boundary of what is written for the user."""
    return boundary(
        f"Cannot write {path}",
        consequence="Nothing half-written was left",
        remedy="see that the disk has space and the folder may be written to, then "
        "run the same command again",
    )
