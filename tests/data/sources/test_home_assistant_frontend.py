import json
import zipfile

from babelet.configs.embedding import DataConfig
from babelet.data.sources import home_assistant, home_assistant_frontend, parallel_files

HASHES = {"en": "0" * 31 + "a", "de": "0" * 31 + "b"}
PAGES = {
    "": {
        "en": {"ui": {"yes": "Yes", "no": "No"}},
        "de": {"ui": {"no": "Nein", "yes": "Ja"}},
    },
    "config/": {
        "en": {
            "edit": "Edit this page",
            "days": "{days, plural, one {# day} other {# days}}",
        },
        "de": {
            "edit": "Diese Seite bearbeiten",
            "days": "{days, plural, one {# Tag} other {# Tage}}",
        },
    },
}


def write_wheel(folder):
    path = folder / "frontend.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for page, languages in PAGES.items():
            for language, tree in languages.items():
                name = f"{page}{language}-{HASHES[language]}.json"
                # As the wheel has each file: plain and packed.
                for ending in ("", ".br", ".gz"):
                    full = f"hass_frontend/static/translations/{name}{ending}"
                    archive.writestr(full, json.dumps(tree) if not ending else b"\x1f")
    return path


def test_pages_and_what_is_of_all_pages_are_read_by_key(tmp_path):
    """The files' hashes differ by language: no page finds its English."""
    wheel = write_wheel(tmp_path)
    trees = home_assistant_frontend.TREES
    assert trees.languages_in(wheel) == {"en", "de"}
    rows = list(trees.read(wheel, DataConfig(languages=("de",))))
    assert [(row.pivot_text, row.text) for row in rows if not row.problem] == [
        ("No", "Nein"),
        ("Yes", "Ja"),
        ("Edit this page", "Diese Seite bearbeiten"),
    ]


def test_a_text_for_each_number_is_rejected(tmp_path):
    """The student learns to write ICU's syntax where a sentence is asked for."""
    wheel = write_wheel(tmp_path)
    rows = home_assistant_frontend.TREES.read(wheel, DataConfig(languages=("de",)))
    problems = [(row.problem, row.text[:14]) for row in rows if row.problem]
    assert problems == [("choice", "{days, plural,")]


def test_it_is_an_entry_of_data_files(tmp_path, monkeypatch):
    """The entry is looked for as a file, or is not told from the components' texts."""
    wheel = write_wheel(tmp_path)
    # The wheel that is downloaded has another name, and hash, and 111 MB.
    monkeypatch.setattr(home_assistant_frontend, "fetch", lambda cache: wheel)
    (tmp_path / "de.tsv").write_text("Open the door\tÖffne die Tür\n", "utf-8")
    config = DataConfig(
        source="parallel_files",
        files=(str(tmp_path / "de.tsv"), "home_assistant_frontend"),
        languages=("de",),
    )
    rows = [row for row in parallel_files.pairs(config, tmp_path) if not row.problem]
    assert [(row.entry, row.text) for row in rows] == [
        (0, "Öffne die Tür"),
        (1, "Nein"),
        (1, "Ja"),
        (1, "Diese Seite bearbeiten"),
    ]
    ours, theirs = home_assistant_frontend.SHA256, home_assistant.SHA256
    assert parallel_files.digests(config)[1].endswith(ours) and ours != theirs
