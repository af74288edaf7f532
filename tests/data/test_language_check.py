"""Text in another language is found, and what is too short to tell passes."""

import pytest

from babelet.configs.embedding import DataConfig
from babelet.core.errors import BabeletError
from babelet.data.build_corpus import build_corpus
from babelet.data.language_check import LanguageCheck

SENTENCES = {
    "en": "The automation could not be started because the device is offline.",
    "de": "Die Automatisierung konnte nicht gestartet werden, das Gerät ist aus.",
    "fi": "Automaatiota ei voitu käynnistää, koska laite on poissa päältä.",
    "zh-Hant": "無法啟動自動化，因為裝置處於離線狀態。",
}


@pytest.fixture(scope="module")
def check():
    return LanguageCheck((*SENTENCES, "xx"))


@pytest.mark.parametrize("language", SENTENCES)
def test_sentences_under_another_language_are_found(check, language):
    """A column of English in the place of German is learned as German."""
    for name in SENTENCES:
        assert check.is_other(SENTENCES[language], name) == (name != language)


def test_what_tells_too_little_passes(check):
    """Labels of two words are rejected by the hundred."""
    for text in ("Home Assistant", "WLAN 5 GHz", "Status", "23 °C", "OK"):
        assert not check.is_other(text, "de"), text


def test_a_language_that_is_not_known_passes(check):
    """A rare language would lose all its text."""
    assert not check.is_other(SENTENCES["en"], "xx")


def test_rows_are_rejected_with_their_reason(tmp_path):
    """A check that is asked for and not made."""
    path = tmp_path / "home.tsv"
    rows = [(SENTENCES["en"], SENTENCES["de"]), (SENTENCES["en"], SENTENCES["fi"])]
    rows += [(f"{SENTENCES['fi']} {i}", SENTENCES["de"]) for i in range(2)]
    path.write_text("".join("\t".join(row) + "\n" for row in rows), "utf-8")
    settings = {"source": "parallel_files", "files": (str(path),)}
    config = DataConfig(languages=("de",), check_language=True, **settings)
    report = build_corpus(config, tmp_path / "corpus", tmp_path)
    assert report.rejected == {"language": 3}
    lines = (tmp_path / "corpus" / "rejected.tsv").read_text("utf-8").splitlines()
    assert lines[1].split("\t")[1:4] == ["2", "de", "language"]


def test_a_missing_package_is_named(monkeypatch):
    """An ImportError after half an hour of reading."""
    monkeypatch.setitem(__import__("sys").modules, "py3langid.langid", None)
    with pytest.raises(BabeletError, match=r"check_language.*pip install py3langid"):
        LanguageCheck(("de",))
