"""Ctrl-C and SIGTERM in the middle of a training: one line, and it continues."""

import signal
import subprocess
import time

import pytest

from tests.training.conftest import ROOT, environment, messages

STATUS = {signal.SIGINT: 130, signal.SIGTERM: 143}


@pytest.fixture(autouse=True)
def heard():
    """A shell that runs the tests in its background may have Ctrl-C ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("number", STATUS, ids=lambda number: number.name)
def test_a_training_that_is_stopped_says_so_and_continues(number, prepared, tmp_path):
    """Keras or TensorFlow may take a signal for an error of theirs, or swallow it."""
    line, log = prepared("training.steps=30"), tmp_path / "log"
    with log.open("w") as output:
        run = subprocess.Popen(
            line.line,
            cwd=ROOT,
            env=environment(),
            stdout=output,
            stderr=subprocess.PIPE,
            text=True,
        )
        deadline = time.monotonic() + 200
        # Keras's bar: a step is done.
        while "/30" not in log.read_text() and time.monotonic() < deadline:
            assert run.poll() is None
            time.sleep(0.01)
        run.send_signal(number)
        errors = run.communicate(timeout=100)[1]
    assert run.returncode == STATUS[number], errors[-2000:]
    assert messages(errors)[-1].endswith("the same command continues.")
    assert "Traceback" not in errors
    assert not list(line.workdir.rglob(".*partial*"))
    if number is signal.SIGTERM:
        assert "training: finished" in line.succeed()
