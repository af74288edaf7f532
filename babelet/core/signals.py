"""What Ctrl-C, SIGTERM and a lost terminal do: one line, and the exit status of each.

While an entry point imports, a signal ends the process at once, for nothing is written
yet. In the work of an entry point it is an exception, so that what is half-written is
removed and other processes are ended.
"""

import os
import signal
import sys
from collections.abc import Callable
from types import FrameType

CONTINUES = "the same command continues"
# Number -> what the line calls it. The exit status is 128 and the number.
NAMES = {
    signal.SIGINT: "Interrupted",
    signal.SIGTERM: "Terminated",
    signal.SIGHUP: "Terminal lost",
}
# A process that another entry point started: that one tells the user.
SILENT = "BABELET_SILENT"


class Stopped(BaseException):
    """A signal arrived; raised so that half-written files are removed."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def starts_as_command() -> bool:
    """Returns whether `python -m` is importing one of our entry points."""
    if sys.argv[:1] != ["-m"]:  # Python's sign that the module is being located.
        return False
    arguments = sys.orig_argv
    module = arguments[arguments.index("-m") + 1] if "-m" in arguments else ""
    return module.partition(".")[0] in ("babelet", "benchmarks")


def end_at_once() -> None:
    """Lets a signal end the process with one line, without cleaning up."""
    _handle(_end)


def stop_work() -> None:
    """Lets the first signal raise `Stopped`; the next one ends the process."""
    _handle(_stop)
    if SILENT in os.environ:
        # Blocked by the process that started this one, which may ask it to end.
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})


def report(number: int, stopped: str = CONTINUES) -> int:
    """Prints the one line about a signal; returns the exit status.

    Args:
        number: Of the signal.
        stopped: What the line says of the work.
    """
    if SILENT not in os.environ:
        # A progress bar stands on the standard error without an end of line.
        line = f"\n{NAMES[signal.Signals(number)]}: {stopped}.\n"
        try:
            os.write(2, line.encode())
        except OSError:
            pass  # The terminal is lost.
    return 128 + number


def _handle(handler: Callable[[int, FrameType | None], None]) -> None:
    for number in NAMES:
        # nohup and shells' background jobs ask for a signal to be ignored.
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, handler)


def _end(number: int, frame: FrameType | None) -> None:
    os._exit(report(number))


def _stop(number: int, frame: FrameType | None) -> None:
    for each in NAMES:
        if signal.getsignal(each) is _stop:
            signal.signal(each, signal.SIG_DFL)
    raise Stopped(number)
