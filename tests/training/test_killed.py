"""A run killed at its worst moments ends as if nothing had happened."""

import json
import re
import signal
import subprocess
import time

import numpy as np
import pytest

from tests.training.conftest import ROOT, environment, weights

SECONDS = 200
STEPS = 40


class Started:
    """A run under way, looked at from outside: its output and its files."""

    def __init__(self, command, log):
        self.workdir = command.workdir
        self._log = log
        with log.open("w") as file:
            self._process = subprocess.Popen(
                command.line,
                cwd=ROOT,
                env=environment(),
                stdout=file,
                stderr=subprocess.STDOUT,
            )

    @property
    def output(self):
        return self._log.read_text("utf-8", errors="replace")

    def kill_while(self, moment):
        """Kills it, frozen first, in a moment that is still there when it stands still.

        Between two looks it runs on for a thousandth of a second at most.
        """
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            assert self._process.poll() is None, f"ended before: {self.output[-3000:]}"
            if moment(self):
                self._process.send_signal(signal.SIGSTOP)
                if moment(self):
                    self._process.kill()
                    self._process.wait()
                    assert moment(self), "what the kill left is something else"
                    return
                self._process.send_signal(signal.SIGCONT)
            time.sleep(0.0005)
        raise AssertionError(f"never came: {self.output[-3000:]}")

    def close(self):
        self._process.kill()
        self._process.wait()


def caching(run):
    """The first chunk of teacher vectors is committed, others are to come."""
    commits = list(run.workdir.glob("teacher_cache/*/commits"))
    cached = bool(commits) and commits[0].stat().st_size > 0
    return cached and "teacher: finished" not in run.output


def between_checkpoints(run):
    """Steps have been made that no checkpoint holds."""
    # Keras's progress bar: steps of this process, of those that were left.
    shown = re.findall(r"\[1m *(\d+)/(\d+)\x1b", run.output)
    checkpoint = run.workdir / "checkpoints" / "state.npz"
    if not shown or not checkpoint.exists() or writing(run):
        return False
    with np.load(checkpoint) as arrays:
        saved = json.loads(str(arrays["notes"]))["step"]
    done, left = map(int, shown[-1])
    return STEPS - left + done > saved


def writing(run):
    """A checkpoint is being written."""
    return (run.workdir / "checkpoints" / ".state.npz.babelet-partial").exists()


def evaluating(run):
    output = run.output
    return "evaluation: started" in output and "evaluation: finished" not in output


def exporting(run):
    """The files are written, their check in another process is not done."""
    partial = run.workdir / ".export.babelet-partial"
    return (
        partial / "student_int8.tflite"
    ).exists() and "export: fin" not in run.output


@pytest.fixture(scope="module")
def survivor(finished, command, home):
    """A run killed five times, then left alone; and how each part began."""
    line = command(home.folder / "killed")
    parts = []
    moments = (caching, between_checkpoints, writing, evaluating, exporting)
    for moment in moments:
        run = Started(line, home.folder / f"{moment.__name__}.log")
        try:
            run.kill_while(moment)
        finally:
            run.close()
        parts.append(run.output)
    parts.append(line.succeed())
    return line.workdir, parts


def test_weights_are_those_of_a_run_never_interrupted(survivor, finished):
    """A resumed run whose dropout or batches differ trains another student."""
    workdir, _ = survivor
    expected = weights(finished.workdir)
    assert len(expected) > 10
    assert weights(workdir) == expected


def test_finished_work_was_not_done_again(survivor):
    """A resume that starts over gives the same weights, hours later."""
    _, (_, cached, trained, evaluated, exported, rest) = survivor
    assert "corpus: done before" in cached and "teacher: started" in cached
    assert "teacher: done before" in trained
    assert "continuing after step" in trained
    assert "continuing after step" in evaluated
    assert "training: done before" in exported
    assert "evaluation: done before" in rest and "export: started" in rest


def names(workdir):
    """Returns the files of a run but for TensorBoard's, which are named by time."""
    files = {str(p.relative_to(workdir)) for p in workdir.rglob("*") if p.is_file()}
    return {name for name in files if "events.out" not in name}


def test_nothing_half_written_is_left(survivor, finished):
    """A partial file that nobody removes fills the disk, or passes for a whole one."""
    workdir, _ = survivor
    assert names(workdir) == names(finished.workdir)
