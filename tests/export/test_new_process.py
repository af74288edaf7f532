"""Steps of an export in a process of their own: their errors are one line."""

from pathlib import Path

import pytest

from babelet.core.errors import BabeletError
from babelet.export.new_process import checking, run_module


def test_an_error_of_the_other_process_is_one_line(tmp_path):
    """Its exit status alone tells nobody what to do."""
    with pytest.raises(BabeletError, match="Remedy: ") as caught:
        run_module("babelet.export.gate", [f"--workdir={tmp_path}"])
    assert "\n" not in str(caught.value) and str(tmp_path) in str(caught.value)


def test_whatever_a_check_meets_is_one_line():
    """A damaged corpus ended in a traceback, and "ended early" above it."""
    with pytest.raises(BabeletError, match=r"Cannot check here\. .*KeyError: 'dim'"):
        with checking(Path("here")):
            raise KeyError("dim")
