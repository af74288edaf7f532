"""Steps that run in a process of their own, and end with the one that began them."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from configs.errors import BabeletError
from export.new_process import checking, run_module

ROOT = Path(__file__).resolve().parents[2]
PARENT = """
from export.new_process import run_module
try:
    print("ready", flush=True)
    run_module("export.parity", ["--workdir=/nowhere"])
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


def test_ctrl_c_reaches_the_parent_alone(tmp_path):
    """The child's traceback buried the one line that the parent prints."""
    process = subprocess.Popen(
        [sys.executable, "-c", PARENT],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout.readline() == "ready\n"
    time.sleep(1)
    # As a terminal does: to all of the group.
    subprocess.run(["kill", "-INT", f"-{process.pid}"], check=True)
    said, errors = process.communicate(timeout=60)
    assert said == "interrupted\n" and process.returncode == 0
    assert "Traceback" not in errors


def test_an_error_of_the_other_process_is_one_line(tmp_path):
    """Its exit status alone tells nobody what to do."""
    with pytest.raises(BabeletError, match="Remedy: ") as caught:
        run_module("export.parity", [f"--workdir={tmp_path}"])
    assert "\n" not in str(caught.value) and str(tmp_path) in str(caught.value)


def test_whatever_a_check_meets_is_one_line():
    """A damaged corpus ended in a traceback, and "ended early" above it."""
    with pytest.raises(BabeletError, match=r"Cannot check here\. .*KeyError: 'dim'"):
        with checking(Path("here")):
            raise KeyError("dim")
