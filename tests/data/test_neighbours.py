from hypothesis import given, settings
from hypothesis import strategies as st

from babelet.data import neighbours
from babelet.data.neighbours import near_neighbours

SENTENCES = st.sets(st.sampled_from("abcdefgh"), min_size=1, max_size=7)


def test_three_fifths_of_the_words_is_near():
    """Sentences at the threshold itself fall on the wrong side."""
    training = ["turn on the lamp now".split(), "open the garage".split()]
    held_out = ["turn on the lamp", "turn the lamp", "open a garage", "good night"]
    near = near_neighbours([set(s.split()) for s in held_out], map(set, training))
    # 4/5, 3/5, 2/4 and nothing shared.
    assert near.tolist() == [True, True, False, False]


@settings(max_examples=200)
@given(st.lists(SENTENCES, max_size=8), st.lists(SENTENCES, max_size=8))
def test_the_index_finds_what_comparing_all_finds(held_out, training):
    """Pruning drops true neighbours, and the strict test set is not strict."""
    expected = [
        any(5 * len(a & b) >= 3 * len(a | b) for b in training) for a in held_out
    ]
    assert near_neighbours(held_out, training).tolist() == expected


def test_block_borders_lose_nothing(monkeypatch):
    """A neighbour at the edge of a block is never compared."""
    for name in ("TRAINING_BLOCK", "HELD_OUT_BLOCK", "PAIR_BLOCK"):
        monkeypatch.setattr(neighbours, name, 2)
    words = [{"lamp", f"room{i}"} for i in range(9)]
    assert near_neighbours(words, iter(words)).all()
    assert not near_neighbours(words[:4], words[4:]).any()
