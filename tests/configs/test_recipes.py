"""Every recipe in configs/ can be run: it builds, and every name in it resolves."""

import ast
import importlib
import re
from pathlib import Path

import pytest

from babelet.configs import overrides, parsing

ROOT = Path(__file__).resolve().parents[2]
RECIPES = sorted(
    path.name
    for path in (ROOT / "configs").glob("*.py")
    if "\ndef get_config(" in path.read_text(encoding="utf-8")
)


@pytest.fixture(params=RECIPES)
def recipe(request):
    return ROOT / "configs" / request.param


def test_there_is_a_recipe():
    """A wrong pattern here would make every other test of this file vacuous."""
    assert "smart_home.py" in RECIPES


def test_a_recipe_builds_and_survives_config_json(recipe, tmp_path):
    """A recipe nobody has run since a setting was renamed."""
    config = overrides.load(str(recipe))
    assert config.name == recipe.stem
    file = tmp_path / "config.json"
    file.write_text(parsing.to_json(config), encoding="utf-8")
    assert overrides.load(str(file)) == config


def test_every_name_in_a_recipe_resolves(recipe):
    """An evaluator, source or teacher that does not exist, found an hour later."""
    from babelet.data.sources import LABELLED_SOURCES, SOURCES
    from babelet.model.teachers import TEACHERS

    config = overrides.load(str(recipe))
    sources = LABELLED_SOURCES if config.task == "classification" else SOURCES
    assert config.data.source in sources
    assert config.task == "translation" or config.teacher.kind in TEACHERS
    importlib.import_module(f"tasks.{config.task}")


def test_languages_are_codes_and_differ(recipe):
    """A doubled language would count twice in every mean."""
    languages = overrides.load(str(recipe)).data.languages
    assert len(set(languages)) == len(languages)
    assert all(re.fullmatch(r"[a-z]{2,3}(-[A-Za-z]+)?", code) for code in languages)


def test_a_recipe_opens_with_its_command_duration_and_result(recipe):
    """A recipe without them makes its reader run it to learn what it is."""
    docstring = ast.get_docstring(ast.parse(recipe.read_text(encoding="utf-8")))
    assert f"--config=configs/{recipe.name}" in docstring
    assert re.search(r"\bminutes?\b|\bhours?\b", docstring), "no duration"
    assert re.search(r"\d+(\.\d+)?", docstring.split("minute")[-1]), "no result"
