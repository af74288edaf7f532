"""Pairs with other names: what changes, and what must stay as it is."""

import re

from babelet.data.renaming import names_of, renamed
from babelet.data.splits import group_key

PAIRS = [
    ("Set up {name} with Sonos", "{name} mit Sonos einrichten"),
    ("Is Velbus off?", "Ist Velbus aus?"),
    ("The MQTT broker of {host}: MQTT", "Der MQTT-Broker von {host}: MQTT"),
    ("Lights off", "Lichter aus"),
]


def test_both_texts_get_the_same_names():
    """A name in one text alone teaches to invent names."""
    forms = [
        (r"Set up (.+) with (.+)", r"(.+) mit (.+) einrichten"),
        (r"Is (.+) off\?", r"Ist (.+) aus\?"),
        (r"The (.+) broker of (.+): (.+)", r"Der (.+)-Broker von (.+): (.+)"),
    ]
    found = renamed(PAIRS, 200, [])
    assert len(found) == 200
    for pair in found:
        groups = [
            tuple(
                re.fullmatch(part, text) for part, text in zip(form, pair, strict=True)
            )
            for form in forms
        ]
        (own,) = [match for match in groups if all(match)]
        assert own[0].groups() == own[1].groups()
    third = [source for source, _ in found if " broker of" in source]
    # What is twice in a text is one name.
    assert all(re.fullmatch(r"The (.+) broker of .+: \1", text) for text in third)


def test_placeholders_stay_placeholders_and_words_words():
    """A form that reads {Sonos} as a word would teach to drop the braces."""
    for source, target in renamed(PAIRS, 200, []):
        for text in (source, target):
            assert len(re.findall(r"\{\w+\}", text)) == text.count("{")
            assert text.count("{") == text.count("}") <= 1
        # Only the sentence about Velbus has none.
        assert ("{" in source) != source.startswith("Is ")


def test_numbers_keep_their_size():
    """Years of one digit, and hours of five, are no text of the kind."""
    found = renamed([("In 20 of 2024", "In 20 von 2024")], 50, [])
    forms = [re.fullmatch(r"\w+ (\d\d) \w+ (\d{4})", pair[1]) for pair in found]
    assert all(forms) and len({form.groups() for form in forms}) > 30
    (long,) = renamed([("9" * 50, "9" * 50)], 1, [])
    assert len(long[0]) == 50 and long[0] == long[1]


def test_names_are_as_often_in_both_texts():
    """A word that is translated once and kept once is none to be copied."""
    assert names_of(*PAIRS[2]) == ["MQTT", "{host}"]
    assert names_of("Name of Hue", "Hue: Name, Name") == ["Hue"]
    assert names_of("radio in {a}", "radio im {b}") == []
    # One lamp is no two lamps with another number.
    assert names_of("1 of 20: 3", "1 von 20") == ["20"]


def test_no_source_comes_twice_or_is_held_out():
    """A test sentence among them is one that was trained on."""
    held_out = ["is SONOS off"]
    found = [source for source, _ in renamed(PAIRS, 300, held_out)]
    assert len(set(found)) == len(found)
    assert not set(found) & {source for source, _ in PAIRS}
    assert group_key(held_out[0]) not in {group_key(text) for text in found}
    assert any(text.startswith("Is ") for text in found)


def test_they_depend_on_the_seed_alone():
    """A resumed run would train on other text than before."""
    assert renamed(PAIRS, 9, []) == renamed(PAIRS, 9, [])
    assert renamed(PAIRS, 9, []) != renamed(PAIRS, 9, [], seed=1)


def test_text_without_names_gives_none():
    """A run over such text must end, not search for ever."""
    assert renamed(PAIRS[3:], 5, []) == []
    assert renamed([("OK", "OK")], 5, ["OK"]) == []
    # Placeholders want no names.
    assert renamed([("{a}", "{a}")], 1, []) == [("{name}", "{name}")]
