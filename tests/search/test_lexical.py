import pytest

from babelet.search.lexical import WordRules

PLAIN = WordRules()


@pytest.mark.parametrize(
    ("query", "text", "language"),
    [
        ("电池", "传感器的电池电量低", "zh"),
        ("設定", "台所のランプの設定を変更する", "ja"),
        ("ไฟ", "เปิดไฟในห้องครัว", "th"),
        ("灯", "打开厨房的灯", "zh"),
        ("灯", "灯光", "zh"),
        ("배터리", "배터리가 부족합니다", "ko"),
        ("kuche", "Die KÜCHE ist hell", "de"),
        ("Küche", "die Ku\u0308che", "de"),
        ("ｗｉ-ｆｉ", "Wi-Fi", "en"),
        ("שָׁלוֹם", "שלום", "he"),
        ("बत्ती", "रसोई की बत्ती जलाओ।", "hi"),
    ],
)
def test_a_word_is_found_where_the_language_has_it(query, text, language):
    """FTS5's own tokenizers find nothing for two Chinese, Japanese or Thai letters."""
    terms = PLAIN.terms(text, language)
    words = PLAIN.query(query, [])
    assert words and all(word.is_in(terms) for word in words)


@pytest.mark.parametrize(
    ("query", "text"), [("量电", "电池电量"), ("lamp", "lampshade")]
)
def test_a_word_is_not_found_in_another(query, text):
    """Single characters in place of pairs would find every order of them."""
    (word,) = PLAIN.query(query, [])
    assert not word.is_in(PLAIN.terms(text, ""))


def test_terms_are_of_letters_and_digits_alone():
    """A quote or operator of FTS5 in a term ends the query with a syntax error."""
    terms = PLAIN.terms('say "on" AND (x* -y) NEAR/2 it\'s 20°C_now', "en")
    assert all(term.isalnum() for term in terms)


def test_stems_meet_across_forms_and_languages():
    """A query does not say its language: each document's rules have to be tried."""
    rules = WordRules(stem=True)
    (word,) = rules.query("lights", ["de", "en"])
    assert word.is_in(rules.terms("a light", "en"))
    assert word.is_in(rules.terms("Lights", "de"))
    assert not PLAIN.query("lights", ["en"])[0].is_in(PLAIN.terms("a light", "en"))


def test_stop_words_are_left_out_unless_they_are_all():
    """A query of stop words alone would find nothing at all."""
    rules = WordRules(stop_words=True)
    assert rules.terms("where is the lamp", "en") == ["lamp"]
    assert [w.forms for w in rules.query("the lamp", ["en"])] == [("lamp",)]
    assert rules.query("the", ["en"])


def test_rules_come_back_from_json():
    """A rule that is forgotten makes queries miss what the index has."""
    import json

    rules = WordRules(stem=True)
    assert WordRules(**json.loads(rules.to_json())) == rules
