"""Processes that a command starts: they end with it, and leave the talking to it."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from typing import Any

from babelet.core import signals


def run_child(
    command: Sequence[str],
    *,
    grace: float = 0,
    given: Any = None,
    seconds: float | None = None,
    **options: Any,
) -> subprocess.CompletedProcess:
    """Runs a command to its end, as `subprocess.run` does.

    Ctrl-C, which the terminal sends to all processes, is left to this one; whatever
    ends this function early ends the child first.

    Args:
        command: The program and its arguments.
        grace: Seconds that a child has to end by itself when this process is
            stopped; 0 kills it, which is right where its files are thrown away.
        given: What it reads from its standard input.
        seconds: After them it is killed, and `subprocess.TimeoutExpired` raised.
        options: Of `subprocess.Popen`.
    """
    environment = (options.pop("env", None) or os.environ) | {signals.SILENT: "1"}
    if given is not None:
        options["stdin"] = subprocess.PIPE
    with contextlib.ExitStack() as stack:
        with blocked():
            # A signal that waits is raised when the block is left: the child is ours.
            process = subprocess.Popen(command, env=environment, **options)
            stack.enter_context(process)
            stack.callback(_end, process, grace)
        output, errors = process.communicate(given, timeout=seconds)
    return subprocess.CompletedProcess(command, process.returncode, output, errors)


@contextlib.contextmanager
def blocked() -> Iterator[None]:
    """Lets signals wait; a process that is started in the block never gets them.

    Other than an ignored signal, one that came in the block is not lost. An entry
    point of ours takes SIGTERM again when its work begins.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signals.NAMES)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _end(process: subprocess.Popen, grace: float) -> None:
    """Ends a process that still runs."""
    if process.poll() is None and grace:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(grace)
    if process.poll() is None:
        process.kill()
