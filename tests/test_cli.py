"""The command `babelet`, as a user types it."""

import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from babelet import cli
from babelet.version import __version__

ROOT = Path(__file__).resolve().parents[1]
BABELET = Path(sys.executable).with_name("babelet")


def babelet(*arguments, **options):
    return subprocess.run(
        [BABELET, *arguments], capture_output=True, text=True, timeout=120, **options
    )


def test_alone_it_lists_every_command_in_a_screen():
    """A command that the list lacks is found by nobody."""
    done = babelet()
    assert done.returncode == 0 and not done.stderr
    named = {
        line[2:16].strip() for line in done.stdout.splitlines() if line[:2] == "  "
    }
    assert named == {name for group in cli.COMMANDS.values() for name in group}
    assert len(done.stdout.splitlines()) <= 30
    assert all(len(line) < 80 for line in done.stdout.splitlines())
    assert babelet("--help").stdout == done.stdout
    assert babelet("--version").stdout == f"babelet {__version__}\n"


@pytest.mark.parametrize("name", [n for g in cli.COMMANDS.values() for n in g])
def test_help_is_quick_and_quiet(name, tmp_path):
    """Help that waits for TensorFlow, or drowns in its messages, teaches nobody."""
    began = time.process_time()
    done = babelet(*name.split(), "--help", cwd=tmp_path)
    assert done.returncode == 0 and not done.stderr
    assert "Flags:" in done.stdout and f"babelet {name.split()[0]}" in done.stdout
    # Neither flags of absl's own, nor those that processes of ours give each other.
    assert not re.search(r"--(helpfull|\[no\]record|parent)", done.stdout)
    assert time.process_time() - began < 1


def test_no_command_imports_tensorflow_for_its_help():
    """A second of waiting at each --help, and on slow disks ten."""
    code = (
        "import runpy, sys; from babelet import cli\n"
        "sys.argv = ['babelet', *{words}, '--help']\n"
        "try: cli.main()\n"
        "except SystemExit: pass\n"
        "print(not {{'tensorflow', 'keras'}} & set(sys.modules))"
    )
    for name in (n for group in cli.COMMANDS.values() for n in group):
        line = [sys.executable, "-c", code.format(words=name.split())]
        done = subprocess.run(line, capture_output=True, text=True, timeout=60)
        assert done.stdout.splitlines()[-1] == "True", (name, done.stderr)


@pytest.mark.parametrize(
    ("given", "answer"),
    [
        (["distil"], "did you mean distill?"),
        (["query"], "did you mean search query?"),
        (["search"], "search build, search query"),
        (["qqqq"], "babelet lists them"),
        (["distill", "--steps=3"], "--set training.steps=3 or --set tuning.steps=3"),
        (["distill", "--training.steps=3"], "--set training.steps=3."),
        (["distill", "--objective.alpa=1"], "--set objective.alpha=1."),
        (["distill", "--nonsense"], "--help shows the flags"),
        (["tune", "--seed", "3"], "--set seed="),
    ],
)
def test_a_slip_is_one_line_with_what_was_meant(given, answer):
    """Who guesses `--steps=3` would give up before they find --set."""
    done = babelet(*given)
    assert done.returncode == 1 and not done.stdout
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: ") and answer in line
