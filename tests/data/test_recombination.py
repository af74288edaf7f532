"""Sentences made of two others: what they consist of, and what must never be made."""

from babelet.data.recombination import recombined
from babelet.data.splits import group_key

TEXTS = [
    "Turn on the light in the kitchen, please.",
    "Is the light in the garage still on?",
    "The window of the bathroom is open",
    "Close the window of the garage!",
    "Lights off",
]


def test_each_begins_like_one_sentence_and_ends_like_another():
    """Words drawn at random would teach the teacher's noise."""
    found = recombined(TEXTS, 20, [])
    assert "Turn on the light in the garage still on?" in found
    assert "Close the window of the bathroom is open" in found
    for text in found:
        words = text.split()
        assert any(
            any(x.split()[:cut] == words[:cut] for x in TEXTS)
            and any(x.endswith(" ".join(words[cut:])) for x in TEXTS)
            for cut in range(1, len(words))
        )


def test_no_text_comes_twice_or_is_held_out():
    """A test sentence among them is one that the student has read."""
    held_out = ["turn on the LIGHT in the garage still on"]
    found = recombined(TEXTS, 1000, held_out)
    keys = [group_key(text) for text in found]
    assert len(set(keys)) == len(keys) >= 2
    banned = {group_key(text) for text in (*held_out, *TEXTS)}
    assert not banned & set(keys)


def test_they_depend_on_the_seed_alone():
    """A resumed run would ask the teacher about other text than before."""
    assert recombined(TEXTS, 9, []) == recombined(TEXTS, 9, [])
    assert recombined(TEXTS, 9, []) != recombined(TEXTS, 9, [], seed=1)


def test_they_are_as_long_as_asked_for_at_most():
    """Texts of hundreds of words would fill the teacher's minutes."""
    long = ["a b " * 6 + "c", "d a b " * 4 + "e"]
    found = recombined(long, 50, [])
    assert found and max(len(text.split()) for text in found) <= 16


def test_single_words_and_writing_without_spaces_give_none():
    """A run over such text must end, not search for ever."""
    assert recombined(["Lights", "打开厨房的灯"], 5, []) == []
