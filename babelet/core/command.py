"""How every entry point starts and ends: one line and an exit status for the user."""

import contextlib
import io
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from absl import app, flags

from babelet.core import signals
from babelet.core.atomic import explain
from babelet.core.boundary import described
from babelet.core.errors import BabeletError

# A flag that is defined here belongs to the module that asks for it: --help shows it.
flags.disclaim_key_flags()


def run(
    main: Callable[[list[str]], None],
    stopped: str = signals.CONTINUES,
    verdict: bool = False,
) -> None:
    """Parses the flags and calls `main`; ends the process.

    Exit status: 0, also of --help; 1 for wrong flags; 2 and one line for what the user
    can mend, an unreadable or full disk among it; 130 after Ctrl-C, 143 after SIGTERM,
    129 after the terminal's end, with one line. A second signal ends it at once.

    Args:
        main: Takes what is left of the command line.
        stopped: What the line about a signal says of the work.
        verdict: The one error is the last line of the standard output, where
            `export.new_process.run_module` reads it.
    """

    def guarded(argv: list[str]) -> None:
        # A file's name may be no UTF-8; printing it is no reason to fail.
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")
        try:
            signals.stop_work()
            main(argv)
            sys.stdout.flush()
        except signals.Stopped as stop:
            _leave(signals.report(stop.number, stopped))
        except KeyboardInterrupt:
            _leave(signals.report(signal.SIGINT, stopped))
        except BrokenPipeError:
            # The reader, such as head, has what it wanted.
            os._exit(141)
        except (BabeletError, OSError, MemoryError) as error:
            if os.environ.get("BABELET_TRACEBACK"):
                raise
            if verdict:
                print(_cause(error), flush=True)
            else:
                print(f"error: {_cause(error)}", file=sys.stderr, flush=True)
            sys.exit(2)

    signals.end_at_once()
    app.run(guarded, flags_parser=_parse)


def _leave(status: int) -> None:
    """Ends the process without taking TensorFlow apart, which takes ten seconds."""
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()
    os._exit(status)


def path_flag(
    name: str, default: str | None, text: str, required: bool = False
) -> flags.FlagHolder:
    """Defines a flag for a file or folder: never empty, ~ is the home folder.

    Args:
        name: Of the flag.
        default: None: nothing is meant.
        text: For --help.
        required: It has to be given.
    """
    return flags.DEFINE(_PathParser(), name, default or None, text, required=required)


def paths_flag(name: str, default: list[str], text: str) -> flags.FlagHolder:
    """Defines a flag for files or folders that may be given several times."""
    serializer = flags.ArgumentSerializer()
    return flags.DEFINE_multi(_PathParser(), serializer, name, default, text)


class _PathParser(flags.ArgumentParser):
    syntactic_help = "a path"

    def parse(self, argument: str) -> str:
        """Returns the path; raises ValueError, as absl wants it, if it is empty."""
        if not argument.strip():
            raise ValueError("it is empty; give a path, or . for this folder")
        return os.path.expanduser(argument)

    def flag_type(self) -> str:
        """Returns the name of the type that --help shows."""
        return "path"


def _parse(argv: list[str]) -> list[str]:
    """Returns what is left of the command line; ends after --help or wrong flags."""
    try:
        return flags.FLAGS(argv)
    except flags.Error as error:
        problem = " ".join(str(error).split())
        print(
            f"error: {problem.rstrip('.')}. Remedy: --help shows the flags.",
            file=sys.stderr,
        )
        sys.exit(1)
    except SystemExit:  # absl ends with 1 after it has shown the help.
        sys.stdout.flush()
        sys.exit(0)


def _cause(error: BabeletError | MemoryError | OSError) -> BabeletError:
    if isinstance(error, BabeletError):
        return error
    if isinstance(error, MemoryError):
        return BabeletError(
            "The memory does not suffice",
            remedy="use less text, smaller batches or a larger machine",
        )
    place = os.fsdecode(getattr(error, "filename", None) or "") or "a file"
    cause = explain(error, Path(place))
    if isinstance(cause, BabeletError):
        return cause
    return BabeletError(
        f"Cannot read or write {place}",
        received=described(error),
        remedy="check the path, its permissions and the disk",
    )
