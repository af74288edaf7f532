"""What the documents say can be typed, clicked and read: every command resolves."""

import ast
import doctest
import importlib
import re
import shlex
from pathlib import Path

import pytest

from babelet.configs import overrides

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = ("README.md", "README.zh.md", "CONTRIBUTING.md", "CHANGELOG.md")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\(([^)#]+)[^)]*\)")


def text(document):
    return (ROOT / document).read_text(encoding="utf-8")


def blocks(document, language):
    return [body for kind, body in FENCE.findall(text(document)) if kind == language]


def commands(document):
    joined = "".join(blocks(document, "sh")).replace("\\\n", " ")
    return [shlex.split(line) for line in joined.splitlines() if line.strip()]


ALL_COMMANDS = [
    shlex.split(line)
    for line in dict.fromkeys(
        shlex.join(command) for name in DOCUMENTS for command in commands(name)
    )
]


def file_of(module):
    """Returns the file that `python -m module` runs, or None if there is none."""
    path = ROOT / module.replace(".", "/")
    files = (path.with_suffix(".py"), path / "__main__.py")
    return next((file for file in files if file.is_file()), None)


def flags_of(module):
    """Returns the flags that `module` defines, or None if there is no such module."""
    file = file_of(module)
    if file is None:
        return None
    found = set()
    for node in ast.walk(ast.parse(text(file))):
        called = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
        if called.startswith(("flags.DEFINE_", "command.path")):
            found.add(node.args[0].value)
        elif called == "flags.adopt_module_key_flags":
            package = module.rpartition(".")[0]
            found |= flags_of(f"{package}.{ast.unparse(node.args[0])}")
    return found


def takes_files(module):
    """Says whether the usage that `module` begins with has a FILE, QUERY or RUN."""
    source = text(file_of(module))
    # Not the FILE of --index=FILE, which is a flag's.
    usage = ast.get_docstring(ast.parse(source))
    return bool(re.search(r'[ ["](FILE|QUERY|RUN)\b', usage))


def options(arguments):
    """Returns (name, value) for --name=value and --name value alike.

    An argument without a name has the name FILE; the file after ">" is the shell's.
    """
    if ">" in arguments:
        arguments = arguments[: arguments.index(">")]
    found, waiting = [], None
    for argument in arguments:
        if argument.startswith("--"):
            name, equals, value = argument[2:].partition("=")
            waiting = None if equals else name
            if equals:
                found.append((name, value))
        else:
            found.append((waiting or "FILE", argument))
            waiting = None
    return found


def test_the_readme_has_commands():
    """A changed fence would leave every test of this file without anything to do."""
    assert ["make", "distill"] in commands("README.md")
    assert len(ALL_COMMANDS) > 8


@pytest.mark.parametrize("command", ALL_COMMANDS, ids=" ".join)
def test_a_command_resolves(command):
    """The first thing a newcomer types must not fail."""
    program = Path(command[0]).name
    if program == "make":
        targets = re.findall(r"^([a-z]+):", text("Makefile"), re.MULTILINE)
        assert set(command[1:]) <= set(targets)
    elif program == "python":
        assert command[1] == "-m"
        check_module(command[2], options(command[3:]))
    else:
        assert program == "tensorboard", f"the documents' commands know no {program}"
        assert [name for name, _ in options(command[1:])] == ["logdir"]


def check_module(module, given):
    known = flags_of(module)
    assert known is not None, f"there is no module {module}"
    if takes_files(module):
        known = known | {"FILE"}
    assert {name for name, _ in given} <= known, f"{module} has the flags {known}"
    settings = [value for name, value in given if name == "set"]
    for config in [value for name, value in given if name == "config"]:
        if config.startswith("configs/"):
            overrides.load(str(ROOT / config), settings)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_lead_somewhere(document):
    """A file that was renamed, and a reading path that ends in nothing."""
    for target in LINK.findall(text(document)):
        if "://" not in target:
            assert (ROOT / target).exists(), f"{document} links to {target}"


@pytest.mark.parametrize("document", DOCUMENTS)
def test_files_that_are_named_exist(document):
    """`folder/file.py` in running text goes stale as easily as a link."""
    for name in re.findall(r"`([\w/.]+/[\w.]+\.(?:py|txt|toml))`", text(document)):
        assert (ROOT / name).exists(), f"{document} names {name}"


def test_python_examples_parse_and_their_imports_exist():
    """An example that fails on its first line."""
    examples = blocks("README.md", "python")
    assert examples
    for example in examples:
        for node in ast.walk(ast.parse(example)):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    importlib.import_module(alias.name)


def test_the_chinese_readme_has_the_same_blocks_and_links():
    """A translation that lags behind sends its readers to commands of the past."""
    assert FENCE.findall(text("README.zh.md")) == FENCE.findall(text("README.md"))
    english = [t for t in LINK.findall(text("README.md")) if t != "README.zh.md"]
    # Where a document has a Chinese version, the Chinese README links to that.
    links = [t.replace(".zh.md", ".md") for t in LINK.findall(text("README.zh.md"))]
    chinese = [t for t in links if t != "README.md"]
    assert chinese == english
    numbers = re.compile(r"\d+(?:\.\d+)?")
    tables = [
        [numbers.findall(line) for line in text(name).splitlines() if line[:1] == "|"]
        for name in ("README.md", "README.zh.md")
    ]
    assert tables[0] == tables[1]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_no_figure_is_missing(document):
    """A place that was kept for a measurement and forgotten."""
    assert not re.findall(r"⟨[^⟩]*⟩", text(document))


def test_examples_in_docstrings_are_true():
    """An example nobody runs is the first part of a docstring to become wrong."""
    packages = [path.parent.name for path in ROOT.glob("[a-z]*/__init__.py")]
    files = [file for name in packages for file in sorted((ROOT / name).rglob("*.py"))]
    for file in files:
        if ">>>" in file.read_text(encoding="utf-8"):
            module = ".".join(file.relative_to(ROOT).with_suffix("").parts)
            result = doctest.testmod(importlib.import_module(module))
            assert result.attempted and not result.failed, module
