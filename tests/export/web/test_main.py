import json
import subprocess
import sys
import urllib.request
from pathlib import Path

import numpy as np
import pytest

from babelet.core.errors import BabeletError
from babelet.export.metadata import attach_metadata
from babelet.export.web.__main__ import MODEL, gather
from babelet.export.web.index_file import Index, write_index

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def run(tmp_path):
    """A run whose MediaPipe file holds nothing but its metadata."""
    path = tmp_path / "home" / MODEL
    path.parent.mkdir(parents=True)
    path.write_bytes(b"")
    attach_metadata(path, {"name": "home", "weights_sha256": "ab12"})
    return tmp_path / "home"


def test_an_index_of_another_student_is_refused(run, tmp_path):
    """Vectors of two students have nothing to do with each other."""
    index = Index("x", ["Hello"], ["en"], "cd34", np.ones((1, 4)))
    write_index(tmp_path / "x.index", index)
    with pytest.raises(BabeletError) as error:
        gather(run, tmp_path / "x.index", 1)
    assert "ab12" in str(error.value) and "cd34" in str(error.value)


def test_a_run_without_the_file_names_the_command(tmp_path):
    """A user who trained with an earlier version looks for the file in vain."""
    with pytest.raises(BabeletError, match="babelet export --workdir="):
        gather(tmp_path, None, 1)


def test_the_command_prints_where_the_page_is(run, tmp_path):
    """A command that serves silently leaves the user to guess the port."""
    write_index(tmp_path / "x.index", Index("x", ["Hello"], ["en"]))
    command = [sys.executable, "-m", "babelet.export.web", f"--workdir={run}"]
    command.append(f"--index={tmp_path / 'x.index'}")
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        address = process.stdout.readline().split()[0]
        with urllib.request.urlopen(f"{address}about.json") as answer:
            assert json.load(answer)["name"] == "home"
    finally:
        process.terminate()
        process.wait()


def test_a_users_error_is_one_line(tmp_path):
    """A traceback hides what to do."""
    command = [sys.executable, "-m", "babelet.export.web", f"--workdir={tmp_path}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith("error: ") and done.stderr.count("\n") == 1
