"""The layout keeps its promises: one-way imports, small functions, no dead settings."""

import ast
import dataclasses
import functools
import importlib.metadata
import re
import sys
import typing
from pathlib import Path

import pytest

from configs import schema

ROOT = Path(__file__).resolve().parent.parent

# A package may import from packages of a lower number only, never from its siblings.
LAYERS = {
    "configs": 0,
    "data": 1,
    "model": 1,
    "evaluation": 1,
    "tasks": 2,
    "export": 3,
    "training": 4,
    "search": 5,
    "benchmarks": 6,
}
PACKAGES = sorted(path.parent.name for path in ROOT.glob("[a-z]*/__init__.py"))
SOURCES = [path for name in PACKAGES for path in sorted((ROOT / name).rglob("*.py"))]
MAX_FUNCTION_LINES = 60


@functools.cache
def tree(path):
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def imports(path):
    """Returns every dotted module name that `path` imports, wherever it stands."""
    names = []
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno} imports relatively"
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return names


def name_of(path):
    return str(path.relative_to(ROOT))


def test_every_package_has_a_place_in_the_order():
    """A package the order does not know would escape the test of directions."""
    assert set(PACKAGES) <= set(LAYERS)


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_imports_go_one_way(path):
    """An upward import works today and makes every later change touch everything."""
    own = path.relative_to(ROOT).parts[0]
    for name in imports(path):
        other = name.split(".")[0]
        if other in LAYERS and other != own:
            assert LAYERS[other] < LAYERS[own], f"{own} must not import {name}"


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_only_entry_modules_have_flags(path):
    """A flag in a library module is a setting that config.json does not record."""
    has_flags = any(name.startswith("absl.flags") for name in imports(path))
    runs = any(ast.unparse(n.func) == "command.run" for n in calls(path))
    assert not has_flags or runs or name_of(path) == "configs/command.py"


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_every_entry_ends_as_the_others_do(path):
    """One with an `app.run` of its own shows a traceback at Ctrl-C."""
    if name_of(path) != "configs/command.py":
        assert not any(ast.unparse(node.func) == "app.run" for node in calls(path))


def calls(path):
    return [node for node in ast.walk(tree(path)) if isinstance(node, ast.Call)]


def test_the_model_takes_tensors():
    """Strings or settings inside the model would tie it to one tokenizer."""
    text_modules = ("configs.schema", "tensorflow_text", "sentencepiece")
    for path in SOURCES:
        folder = path.relative_to(ROOT).parts[:2]
        if folder[0] == "model" and folder[1] != "teachers":
            taken = [name for name in imports(path) if name.startswith(text_modules)]
            assert not taken, f"{name_of(path)} imports {taken}"


def test_third_party_imports_are_declared():
    """An import that another package happens to bring breaks with its next release."""
    product = declared_in("requirements.txt")
    product |= {"keras-hub"} if "keras-nlp" in product else set()
    # What Babelet is measured with and never needs to run.
    measuring = product | declared_in("requirements-dev.txt")
    distributions = importlib.metadata.packages_distributions()
    for path in SOURCES:
        package = path.relative_to(ROOT).parts[0]
        declared = measuring if package == "benchmarks" else product
        for top in {name.split(".")[0] for name in imports(path)}:
            if top in LAYERS or top in sys.stdlib_module_names:
                continue
            names = {name.lower() for name in distributions.get(top, [top])}
            assert names & declared, f"{name_of(path)} imports {top}: {names}"


def declared_in(name):
    """Returns the packages that a requirements file names, in lower case."""
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    named = [line for line in lines if line and not line.startswith(("#", "-"))]
    return {re.split(r"[<>=!~\[ ]", line)[0].lower() for line in named}


def test_files_are_named_after_what_they_hold():
    """A drawer for everything is read by nobody and grows."""
    vague = {"utils", "util", "helpers", "helper", "common", "misc"}
    for path in SOURCES:
        assert not vague & set(path.relative_to(ROOT).with_suffix("").parts)


def docstring_lines(function):
    docstring = ast.get_docstring(function, clean=False)
    return 0 if docstring is None else docstring.count("\n") + 1


def test_functions_fit_on_a_screen():
    """A function that needs scrolling hides its mistakes."""
    for path in SOURCES:
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = node.end_lineno - node.lineno + 1 - docstring_lines(node)
                where = f"{name_of(path)}:{node.lineno} {node.name}"
                assert lines <= MAX_FUNCTION_LINES, f"{where} has {lines} lines"


def settings():
    """Returns (group or "", name) for every setting of a run."""
    hints = typing.get_type_hints(schema.Config)
    found = []
    for group in dataclasses.fields(schema.Config):
        if dataclasses.is_dataclass(hints[group.name]):
            inner = dataclasses.fields(hints[group.name])
            found += [(group.name, field.name) for field in inner]
        else:
            found.append(("", group.name))
    return found


@functools.cache
def attributes_read():
    """Returns {(receiver, attribute)} of every x.y.z read outside configs/.

    A name that was assigned from an attribute, `shape = config.student`, counts as
    that attribute.
    """
    read = set()
    for path in SOURCES:
        if path.relative_to(ROOT).parts[0] == "configs":
            continue
        aliases = {}
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Attribute):
                aliases |= {ast.unparse(t): node.value.attr for t in node.targets}
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
                name = ast.unparse(node.value)
                receiver = aliases.get(name, name.rpartition(".")[2])
                read.add((receiver.lstrip("_"), node.attr))
    return read


@pytest.mark.parametrize(
    ("group", "name"), settings(), ids=lambda part: part or "config"
)
def test_every_setting_is_read(group, name):
    """A setting nothing reads is accepted, recorded, and silently without effect."""
    receivers = {"config", group, f"{group}_config", "settings"}
    assert any((receiver, name) in attributes_read() for receiver in receivers)
