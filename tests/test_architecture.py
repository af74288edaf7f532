"""The layout keeps its promises: one-way imports, small functions."""

import ast
import functools
import importlib.metadata
import re
import sys
import tomllib
from pathlib import Path

import pytest

from babelet import keras_registration

ROOT = Path(__file__).resolve().parent.parent

# A package may import from packages of a lower number only, never from its siblings.
LAYERS = {
    "core": 0,
    "configs": 1,
    "data": 2,
    "model": 2,
    "evaluation": 2,
    # Two engines, which know no task.
    "export": 3,
    "training": 4,
    "tasks": 5,
    "search": 6,
    # The façade and the command, which name all of it.
    "babelet": 7,
    "benchmarks": 8,
}
PACKAGES = sorted(path.parent.name for path in ROOT.glob("[a-z]*/__init__.py"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
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


def layer_of(module):
    """Returns the package of ours that a dotted name belongs to; None for others."""
    first, *rest = module.split(".")
    if first == "babelet":
        return rest[0] if rest and rest[0] in LAYERS else "babelet"
    return first if first == "benchmarks" else None


def own_layer(path):
    parts = path.relative_to(ROOT).parts
    return "core" if parts[:2] == ("babelet", "core") else parts[0]


def test_every_package_has_a_place_in_the_order():
    """A package the order does not know would escape the test of directions."""
    assert {*PACKAGES, "core"} == set(LAYERS)


def test_every_folder_is_in_the_wheel():
    """A folder that setuptools is not told of works in a clone and nowhere else."""
    folders = PROJECT["tool"]["setuptools"]["package-dir"]
    packages = set()
    for path in SOURCES:
        if path.name == "__init__.py" and own_layer(path) != "benchmarks":
            parts = path.parent.relative_to(ROOT).parts
            packages.add(
                ".".join(("babelet", *parts) if parts[0] != "babelet" else parts)
            )
    assert packages == set(PROJECT["tool"]["setuptools"]["packages"])
    assert {f"babelet.{name}": name for name in PACKAGES if name != "benchmarks"} | {
        "babelet": "babelet"
    } == {k: v for k, v in folders.items()} | {"babelet.babelet": "babelet"}


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_our_code_is_imported_by_one_name(path):
    """`model.x` beside `babelet.model.x` is a second module, with its own classes."""
    folders = set(PACKAGES) - {"babelet", "benchmarks"}
    assert not {name for name in imports(path) if name.split(".")[0] in folders}


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_imports_go_one_way(path):
    """An upward import works today and makes every later change touch everything."""
    own = own_layer(path)
    for name in imports(path):
        other = layer_of(name)
        # The version, and nothing else of the façade, is everyone's.
        if other not in (None, own) and not name.startswith("babelet.version"):
            assert LAYERS[other] < LAYERS[own], f"{own} must not import {name}"


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_only_entry_modules_have_flags(path):
    """A flag in a library module is a setting that config.json does not record."""
    has_flags = any(name.startswith("absl.flags") for name in imports(path))
    runs = any(ast.unparse(n.func) == "command.run" for n in calls(path))
    assert not has_flags or runs or name_of(path) == "babelet/core/command.py"


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_every_entry_ends_as_the_others_do(path):
    """One with an `app.run` of its own shows a traceback at Ctrl-C."""
    if name_of(path) != "babelet/core/command.py":
        assert not any(ast.unparse(node.func) == "app.run" for node in calls(path))


def calls(path):
    return [node for node in ast.walk(tree(path)) if isinstance(node, ast.Call)]


def test_the_model_takes_tensors():
    """Strings or settings inside the model would tie it to one tokenizer."""
    text_modules = ("babelet.configs", "tensorflow_text", "sentencepiece")
    for path in SOURCES:
        folder = path.relative_to(ROOT).parts[:2]
        if folder[0] == "model" and folder[1] != "teachers":
            taken = [name for name in imports(path) if name.startswith(text_modules)]
            assert not taken, f"{name_of(path)} imports {taken}"


def test_keras_is_told_of_every_class_of_ours():
    """A class that is not on the list is missing when a user loads their student."""
    told = {
        "babelet." + ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path in SOURCES
        if "@keras.saving.register_keras_serializable" in path.read_text("utf-8")
    }
    assert told == set(keras_registration.MODULES)


def test_third_party_imports_are_declared():
    """An import that another package happens to bring breaks with its next release."""
    runtime = {requirement_name(each) for each in PROJECT["project"]["dependencies"]}
    product = runtime | declared_in("requirements.txt")
    product |= declared_in("requirements-search.txt")
    product |= {"keras-hub"} if "keras-nlp" in product else set()
    # What Babelet is measured with and never needs to run.
    measuring = product | declared_in("requirements-dev.txt")
    distributions = importlib.metadata.packages_distributions()
    for path in SOURCES:
        package = path.relative_to(ROOT).parts[0]
        declared = measuring if package == "benchmarks" else product
        for top in {name.split(".")[0] for name in imports(path)}:
            if top in ("babelet", "benchmarks") or top in sys.stdlib_module_names:
                continue
            names = {name.lower() for name in distributions.get(top, [top])}
            assert names & declared, f"{name_of(path)} imports {top}: {names}"


def declared_in(name):
    """Returns the packages that a requirements file names, in lower case."""
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    named = [line for line in lines if line and not line.startswith(("#", "-"))]
    return {requirement_name(line) for line in named}


def requirement_name(requirement):
    return re.split(r"[<>=!~\[ ]", requirement)[0].lower()


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
