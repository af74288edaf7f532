"""A task is found by its name, one of another package's too."""

import sys

import pytest

from babelet.configs import overrides, parsing, registry, settings
from babelet.core.errors import BabeletError

MODULE = """
import dataclasses
from typing import ClassVar, Literal
from babelet.configs.checks import Section
from babelet.configs.schema import Config
from babelet.configs.values import Count

@dataclasses.dataclass(frozen=True)
class ToneConfig(Section):
    '''How loud.'''

    section: ClassVar[str] = "tone"
    # Number of tones.
    count: Count = 3

@dataclasses.dataclass(frozen=True)
class SongConfig(Config):
    '''One run that learns a song.'''

    task: Literal["song"] = "song"
    tone: ToneConfig = dataclasses.field(default_factory=ToneConfig)

class Task:
    CONFIG = SongConfig
"""
RECIPE = """
from own_songs import SongConfig
from babelet.configs.schema import DataConfig

def get_config():
    return SongConfig("lullaby", DataConfig(languages=("de",)))
"""


@pytest.fixture
def song(tmp_path, monkeypatch):
    """A package with a task, as pip installs one, and a recipe of it."""
    (tmp_path / "own_songs.py").write_text(MODULE)
    about = tmp_path / "own_songs-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Name: own-songs\nVersion: 1.0\n")
    entry = f"[{registry.TASKS}]\nsong = own_songs:Task\n"
    (about / "entry_points.txt").write_text(entry)
    monkeypatch.syspath_prepend(str(tmp_path))
    cached = (
        registry.task_names,
        registry.config_class,
        registry.module_of,
        settings.every_setting,
    )
    for function in cached:
        function.cache_clear()
    recipe = tmp_path / "lullaby.py"
    recipe.write_text(RECIPE)
    yield str(recipe)
    for function in cached:
        function.cache_clear()
    sys.modules.pop("own_songs", None)


def test_a_task_of_another_package_is_found(song, tmp_path):
    """A fourth task that has to be written into files of ours is none of a user's."""
    config = overrides.load(song, ["tone.count=5", "training.steps=7"])
    assert (config.task, config.tone.count, config.training.steps) == ("song", 5, 7)
    file = tmp_path / "config.json"
    file.write_text(parsing.to_json(config))
    assert parsing.from_json(file) == config
    assert [each.name for each in settings.find("song", "tones")] == ["tone.count"]
    with pytest.raises(BabeletError, match=r"tone\.count is a setting of song, not of"):
        overrides.load("smart_home", ["tone.count=5"])


def test_its_settings_are_checked_as_ours_are(song):
    """Users' own sections would accept NaN steps."""
    with pytest.raises(BabeletError, match=r"Invalid tone\.count.*1 or more"):
        overrides.load(song, ["tone.count=0"])


def test_an_unknown_task_is_answered_with_those_that_there_are():
    """A KeyError would not say what can be chosen."""
    with pytest.raises(BabeletError, match="'song'.*embedding, classification, trans"):
        registry.config_class("song")
