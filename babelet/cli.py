"""The command `babelet`: lists what there is, and runs one of it.

Each command is a module with flags of its own; `babelet distill --steps …` is
`python -m babelet.training.distill` by a shorter name.
"""

import importlib.util
import runpy
import sys

from babelet.core import signals, startup
from babelet.version import __version__

# Purpose -> command -> the module that does it, and what it does.
COMMANDS: dict[str, dict[str, tuple[str, str]]] = {
    "Make a student": {
        "inspect": ("babelet.data.inspect", "what a run would make of your text"),
        "distill": ("babelet.training.distill", "text and a teacher become a student"),
        "tune": ("babelet.training.tuning", "search its learning rate and steps"),
        "compare": (
            "babelet.evaluation.compare",
            "settings and scores of several runs",
        ),
        "settings": ("babelet.configs.settings", "every setting, and what it means"),
    },
    "Use it": {
        "export": ("babelet.export", "a finished run again, in the formats you ship"),
        "embed": ("babelet.export.infer", "a file of texts becomes vectors"),
        "classify": ("babelet.export.infer", "a file of texts becomes classes"),
        "translate": ("babelet.export.infer", "a file of texts becomes translations"),
        "benchmark": ("babelet.export.benchmark", "latency and memory of LiteRT files"),
        "serve": ("babelet.export.web", "a page that searches in the browser, offline"),
    },
    "Search across languages": {
        "search build": ("babelet.search.build", "an index of documents, or update it"),
        "search query": ("babelet.search.query", "the nearest documents to a text"),
        "search mine": (
            "babelet.search.mine",
            "translations of each other in an index",
        ),
        "search export": ("babelet.search.export", "an index for the browser's page"),
        "search inspect": ("babelet.search.inspect", "what an index holds; repair it"),
    },
}
_MODULES = {name: at[0] for group in COMMANDS.values() for name, at in group.items()}


def main() -> None:
    """Runs the command that the command line names; ends the process."""
    signals.end_at_once()
    startup.quieten()
    name, arguments = _chosen(sys.argv[1:])
    if name in ("", "help", "--help", "-h", "--helpfull"):
        print(_overview())
    elif name in ("--version", "version"):
        print(f"babelet {__version__}")
    elif name in _MODULES:
        _run(name, arguments)
    else:
        sys.exit(_unknown(name))


def _chosen(given: list[str]) -> tuple[str, list[str]]:
    """Returns the command's name, of one word or two, and what follows it."""
    two = " ".join(given[:2])
    if two in _MODULES:
        return two, given[2:]
    return (given[0] if given else ""), given[1:]


def _run(name: str, arguments: list[str]) -> None:
    module = _MODULES[name]
    sys.argv = [f"babelet {name}", *arguments]
    from babelet.core import command  # The overview needs no flags.

    command.called_as = name
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing == "babelet" or importlib.util.find_spec(missing or "babelet"):
            raise
        extra = "search" if name.startswith("search") else "train"
        sys.exit(
            f"error: babelet {name} needs {missing}, which is not installed. "
            f"Remedy: pip install 'babelet[{extra}]'."
        )


def _overview() -> str:
    lines = ["Distils a multilingual Transformer into one small enough for a phone."]
    lines += [
        "",
        "usage: babelet COMMAND [--flags]; COMMAND --help shows them.",
    ]
    for purpose, commands in COMMANDS.items():
        lines += ["", f"{purpose}:"]
        lines += [f"  {name:<16}{about}" for name, (_, about) in commands.items()]
    lines += [
        "",
        "Start: babelet distill --workdir=runs/smart_home",
    ]
    return "\n".join(lines)


def _unknown(name: str) -> str:
    import difflib

    words = {each.split()[-1]: each for each in _MODULES} | {n: n for n in _MODULES}
    groups = [each for each in _MODULES if each.startswith(f"{name} ")]
    if groups:
        hint = f"choose one of {', '.join(groups)}"
    else:
        near = difflib.get_close_matches(name, words, n=1, cutoff=0.5)
        hint = f"did you mean {words[near[0]]}?" if near else "babelet lists them"
    return f"error: There is no command {name}. Remedy: {hint.rstrip('.')}."
