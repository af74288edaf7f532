"""Reads `--config` and `--set`: a recipe or config.json, with settings changed."""

import importlib.util
from collections.abc import Sequence
from pathlib import Path

from configs import parsing, schema
from configs.errors import BabeletError


def load(path: str, overrides: Sequence[str] = ()) -> schema.Config:
    """Returns the config at `path` with each "a.b=value" of `overrides` applied.

    Args:
        path: A recipe (Python, with `get_config`) or a run's `config.json`. A
            recipe is a program: it is executed.
        overrides: Texts such as "training.steps=200"; of two for one key the last
            counts.

    Raises:
        BabeletError: No such file, no `get_config` in it, or a wrong key or value.
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
        changes[key.strip()] = value.strip()
    return parsing.replace(config, changes)


def _run_recipe(file: Path) -> schema.Config:
    if not file.is_file():
        recipes = sorted(Path(__file__).parent.glob("*.py"))
        known = [p.name for p in recipes if "\ndef get_config(" in p.read_text("utf-8")]
        raise BabeletError(
            f"There is no config at {file}",
            remedy=f"give a run's config.json or one of configs/: {', '.join(known)}",
        )
    spec = importlib.util.spec_from_file_location(f"recipe_{file.stem}", file)
    if spec is None or spec.loader is None:
        raise BabeletError(
            f"{file} is neither a Python recipe nor a config.json",
            remedy="give a file ending in .py or .json",
        )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    if not hasattr(module, "get_config"):
        raise BabeletError(
            f"{file} is not a recipe",
            expected="a function get_config() that returns configs.schema.Config",
            remedy="start from configs/smart_home.py",
        )
    return module.get_config()
