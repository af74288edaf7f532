"""What --config and --set accept."""

import pytest

from babelet.configs import overrides
from babelet.core.errors import BabeletError

RECIPE = """
from babelet.configs.embedding import DataConfig, EmbeddingConfig

def get_config():
    return EmbeddingConfig(name="lamp", data=DataConfig(languages=("cs",)))
"""


@pytest.fixture
def recipe(tmp_path):
    file = tmp_path / "lamp.py"
    file.write_text(RECIPE)
    return str(file)


def test_overrides_apply_in_order(recipe):
    """The last --set wins, as on any command line."""
    config = overrides.load(recipe, ["training.steps=10", "training.steps = 20"])
    assert config.name == "lamp"
    assert config.training.steps == 20


def test_a_value_may_contain_an_equals_sign(recipe):
    """A path like model=small.bin would be cut at the wrong place."""
    config = overrides.load(recipe, ["teacher.path=/teachers/e5=q4.bin"])
    assert config.teacher.path == "/teachers/e5=q4.bin"


def test_an_override_without_a_value_is_an_error(recipe):
    """It would otherwise be dropped without a word."""
    with pytest.raises(BabeletError, match="Expected: key=value"):
        overrides.load(recipe, ["training.steps"])


def test_a_missing_config_lists_the_recipes(tmp_path):
    """A user who mistypes a recipe's name sees the right one."""
    with pytest.raises(BabeletError, match=r"one of Babelet.s: .*smart_home"):
        overrides.load(str(tmp_path / "smarthome.py"))


def test_a_file_that_is_no_recipe_is_an_error(tmp_path):
    """Some other Python file must not fail with an AttributeError."""
    file = tmp_path / "notes.py"
    file.write_text("TITLE = 'notes'\n")
    with pytest.raises(BabeletError, match="get_config"):
        overrides.load(str(file))


def test_text_that_is_not_json_is_an_error(tmp_path):
    """A config.json cut short by a full disk elsewhere."""
    file = tmp_path / "config.json"
    file.write_text('{"name": "lamp", ')
    with pytest.raises(BabeletError, match="not valid JSON"):
        overrides.load(str(file))


def test_a_text_is_taken_as_it_is(recipe):
    """E5 read "query:Licht" for "query: Licht", and every vector was another."""
    config = overrides.load(recipe, ["teacher.prefix=query: ", "training.steps= 7 "])
    assert config.teacher.prefix == "query: "
    assert config.training.steps == 7


CALLED = "def get_config():\n"


@pytest.mark.parametrize(
    ("content", "match"),
    [
        ("def get_config(:\n", r"line 1.*SyntaxError"),
        ("x = 1\nimport nowhere_at_all\n", r"line 2.*ModuleNotFoundError"),
        (f"{CALLED}    return 1 / 0\n", r"line 2.*ZeroDivisionError"),
        (f"{CALLED}    return get_config()\n", r"line 2.*RecursionError"),
        (f"{CALLED}    raise SystemExit(3)\n", r"line 2.*SystemExit"),
        (f"{CALLED}    pass\n", r"returns NoneType"),
        (f"{CALLED}    return {{'name': 'lamp'}}\n", r"returns dict"),
        ("def get_config(size):\n    pass\n", r"TypeError"),
        ("get_config = 3\n", "is not a recipe"),
        (RECIPE.replace('("cs",)', "7"), "TypeError"),
        ("x = '\0'\n", "cannot be run"),
        (b"\xff\xfe", "cannot be run"),
    ],
)
def test_a_recipe_that_fails_is_one_error(tmp_path, content, match):
    """The traceback of a program that users write themselves hides its line."""
    file = tmp_path / "own.py"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(BabeletError, match=rf"own\.py.*{match}") as caught:
        overrides.load(str(file))
    assert "\n" not in str(caught.value)


def test_errors_of_settings_pass_through_a_recipe(tmp_path):
    """They name setting and remedy better than the recipe's line does."""
    file = tmp_path / "own.py"
    file.write_text(RECIPE.replace('name="lamp"', 'name="lamp", seed=-1'))
    with pytest.raises(BabeletError, match="Invalid seed"):
        overrides.load(str(file))


@pytest.mark.parametrize("name", ["smart_home", "configs/smart_home.py"])
def test_a_recipe_of_ours_is_found_in_any_folder(name, tmp_path, monkeypatch):
    """The package has no clone beside it where it is installed."""
    monkeypatch.chdir(tmp_path)
    assert overrides.load(name).name == "smart_home"


@pytest.mark.parametrize("name", ["mine/configs/smart_home.py", "smart_home.py"])
def test_another_path_never_means_a_recipe_of_ours(name, tmp_path, monkeypatch):
    """With a mistyped folder, an hour would be spent on another text than one's own."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BabeletError, match="There is no config at"):
        overrides.load(name)
