"""Every entry point ends with one line and its own exit status."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = [*ROOT.glob("[a-z]*/*.py"), *ROOT.glob("export/web/*.py")]
RUN = re.compile(r"^    command\.run\(", re.MULTILINE)


def module_of(path):
    """Returns what `python -m` takes; the measurements are in no package of ours."""
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    return ("" if name.startswith("benchmarks.") else "babelet.") + name.removesuffix(
        ".__main__"
    )


ENTRIES = {module_of(p) for p in SOURCES if RUN.search(p.read_text("utf-8"))}
# They import TensorFlow before anything else, which takes seconds.
HEAVY = {
    "benchmarks.browser",
    "benchmarks.keras_distillation",
    "benchmarks.latency",
    "benchmarks.mediapipe_agreement",
    "benchmarks.refused_precisions",
    "benchmarks.token_identity",
    "benchmarks.translation_latency",
    "babelet.export.gate",
}
STATUS = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}
# Python imports a sitecustomize.py when it starts: here is one that sends a signal in
# the middle of the imports, where flags come from.
SIGNAL_WHILE_IMPORTING = """
import os, sys
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name in ("absl", "numpy", "tensorflow", "keras"):
            os.kill(os.getpid(), int(os.environ["SIGNAL"]))
sys.meta_path.insert(0, Finder())
"""


@pytest.fixture(autouse=True)
def heard():
    """A shell that runs the tests in its background may have Ctrl-C ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def start(arguments, **variables):
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=os.environ | variables,
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_entries_are_found():
    """A search for entries that finds none would test nothing below."""
    assert len(ENTRIES) > 25
    known = ("training.distill", "export", "export.web", "search.build")
    assert {f"babelet.{name}" for name in known} <= ENTRIES
    assert HEAVY <= ENTRIES


@pytest.mark.parametrize("module", sorted(ENTRIES - HEAVY))
def test_help_is_no_failure(module):
    """A script that asks for help first takes its status for a broken install."""
    done = start(["-m", module, "--help"])
    assert done.returncode == 0, done.stderr
    assert "Flags:" in done.stdout
    assert not done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("module", sorted(ENTRIES))
def test_a_signal_during_the_start_is_one_line(module, number, tmp_path):
    """Ctrl-C while TensorFlow loads showed forty lines of a traceback."""
    (tmp_path / "sitecustomize.py").write_text(SIGNAL_WHILE_IMPORTING)
    done = start(["-m", module], PYTHONPATH=str(tmp_path), SIGNAL=str(int(number)))
    assert done.returncode == STATUS[number], done.stderr
    (line,) = done.stderr.split("\n")[1:-1]
    assert line.endswith(": the same command continues.")
    assert not done.stdout


ENTRY = """
import os, signal, sys
from babelet.core import command
from babelet.core.errors import BabeletError
from babelet.core.atomic import atomic_path

command.path_flag("output", None, "A file.")

def main(argv):
    {work}

command.run(main{options})
"""


def run_entry(folder, work, *flags, options="", **variables):
    """Runs an entry point whose main function is `work`."""
    file = folder / "entry.py"
    file.write_text(ENTRY.format(work=work, options=options))
    return start([str(file), *flags], PYTHONPATH=str(ROOT), **variables)


@pytest.mark.parametrize("number", STATUS, ids=lambda number: number.name)
def test_a_signal_leaves_nothing_partial(number, tmp_path):
    """A half-written file would pass for a whole one, or stay for ever."""
    work = (
        f"with atomic_path({str(tmp_path / 'made' / 'file')!r}) as path: "
        f"path.write_text('half'); os.kill(os.getpid(), {int(number)}); "
        "path.write_text('whole')"
    )
    done = run_entry(tmp_path, work)
    assert done.returncode == STATUS[number]
    assert done.stderr.strip().endswith("the same command continues.")
    assert len(done.stderr.strip().splitlines()) == 1
    assert not list((tmp_path / "made").iterdir())


def test_an_ignored_hangup_stays_ignored(tmp_path):
    """A run under nohup would end with its terminal."""
    file = tmp_path / "entry.py"
    work = "os.kill(os.getpid(), signal.SIGHUP); print('went on')"
    file.write_text(ENTRY.format(work=work, options=""))
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        done = start([str(file)], PYTHONPATH=str(ROOT))
    finally:
        signal.signal(signal.SIGHUP, before)
    assert (done.returncode, done.stdout) == (0, "went on\n")


@pytest.mark.parametrize(
    ("work", "part"),
    [
        ("raise BabeletError('It broke', remedy='mend it')", "It broke. Remedy"),
        ("raise OSError(28, 'No space left on device', 'x.npy')", "No space left"),
        ("raise OSError(30, 'Read-only file system', 'x.npy')", "Cannot write x.npy"),
        ("raise OSError(5, 'Input/output error', 'x.npy')", "x.npy"),
        ("raise MemoryError", "memory"),
        ("open('/nowhere/at all')", "/nowhere/at all"),
    ],
)
def test_errors_are_one_line(work, part, tmp_path):
    """A traceback hides from the user what there is to do."""
    done = run_entry(tmp_path, work)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: ") and part in line and "Remedy:" in line


def test_the_verdict_of_a_step_is_the_last_line_of_its_output(tmp_path):
    """The process that started the step would not find out why it failed."""
    work = "print('so far'); raise BabeletError('It broke', remedy='mend it')"
    done = run_entry(tmp_path, work, options=", verdict=True")
    assert done.returncode == 2 and not done.stderr
    assert done.stdout.splitlines()[-1] == "It broke. Remedy: mend it."


def test_wrong_flags_are_one_line(tmp_path):
    """Usage by the page hides which flag was wrong."""
    done = run_entry(tmp_path, "pass", "--outptu=x")
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: ") and "outptu" in line


@pytest.mark.parametrize("path", ["", " "])
def test_an_empty_path_is_refused(path, tmp_path):
    """--workdir=$UNSET filled the current folder."""
    done = run_entry(tmp_path, "print(command.flags.FLAGS.output)", f"--output={path}")
    assert done.returncode == 1 and not done.stdout
    (line,) = done.stderr.splitlines()
    assert "output" in line and "empty" in line


def test_a_tilde_is_the_home_folder(tmp_path):
    """A shell expands none behind --workdir=: a folder named ~ appeared."""
    work = "print(command.flags.FLAGS.output)"
    done = run_entry(tmp_path, work, "--output=~/run", HOME="/home/me")
    assert done.stdout == "/home/me/run\n"
