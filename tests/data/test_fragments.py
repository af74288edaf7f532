"""Fragments: what is cut, and what must never be."""

from data.fragments import fragments
from data.splits import group_key

TEXTS = [
    "Turn on the light in the kitchen, please.",
    "The window of the bathroom is open!",
    "Lights off",
    "Set {entity} to a lower temperature",
]


def test_fragments_are_runs_of_words_of_one_sentence():
    """Words drawn at random would teach the teacher's noise."""
    found = fragments(TEXTS, 20, [])
    assert len(found) == 20
    for fragment in found:
        assert any(fragment in text and fragment != text for text in TEXTS)
        assert 1 <= len(fragment.split()) <= 12
        assert fragment == fragment.strip(".,;:!? ")


def test_no_text_comes_twice_or_is_held_out():
    """A test sentence among them is one that the student has read."""
    held_out = ["The LIGHT", "kitchen", "window"]
    found = fragments(TEXTS, 1000, held_out)
    keys = [group_key(text) for text in found]
    assert len(set(keys)) == len(keys) > 20
    banned = {group_key(text) for text in (*held_out, *TEXTS)}
    assert not banned & set(keys)


def test_they_depend_on_the_seed_alone():
    """A resumed run would ask the teacher about other text than before."""
    assert fragments(TEXTS, 9, []) == fragments(TEXTS, 9, [])
    assert fragments(TEXTS, 9, []) != fragments(TEXTS, 9, [], seed=1)


def test_short_texts_and_writing_without_spaces_give_none():
    """A run over such text must end, not search for ever."""
    assert fragments(["Lights off", "打开厨房的灯"], 5, []) == []
