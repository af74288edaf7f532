import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from babelet.configs.embedding import DataConfig
from babelet.data import cleaning
from babelet.data.sources.raw import RawPair

CONFIG = DataConfig(languages=("de", "zh"))


def reason(pivot_text, text, **settings):
    config = DataConfig(languages=("de",), **settings)
    row = cleaning.clean(RawPair("lamp.json", 1, "de", pivot_text, text))
    return cleaning.rejection(row, config)


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("Turn  on\n\tthe\u00a0lamp ", "Turn on the lamp"),
        ("Ｔｕｒｎ ｏｎ", "Turn on"),
        ("cafe\u0301", "café"),
        ("\ufeffLam\u00adpe\u200b an", "Lampe an"),
        ("می\u200cخواهم", "می\u200cخواهم"),
    ],
)
def test_texts_that_look_the_same_become_the_same(text, cleaned):
    """Invisible differences make duplicates look distinct and pieces unknown."""
    assert cleaning.clean_text(text) == cleaned


@given(st.text())
def test_cleaning_twice_changes_nothing_more(text):
    """Text cleaned once at building and once at query time differs."""
    once = cleaning.clean_text(text)
    assert cleaning.clean_text(once) == once


@pytest.mark.parametrize(
    ("pivot_text", "text", "expected"),
    [
        ("Turn on the lamp", "Schalte die Lampe ein", ""),
        ("Turn it on", "开灯吧", ""),
        ("Turn on the lamp", " \u200b ", "empty"),
        ("Turn on the lamp", "Schalte die \x07 ein", "control"),
        ("Turn on the lamp", "Schalte die \ufffd ein", "control"),
        ("Turn on the lamp", "Schalte die \ud800 ein", "control"),
        ("Turn on {name}", "Schalte ein", "placeholder"),
        ("Turn on the lamp", "Schalte {name} ein", "placeholder"),
        ("Lamp  on", "Lampe an", "short"),
        ("Lamp's on", "Lampe an", ""),
        ("Turn on the lamp", "Lampe " * 60, "long"),
        ("Home Assistant", "HOME  Assistant", "equal"),
        ("Turn on the lamp", "An", "ratio"),
        ("Turn on the lamp", "开", "ratio"),
    ],
)
def test_each_bad_row_gets_its_reason(pivot_text, text, expected):
    """A filter lets through what it is there to catch, or catches good rows."""
    assert reason(pivot_text, text) == expected


def test_limits_come_from_the_config():
    """A limit set by the user changes nothing."""
    assert reason("Lamp", "Lampe", min_characters=4) == ""
    assert reason("Turn on the lamp", "Lampe an", max_characters=15) == "long"
    assert reason("Turn on the lamp", "An", max_length_ratio=8.0) == ""
    assert reason("Home Assistant", "Home Assistant", keep_equal=True) == ""


def test_dense_scripts_count_for_more():
    """Good Chinese translations are rejected for being short."""
    assert cleaning.weighted_length("lamp") == 4
    assert cleaning.weighted_length("打开灯") == 9
    assert cleaning.weighted_length("ランプ") == 6
    assert cleaning.weighted_length("전등") == 4
    assert cleaning.weighted_length("лампа") == 5


@given(st.text(), st.text())
def test_a_rejected_row_is_one_line_of_six_cells(pivot_text, text):
    """A tab or line break inside a text shifts the columns of rejected.tsv."""
    file = io.StringIO(newline="\n")
    cleaning.write_rejected(file, RawPair("a.json", 7, "de", pivot_text, text), "long")
    cells = file.getvalue().removesuffix("\n").split("\t")
    assert len(cells) == len(cleaning.COLUMNS)
    assert "\n" not in "".join(cells) and "\r" not in "".join(cells)
