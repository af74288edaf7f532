"""Figures that tell a good translator from a broken one."""

import pytest

from babelet.evaluation.translation import NUMBER, PLACEHOLDER, kept, repeats, score

SOURCES = ["Turn on {light}", "Wait 5 minutes", "Off"]
REFERENCES = ["Schalte {light} jetzt bitte ein", "Warte bitte noch 5 Minuten", "Aus"]


def test_the_reference_is_perfect():
    """BLEU of the wrong way round, or of one reference for all, is low here."""
    found = score(SOURCES, REFERENCES, REFERENCES)
    assert found["bleu"] == pytest.approx(100) and found["chrf"] == pytest.approx(100)
    assert found["exact"] == found["length_ratio"] == 1
    assert found["placeholders_kept"] == found["numbers_kept"] == 1
    assert found["empty"] == found["repeating"] == 0
    assert "version" in found["bleu_signature"] and "nw:2" in found["chrf_signature"]


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("yue", "佢哋喺度食緊飯"),
        ("zh_CN", "打开厨房的灯"),
        ("zh-Hans", "打开厨房的灯"),
        ("zho", "打开厨房的灯"),
        ("ja_JP", "ランプをつけてください"),
        ("km", "ខ្ញុំស្រឡាញ់ភាសាខ្មែរ"),
        ("lo", "ພາສາລາວແມ່ນງາມ"),
        ("my", "မြန်မာဘာသာစကား"),
        ("TH", "เปิดไฟในครัว"),
        ("bo", "བོད་སྐད་ཡིན"),
        ("de", "Licht aus"),
    ],
)
def test_equal_texts_have_bleu_100(language, text):
    """A language read as one word a sentence has BLEU 0, and no gate can fail."""
    assert score([text], [text], [text], language)["bleu"] == pytest.approx(100)
    assert score([text], [text], ["x"], language)["bleu"] < 1


def test_one_short_reference_changes_nothing_where_others_are_long():
    """Another order of BLEU beside long references is no longer BLEU."""
    found = score(SOURCES, REFERENCES, REFERENCES)
    assert "eff:no" in found["bleu_signature"]
    short = score(SOURCES, REFERENCES, ["Schalte", "Warte", "Aus"])
    assert "eff:no" in short["bleu_signature"] and short["bleu"] == 0


def test_what_is_wrong_is_counted():
    """A mean over BLEU alone hides empty and endless translations."""
    found = score(SOURCES, REFERENCES, ["", "Warte 50 Minuten", "aus aus aus"])
    assert found["empty"] == found["repeating"] == pytest.approx(1 / 3)
    assert found["placeholders_kept"] == found["numbers_kept"] == found["exact"] == 0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ha ha", False),
        ("ha ha ha", True),
        ("on and off and on and off", False),
        ("x on off on off on off y", True),
        ("a b a b a c", False),
        ("", False),
    ],
)
def test_repetition(text, expected):
    """Runs of several words are repetition too."""
    assert repeats(text) is expected


def test_placeholders_may_move_and_numbers_change_their_mark():
    """Word order differs between languages, and so does the decimal mark."""
    assert kept(PLACEHOLDER, ["{a} of {b}"], ["{b} {a}"]) == 1
    assert kept(PLACEHOLDER, ["{a} of {b}"], ["{a} {a}"]) == 0
    assert kept(NUMBER, ["1.5 and 2"], ["2 und 1,5"]) == 1
    assert kept(NUMBER, ["none"], ["keine"]) is None
