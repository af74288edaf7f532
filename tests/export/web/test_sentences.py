import pytest

from babelet.configs.embedding import DataConfig
from babelet.core.errors import BabeletError
from babelet.data.build_corpus import build_corpus
from babelet.data.sources import SOURCES
from babelet.data.sources.raw import RawPair
from babelet.export.web.sentences import held_out_sentences

ROOMS = ["kitchen", "garage", "cellar", "garden", "office", "attic", "hall", "bath"]
RÄUME = ["Küche", "Garage", "Keller", "Garten", "Büro", "Speicher", "Flur", "Bad"]
部屋 = ["台所", "車庫", "地下室", "庭", "書斎", "屋根裏", "廊下", "浴室"]
ROWS = [
    *(
        ("de", f"Turn on the lamp: {a}", f"Lampe an: {RÄUME[i]}")
        for i, a in enumerate(ROOMS)
    ),
    *(
        ("ja", f"Turn on the lamp: {a}", f"{部屋[i]}のランプ")
        for i, a in enumerate(ROOMS)
    ),
    ("de", "Pause", "Pause"),
    ("de", "Turn on the lamp, " * 12, "Schalte die Lampe ein, " * 12),
]


@pytest.fixture
def workdir(tmp_path, monkeypatch):
    rows = [RawPair("home.json", i, *row) for i, row in enumerate(ROWS)]
    monkeypatch.setitem(SOURCES, "rows", lambda config, cache: (row for row in rows))
    config = DataConfig(
        source="rows",
        languages=("de", "ja"),
        validation_fraction=0.01,
        test_fraction=0.98,
    )
    build_corpus(config, tmp_path / "home" / "corpus", tmp_path)
    return tmp_path / "home"


def test_languages_take_turns_and_share_their_sentences(workdir):
    """The page would search one language for the first minute, or find no pair."""
    index = held_out_sentences(workdir, 12)
    assert index.name == "home"
    assert list(index.languages) == ["en", "de", "ja"] * 4
    for i in range(0, 12, 3):
        room = ROOMS.index(index.texts[i].rpartition(" ")[2])
        assert index.texts[i + 1 : i + 3] == [
            f"Lampe an: {RÄUME[room]}",
            f"{部屋[room]}のランプ",
        ]


def test_what_tells_little_or_fills_the_page_is_left_out(workdir):
    """Half of the results would be labels of one word."""
    texts = held_out_sentences(workdir, 10_000).texts
    assert len(texts) == len(set(texts)) > 20
    assert "Pause" not in texts and max(map(len, texts)) <= 120


def test_a_run_without_a_corpus_is_one_line(tmp_path):
    """A traceback names no remedy."""
    with pytest.raises(BabeletError, match="no corpus"):
        held_out_sentences(tmp_path, 10)
