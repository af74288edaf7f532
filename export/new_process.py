"""Steps of an export that run where nothing of the exporting process can help them.

A module that is run so takes --parent, prints its one error as the last line of the
standard output, and exits with 2 on it.
"""

import contextlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from babelet.core.boundary import boundary
from babelet.core.child import run_child
from babelet.core.errors import BabeletError

_ROOT = Path(__file__).resolve().parent.parent
# As `python -m`, without the lines that TensorFlow prints while it loads.
_QUIETLY = """
import runpy, sys
from babelet.core.startup import import_quietly
import_quietly("tensorflow")
module = sys.argv.pop(1)
runpy.run_module(module, run_name="__main__", alter_sys=True)
"""


def run_module(module: str, arguments: Sequence[str]) -> None:
    """Runs a module of this folder with these flags, and prints what it prints.

    Raises:
        BabeletError: The module's own, or that it ended early.
    """
    command = [sys.executable, "-c", _QUIETLY, module, *arguments]
    command.append(f"--parent={os.getpid()}")
    environment = {"TF_CPP_MIN_LOG_LEVEL": "2"} | os.environ
    done = run_child(
        command, cwd=_ROOT, env=environment, stdout=subprocess.PIPE, text=True
    )
    if done.returncode == 0:
        print(done.stdout, end="")
        return
    verdict = done.stdout.strip().splitlines()
    if done.returncode == 2 and verdict:
        problem, _, remedy = verdict[-1].partition(" Remedy: ")
        raise BabeletError(problem, remedy=remedy)
    raise BabeletError(
        f"{module} ended early; its own messages are above",
        received=f"exit status {done.returncode}",
        remedy="see that memory and disk suffice, then run the same command again",
    )


def checking(folder: Path) -> contextlib.AbstractContextManager[None]:
    """Returns the boundary of a check: whatever its libraries raise is one line."""
    return boundary(
        f"Cannot check {folder}",
        expected="an export folder, and the run it is of",
        remedy="run babelet distill with this workdir again: finished steps are "
        "kept; if it fails again, report this line",
    )


def end_with(parent: int) -> None:
    """Lets this process end when its parent is killed.

    Left alone it would find its files gone, and write beside those of the next run.

    Args:
        parent: The process; 0 for none.
    """
    if parent:
        threading.Thread(target=_watch, args=(parent,), daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.2)
    os._exit(1)
