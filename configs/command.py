"""How every entry point starts and ends: one line and an exit status for the user."""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from absl import app

from configs.atomic import explain
from configs.boundary import described
from configs.errors import BabeletError

CONTINUES = "the same command continues"


class Terminated(BaseException):
    """SIGTERM arrived; raised so that half-written files are removed."""


def run(main: Callable[[list[str]], None], stopped: str = CONTINUES) -> None:
    """Parses the flags and calls `main`; ends the process.

    Exit status: 0; 1 for wrong flags; 2 and one line for what the user can mend, an
    unreadable or full disk among it; 130 after Ctrl-C, 143 after SIGTERM, with one
    line. A second signal ends the process at once.

    Args:
        main: Takes what is left of the command line.
        stopped: What the line about a signal says of the work.
    """
    signal.signal(signal.SIGINT, _interrupt)
    signal.signal(signal.SIGTERM, _terminate)

    def guarded(argv: list[str]) -> None:
        try:
            main(argv)
            sys.stdout.flush()
        except BabeletError as error:
            _end(f"error: {error}", 2)
        except KeyboardInterrupt:
            _end(f"Interrupted: {stopped}.", 130)
        except Terminated:
            _end(f"Terminated: {stopped}.", 143)
        except BrokenPipeError:
            # The reader, such as head, has what it wanted.
            os._exit(141)
        except OSError as error:
            if os.environ.get("BABELET_TRACEBACK"):
                raise
            place = os.fsdecode(error.filename or "")
            cause = explain(error, Path(place or "a file"))
            if not isinstance(cause, BabeletError):
                cause = BabeletError(
                    f"Cannot read or write {place or 'a file'}",
                    received=described(error),
                    remedy="check the path, its permissions and the disk",
                )
            _end(f"error: {cause}", 2)
        except MemoryError:
            _end(
                "error: The memory does not suffice. Remedy: use less text, smaller "
                "batches or a larger machine.",
                2,
            )

    app.run(guarded)


def _end(line: str, status: int) -> None:
    # Lines of a progress bar stand on the standard error without an end.
    print(("\n" if status > 2 else "") + line, file=sys.stderr, flush=True)
    sys.exit(status)


def _interrupt(number: int, frame: FrameType | None) -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    raise KeyboardInterrupt


def _terminate(number: int, frame: FrameType | None) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    raise Terminated
