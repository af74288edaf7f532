import json
import zipfile

import pytest

from configs.errors import BabeletError
from configs.schema import DataConfig
from data.sources import home_assistant

LAMP = {
    "en": {"title": "Lamp", "step": {"on": "Turn on the lamp", "off": "Turn it off"}},
    "de": {"step": {"off": "Schalte sie aus", "on": "Schalte die Lampe ein"}},
    "pt": {"step": {"on": "Acenda a luz"}},
    "pt-BR": {"step": {"on": "Ligue a luz"}},
    "zh-Hans": {"step": {"on": "打开灯"}},
    "zh-Hant": {"step": {"on": "開燈"}},
}


def write_wheel(folder, components):
    path = folder / "homeassistant.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("homeassistant/components/lamp/manifest.json", "{}")
        for component, languages in components.items():
            for language, tree in languages.items():
                text = tree if isinstance(tree, str) else json.dumps(tree)
                name = f"{component}/translations/{language}.json"
                archive.writestr(f"homeassistant/components/{name}", text)
    return path


def read(folder, components, *languages):
    config = DataConfig(languages=languages)
    return list(home_assistant.read(write_wheel(folder, components), config))


def test_texts_are_aligned_by_key_and_not_by_position(tmp_path):
    """A file whose keys are in another order pairs texts that do not correspond."""
    rows = read(tmp_path, {"lamp": LAMP}, "de")
    assert [(row.line, row.pivot_text, row.text) for row in rows] == [
        (1, "Turn it off", "Schalte sie aus"),
        (2, "Turn on the lamp", "Schalte die Lampe ein"),
    ]
    assert rows[0].origin == "homeassistant/components/lamp/translations/de.json"


def test_each_language_is_read_from_its_own_file(tmp_path):
    """Brazilian text passes for European, traditional characters for simplified."""
    rows = read(tmp_path, {"lamp": LAMP}, "pt", "zh")
    texts = {row.language: row.text for row in rows}
    assert texts == {"pt": "Acenda a luz", "zh": "打开灯"}


def test_a_component_without_the_language_or_without_english_is_no_pair(tmp_path):
    """A text without counterpart is paired with nothing and stops the run."""
    components = {"lamp": LAMP, "oven": {"de": {"title": "Backofen"}}}
    rows = read(tmp_path, components, "de", "pt")
    orphan = [row for row in rows if "oven" in row.origin]
    assert [(row.problem, row.text) for row in orphan] == [("no_pivot", "Backofen")]


def test_values_that_are_no_texts_are_marked(tmp_path):
    """Numbers and lists are taken for sentences, or crash the cleaning."""
    tree = {"level": 3, "names": ["a"], "on": "Turn on the lamp"}
    translated = {"level": 3, "names": ["b"], "on": None}
    rows = read(tmp_path, {"lamp": {"en": tree, "de": translated}}, "de")
    assert [row.problem for row in rows] == ["not_text"] * 3
    assert rows[1].text == "['b']"


@pytest.mark.parametrize("broken", ['{"on": "Turn', '["Turn on the lamp"]'])
def test_a_file_that_does_not_parse_is_named(tmp_path, broken):
    """A broken file is skipped in silence, and a language shrinks."""
    with pytest.raises(BabeletError, match="lamp/translations/de.json"):
        read(tmp_path, {"lamp": {"en": LAMP["en"], "de": broken}}, "de")


def test_an_unknown_language_names_near_ones_and_those_there_are(tmp_path):
    """A mistyped language is dropped, and the student never sees it."""
    with pytest.raises(BabeletError, match="did you mean zh-Han") as error:
        read(tmp_path, {"lamp": LAMP}, "de", "zh-Hand")
    assert "de en pt pt-BR zh zh-Hans zh-Hant" in str(error.value)
