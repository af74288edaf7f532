"""What a command starts ends with it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from babelet.core.child import run_child

ROOT = Path(__file__).resolve().parents[2]
PARENT = """
import sys
from babelet.core import command
from babelet.core.child import run_child
command.run(lambda argv: run_child([sys.executable, {child!r}], grace={grace}))
"""
CHILD = """
import os, time
from pathlib import Path
from babelet.core import command
from babelet.core.atomic import atomic_path

def main(argv):
    with atomic_path(Path({folder!r}) / "file") as path:
        path.write_text(str(os.getpid()))
        time.sleep(60)

command.run(main)
"""


def started(folder, grace):
    """Starts both, in a group of their own; returns parent and the child's id."""
    (folder / "made").mkdir()
    child, parent = folder / "child.py", folder / "parent.py"
    child.write_text(CHILD.format(folder=str(folder / "made")))
    parent.write_text(PARENT.format(child=str(child), grace=grace))
    process = subprocess.Popen(
        [sys.executable, str(parent)],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    note = folder / "made" / ".file.babelet-partial"
    deadline = time.monotonic() + 60
    while not (note.exists() and note.read_text()):
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.01)
    return process, int(note.read_text())


def alive(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.fixture(autouse=True)
def heard():
    """A shell that runs the tests in its background may have Ctrl-C ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)]
)
@pytest.mark.parametrize("send", [os.kill, os.killpg], ids=["to one", "to all"])
def test_a_child_ends_with_its_parent_and_says_nothing(number, status, send, tmp_path):
    """A child left alone trains on for hours, in a folder that is then shared."""
    process, child = started(tmp_path, grace=30)
    send(process.pid, number)
    output, errors = process.communicate(timeout=60)
    assert process.returncode == status
    assert len(errors.strip().splitlines()) == 1 and not output
    assert not alive(child)
    assert not list((tmp_path / "made").iterdir()), "the child could not clean up"


def test_without_grace_it_is_killed(tmp_path):
    """An export's check in the middle of a conversion hears no signal for minutes."""
    process, child = started(tmp_path, grace=0)
    os.kill(process.pid, signal.SIGTERM)
    process.communicate(timeout=60)
    assert not alive(child)
    assert list((tmp_path / "made").iterdir())


def test_output_input_and_status_are_those_of_the_child():
    """A wrapper that loses the status takes a failed training for a finished one."""
    code = "import sys; print(sys.stdin.read().upper()); sys.exit(3)"
    command = [sys.executable, "-c", code]
    done = run_child(command, given="text", stdout=subprocess.PIPE, text=True)
    assert (done.returncode, done.stdout) == (3, "TEXT\n")


def test_a_child_that_takes_too_long_is_killed():
    """MediaPipe waits for itself for ever after one error."""
    with pytest.raises(subprocess.TimeoutExpired):
        run_child([sys.executable, "-c", "import time; time.sleep(60)"], seconds=0.5)
