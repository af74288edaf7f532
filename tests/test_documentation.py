"""What the documents say can be typed, clicked and read: every command resolves."""

import ast
import doctest
import importlib
import re
import shlex
import tomllib
from pathlib import Path

import pytest

from babelet import cli
from babelet.configs import overrides

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted(path.name for path in (ROOT / "docs").glob("*.md"))
# English and Chinese of each document that has both.
PAIRS = [("README.md", "README.zh.md")]
PAIRS += [(f"docs/{name}", f"docs/zh/{name}") for name in PAGES]
DOCUMENTS = [*(name for pair in PAIRS for name in pair), "CONTRIBUTING.md"]
DOCUMENTS += ["CHANGELOG.md"]
MODULES = {name: x[0] for group in cli.COMMANDS.values() for name, x in group.items()}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
# What Sphinx reads, such as a table of contents.
DIRECTIVE = re.compile(r"^```\{\w+\}.*?^```$", re.MULTILINE | re.DOTALL)
# Of Kotlin, Swift and Ruby; comments there are in the reader's language.
COMMENT = re.compile(r"//.*|/\*\*.*?\*/|# .*")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\(([^)#]+)[^)]*\)")


def text(document):
    return (ROOT / document).read_text(encoding="utf-8")


def code(document):
    """Returns (language, body) of each block of code."""
    return FENCE.findall(DIRECTIVE.sub("", text(document)))


def links(document):
    """Returns what is linked to, as it is written, outside blocks of code."""
    return LINK.findall(FENCE.sub("", DIRECTIVE.sub("", text(document))))


def blocks(document, language):
    return [body for kind, body in code(document) if kind == language]


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
    first, *rest = module.split(".")
    path = ROOT.joinpath(*rest) if first == "babelet" else ROOT.joinpath(first, *rest)
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
    return bool(re.search(r'[ ["](FILE|QUERY|RUN|WORD)\b', usage))


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


def test_the_documents_have_commands():
    """A changed fence would leave every test of this file without anything to do."""
    assert ["babelet", "distill", "--workdir=runs/smart_home"] in commands("README.md")
    assert ["make", "distill"] in commands("docs/embedding.md")
    assert len(ALL_COMMANDS) > 40


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
    elif program == "babelet":
        words = 2 if " ".join(command[1:3]) in MODULES else 1
        name = " ".join(command[1 : 1 + words])
        assert name in MODULES, f"there is no command {name}"
        check_module(MODULES[name], options(command[1 + words :]))
    elif program == "pip":
        assert command[1] == "install"
        check_package(*command[2:])
    else:
        assert program == "tensorboard", f"the documents' commands know no {program}"
        assert [name for name, _ in options(command[1:])] == ["logdir"]


def check_package(requirement):
    """Only Babelet is installed by a command, with extras that it has."""
    name, extras = re.fullmatch(r"(\w+)(?:\[([\w,]+)\])?", requirement).groups()
    known = PROJECT["tool"]["setuptools"]["dynamic"]["optional-dependencies"]
    assert name == PROJECT["project"]["name"]
    assert set(extras.split(",") if extras else ()) <= set(known)


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
    for target in links(document):
        if "://" not in target:
            folder = (ROOT / document).parent
            assert (folder / target).exists(), f"{document} links to {target}"


@pytest.mark.parametrize("document", DOCUMENTS)
def test_files_that_are_named_exist(document):
    """`folder/file.py` in running text goes stale as easily as a link."""
    for name in re.findall(r"`([\w/.]+/[\w.]+\.(?:py|txt|toml))`", text(document)):
        assert (ROOT / name).exists(), f"{document} names {name}"


@pytest.mark.parametrize("document", [english for english, _ in PAIRS])
def test_python_examples_parse_and_their_imports_exist(document):
    """An example that fails on its first line."""
    for example in blocks(document, "python"):
        for node in ast.walk(ast.parse(example)):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    importlib.import_module(alias.name)
            elif isinstance(node, ast.ImportFrom):
                module = importlib.import_module(node.module)
                assert not [x.name for x in node.names if not hasattr(module, x.name)]


def test_there_are_python_examples():
    """The test above passes where a fence is misspelt."""
    found = {name: len(blocks(name, "python")) for name, _ in PAIRS}
    assert found["README.md"] == found["docs/index.md"] == 1
    assert sum(found.values()) > 6


def test_every_page_is_there_in_both_languages():
    """The link to the same page in the other language would lead nowhere."""
    assert len(PAGES) > 15
    assert sorted(path.name for path in (ROOT / "docs/zh").glob("*.md")) == PAGES


def without_comments(document):
    phones = ("kotlin", "swift", "ruby")
    return [(x, COMMENT.sub("", y) if x in phones else y) for x, y in code(document)]


def links_of(document):
    """Returns what a document links to, as paths from the root."""
    root, folder = str(ROOT), (ROOT / document).parent
    return [
        each if "://" in each else str((folder / each).resolve()).removeprefix(root)
        for each in links(document)
    ]


@pytest.mark.parametrize(("english", "chinese"), PAIRS, ids=[a for a, _ in PAIRS])
def test_both_languages_have_the_same_blocks_links_and_figures(english, chinese):
    """A translation that lags behind sends its readers to commands of the past."""
    names = (english, chinese)
    assert without_comments(chinese) == without_comments(english)
    # Where a document has a Chinese version, the Chinese one links to that.
    here = {"/README.md": "/README.zh.md", "/README.zh.md": "/README.md"}
    expected = [here.get(each, each) for each in links_of(english)]
    found = [each.replace("/docs/zh/", "/docs/") for each in links_of(chinese)]
    assert found == expected
    levels = [re.findall(r"^#+ ", FENCE.sub("", text(n)), re.MULTILINE) for n in names]
    assert levels[0] == levels[1]
    numbers = re.compile(r"\d+(?:\.\d+)?")
    tables = [
        [numbers.findall(line) for line in text(name).splitlines() if line[:1] == "|"]
        for name in names
    ]
    assert tables[0] == tables[1]


@pytest.mark.parametrize(
    ("name", "size"), [("README.md", 8000), ("README.zh.md", 9000)]
)
def test_a_readme_fits_on_two_screens(name, size):
    """It grew to 43 kB, a paragraph at a time, and nobody read it."""
    assert len((ROOT / name).read_bytes()) <= size


def test_the_readme_leads_to_every_page():
    """A page that only the website's menu knows is not found in the repository."""
    linked = {
        Path(each).name for each in links_of("README.md") + links_of("docs/index.md")
    }
    assert set(PAGES) - {"precision.md"} <= linked | {"index.md"}


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
            parts = file.relative_to(ROOT).with_suffix("").parts
            ours = parts[0] not in ("babelet", "benchmarks")
            module = ".".join(("babelet", *parts) if ours else parts)
            result = doctest.testmod(importlib.import_module(module))
            assert result.attempted and not result.failed, module
