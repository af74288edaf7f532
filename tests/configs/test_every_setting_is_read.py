"""Every setting of a run changes what it does: the type checker says who reads it."""

import ast
import dataclasses
import json
import re
import shutil
import subprocess
import sys
import tomllib
import typing
import venv
from pathlib import Path

import pytest

from babelet.configs import schema

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"][
    "setuptools"
]["package-dir"]
HIDDEN = "_hidden"
CHECK = {"typeCheckingMode": "off", "reportAttributeAccessIssue": "error"}
# Where no settings are named none are read: half of the time.
NAMED = re.compile("[Cc]onfig|settings")
NOT_THERE = re.compile(r'Cannot access attribute "(\w+)" for class "(\w+)')


def groups():
    """Returns the classes of settings: `Config` and those of its groups."""
    hints = typing.get_type_hints(schema.Config)
    return [schema.Config, *(hint for hint in hints.values() if is_group(hint))]


def is_group(hint):
    return dataclasses.is_dataclass(hint)


def settings():
    """Returns (class, setting) of every setting of a run."""
    return [
        (group.__name__, name)
        for group in groups()
        for name, hint in typing.get_type_hints(group).items()
        if not is_group(hint)
    ]


def hide(source):
    """Returns the source of a module in which every setting has another name."""
    lines = source.splitlines(keepends=True)
    names = {group.__name__ for group in groups()}
    for each in ast.walk(ast.parse(source)):
        if isinstance(each, ast.ClassDef) and each.name in names:
            for field in each.body:
                if isinstance(field, ast.AnnAssign):
                    name = field.target.id
                    if (each.name, name) in settings():
                        line = lines[field.lineno - 1]
                        lines[field.lineno - 1] = line.replace(name, name + HIDDEN, 1)
    return "".join(lines)


@pytest.fixture(scope="module")
def read(tmp_path_factory):
    """Returns (class, setting) of every attribute that is missed, with its files.

    Outside of configs/, whose checks and defaults have no effect on a run.
    """
    folder = tmp_path_factory.mktemp("package")
    for name in sorted(FOLDERS):
        to = folder / name.replace(".", "/")
        ours = shutil.ignore_patterns("*.pyc", "__pycache__")
        shutil.copytree(ROOT / FOLDERS[name], to, ignore=ours, dirs_exist_ok=True)
    for path in (folder / "babelet" / "configs").glob("*.py"):
        path.write_text(hide(path.read_text("utf-8")), "utf-8")
    files = [
        path for path in folder.rglob("*.py") if NAMED.search(path.read_text("utf-8"))
    ]
    check = CHECK | {"include": [str(path.relative_to(folder)) for path in files]}
    (folder / "pyrightconfig.json").write_text(json.dumps(check))
    # With other packages it takes twice as long; no settings come from them.
    empty = tmp_path_factory.mktemp("venv")
    venv.create(empty)
    line = [sys.executable, "-m", "basedpyright", "--outputjson", f"--project={folder}"]
    line.append(f"--pythonpath={empty / 'bin' / 'python'}")
    done = subprocess.run(line, cwd=folder, capture_output=True, text=True)
    found = {}
    for each in json.loads(done.stdout)["generalDiagnostics"]:
        place = Path(each["file"]).relative_to(folder / "babelet").as_posix()
        match = NOT_THERE.match(each["message"])
        if match and not place.startswith("configs/"):
            found.setdefault(match.group(2, 1), []).append(place)
    return found


@pytest.mark.parametrize(("group", "name"), settings())
def test_every_setting_is_read(read, group, name):
    """A setting nothing reads is accepted, recorded, and silently without effect."""
    assert (group, name) in read
