"""How every entry point starts and ends: one line and an exit status for the user."""

import contextlib
import io
import os
import signal
import sys
import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path

from absl import app, flags

from babelet.core import signals
from babelet.core.atomic import explain
from babelet.core.boundary import described
from babelet.core.errors import BabeletError

# Of a flag that is none: its name and value -> what was meant by it, if it is known.
Meant = Callable[[str, str], str | None]

# The word after `babelet` that the user typed; empty below `python -m`.
called_as = ""
_HELP = ("--help", "-help", "-h", "--helpshort")
_HIDDEN: set[str] = set()

# A flag that is defined here belongs to the module that asks for it: --help shows it.
flags.disclaim_key_flags()


def run(
    main: Callable[[list[str]], None],
    stopped: str = signals.CONTINUES,
    verdict: bool = False,
    meant: Meant | None = None,
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
        meant: Answers a flag that is none.
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
    app.run(guarded, flags_parser=lambda argv: _parse(argv, meant))


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


def require_none_left(argv: Sequence[str], instead: str) -> None:
    """Ends the process if a word is left of the command line.

    Args:
        argv: What `main` takes.
        instead: How what was meant is given.
    """
    if len(argv) > 1:
        sys.exit(f"Unknown argument {argv[1]}: {instead}.")


def hide(*names: str) -> None:
    """Leaves flags out of --help that one process of ours gives another."""
    _HIDDEN.update(names)


def _parse(argv: list[str], meant: Meant | None) -> list[str]:
    """Returns what is left of the command line; ends after --help or wrong flags."""
    if any(argument in _HELP for argument in argv[1:]):
        try:
            print(_help())
            sys.stdout.flush()
        except BrokenPipeError:
            os._exit(141)
        sys.exit(0)
    try:
        return flags.FLAGS(argv)
    except flags.Error as error:
        problem = " ".join(str(error).split()).rstrip(".")
        remedy = "--help shows the flags"
        if meant and isinstance(error, flags.UnrecognizedFlagError):
            given = error.flagvalue.partition("=")[2]
            remedy = meant(error.flagname, given) or remedy
        print(f"error: {problem}. Remedy: {remedy}.", file=sys.stderr)
        sys.exit(1)


def _help() -> str:
    """Returns what the entry point says of itself, and its own flags."""
    lines = [(sys.modules["__main__"].__doc__ or "").strip(), "", "Flags:"]
    own = flags.FLAGS.get_key_flags_for_module(sys.argv[0])
    for flag in sorted(own, key=lambda flag: flag.name):
        if flag.name not in _HIDDEN:
            lines += _described_flag(flag)
    return "\n".join(lines)


def _described_flag(flag: flags.Flag) -> list[str]:
    if flag.boolean:
        name = f"--[no]{flag.name}"
    elif isinstance(flag.parser, flags.EnumParser):
        name = f"--{flag.name}={'|'.join(flag.parser.enum_values)}"
    else:
        name = f"--{flag.name}={flag.name.upper()}"
    # Without what absl adds of its own: the choices, and how a list is given.
    about = (flag.help or "").rpartition(">: ")[2].partition(";\n")[0].strip()
    if isinstance(flag, flags.MultiFlag):
        about = f"{about.rstrip('.')}. May be given several times."
    if flag.default not in (None, "", [], False):
        value = flag.default
        shown = ",".join(map(str, value)) if isinstance(value, list) else value
        about += f" Default: {shown}."
    indent = "        "
    return [
        f"  {name}",
        *textwrap.wrap(about, 80, initial_indent=indent, subsequent_indent=indent),
    ]


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
