"""Reads `--config` and `--set`: a recipe or config.json, with settings changed."""

import contextlib
import difflib
import importlib.util
import os
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path

from babelet.configs import parsing, schema
from babelet.configs.registry import config_class, task_names
from babelet.core.boundary import described
from babelet.core.errors import BabeletError


def load(path: str, overrides: Sequence[str] = ()) -> schema.Config:
    """Returns the config at `path` with each "a.b=value" of `overrides` applied.

    Args:
        path: A recipe (Python, with `get_config`), the name of one of Babelet's own,
            "smart_home" or "configs/smart_home.py", or a run's `config.json`. A recipe
            is a program: it is executed.
        overrides: Texts such as "training.steps=200"; of two for one key the last
            counts. A value that is text is taken as it is, spaces included.

    Raises:
        BabeletError: No such file, a recipe that fails or returns no config, or a
            wrong key or value.
    """
    file = Path(path)
    config = parsing.from_json(file) if file.suffix == ".json" else _run_recipe(file)
    changes = {}
    for override in overrides:
        key, equals, value = override.partition("=")
        if not equals:
            raise BabeletError(
                f"Cannot read --set {override}",
                expected="key=value",
                received=override,
                remedy="write it as --set training.steps=200",
            )
        changes[key.strip()] = value
    return parsing.replace(config, changes)


def recipes() -> dict[str, Path]:
    """Returns the recipes that come with the package, by name."""
    files = sorted(Path(__file__).parent.glob("*.py"))
    with_recipe = [f for f in files if "\ndef get_config(" in f.read_text("utf-8")]
    return {file.stem: file for file in with_recipe}


def meant(flag: str, value: str) -> str | None:
    """Returns the --set that somebody meant who gave a setting as a flag, or None."""
    of_tasks = [parsing.keys(config_class(task)) for task in task_names()]
    keys = dict.fromkeys(key for keys in of_tasks for key in keys)
    found = [key for key in keys if flag in (key, key.rpartition(".")[2])]
    if not found:
        near = difflib.get_close_matches(flag, keys, n=1, cutoff=0.8)
        found = near if "." in flag else []
    return " or ".join(f"--set {key}={value or '...'}" for key in found) or None


def _ours(file: Path) -> Path:
    """Returns the recipe of ours that "NAME" or "configs/NAME.py" means, or `file`.

    No other path means one: with a mistyped folder another text would be distilled.
    """
    own = recipes()
    names = {key: own[name] for name in own for key in (name, f"configs/{name}.py")}
    return names.get(file.as_posix(), file)


def _run_recipe(file: Path) -> schema.Config:
    if not file.is_file():
        file = _ours(file)
    if not file.is_file():
        raise BabeletError(
            f"There is no config at {file}",
            remedy="give a run's config.json, a recipe of yours or one of Babelet's: "
            + ", ".join(recipes()),
        )
    spec = importlib.util.spec_from_file_location(f"recipe_{file.stem}", file)
    if spec is None or spec.loader is None:
        raise BabeletError(
            f"{file} is neither a Python recipe nor a config.json",
            remedy="give a file ending in .py or .json",
        )
    module = importlib.util.module_from_spec(spec)
    with _running(file):
        spec.loader.exec_module(module)
    expected = "a function get_config() that returns the settings of a task"
    remedy = "start from configs/smart_home.py"
    if not callable(getattr(module, "get_config", None)):
        raise BabeletError(f"{file} is not a recipe", expected=expected, remedy=remedy)
    with _running(file):
        config = module.get_config()
    if not isinstance(config, schema.Config):
        raise BabeletError(
            f"The recipe {file} gives no settings",
            expected=expected,
            received=f"get_config() returns {type(config).__name__}",
            remedy=remedy,
        )
    return config


@contextlib.contextmanager
def _running(file: Path) -> Iterator[None]:
    """Turns what the recipe's own code raises into one error that names its line."""
    try:
        yield
    except BabeletError:
        raise
    except (Exception, SystemExit) as error:
        if os.environ.get("BABELET_TRACEBACK"):
            raise
        frames = traceback.extract_tb(error.__traceback__)
        own = file.resolve()
        lines = [f.lineno for f in frames if Path(f.filename).resolve() == own]
        line = getattr(error, "lineno", None) or (lines[-1] if lines else None)
        raise BabeletError(
            f"The recipe {file} cannot be run{f', line {line}' if line else ''}",
            received=described(error),
            consequence="Nothing was started",
            remedy="correct that line; configs/smart_home.py is an example",
        ) from error
