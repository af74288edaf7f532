import dataclasses
import json
import zipfile

import pytest

from babelet.configs.embedding import DataConfig
from babelet.core.errors import BabeletError
from babelet.data.sources import home_assistant, parallel_files

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
    return list(home_assistant.TREES.read(write_wheel(folder, components), config))


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


def test_it_is_mixed_with_files_in_the_languages_it_has(tmp_path, monkeypatch):
    """A language of the user's own files ends the run, because it is not here."""
    wheel = write_wheel(tmp_path, {"lamp": LAMP})
    # The wheel that is downloaded has another name, and hash, and 51 MB.
    monkeypatch.setattr(home_assistant, "fetch", lambda cache: wheel)
    (tmp_path / "fi.tsv").write_text("Open the door\tAvaa ovi\n", "utf-8")
    config = DataConfig(
        source="parallel_files",
        files=(str(tmp_path / "{language}.tsv"), "home_assistant"),
        languages=("fi",),
    )
    rows = list(parallel_files.pairs(config, tmp_path))
    assert [(row.entry, row.language) for row in rows] == [(0, "fi")]
    config = dataclasses.replace(
        config, files=("home_assistant", str(tmp_path / "fi.tsv")), languages=("fi",)
    )
    assert [row.entry for row in parallel_files.pairs(config, tmp_path)] == [1]
    both = DataConfig(
        source="parallel_files",
        files=("home_assistant", str(tmp_path / "de.csv")),
        languages=("de", "sv"),
    )
    (tmp_path / "de.csv").write_text("en,sv\nOpen the door,Öppna dörren\n", "utf-8")
    rows = list(parallel_files.pairs(both, tmp_path))
    assert [(row.entry, row.language) for row in rows] == [
        (0, "de"),
        (0, "de"),
        (1, "sv"),
    ]
    assert parallel_files.digests(both)[0].endswith(home_assistant.SHA256)
