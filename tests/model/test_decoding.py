"""Searches over models that are simple enough to know the answer."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

from babelet.model.beam_search import beam_search, largest
from babelet.model.decoding import (
    History,
    Vocabulary,
    greedy,
    length_limits,
)
from babelet.model.encoder_decoder import EncoderDecoder
from babelet.model.translation import translate

PAD, BOS, EOS, UNK = range(4)
LETTERS = "abcdefghijklmnopqrstuvwxyz"
ALPHABET = Vocabulary(4 + len(LETTERS), PAD, BOS, EOS, UNK)


def ids(word):
    return [4 + LETTERS.index(letter) for letter in word]


def words(found):
    written, lengths = (part.numpy() for part in found)
    return [
        "".join(LETTERS[i - 4] for i in row[:length])
        for row, length in zip(written, lengths, strict=True)
    ]


def speller(*texts):
    """Returns a step that spells a word in each row, then wants to end."""
    rows = [[*ids(text), EOS, EOS, EOS] for text in texts]
    width = max(map(len, rows))
    table = tf.constant([row + [EOS] * (width - len(row)) for row in rows])

    def step(token_ids, position, state):
        del token_ids
        wanted = tf.gather(state, tf.minimum(position, width - 1), axis=1)
        return 10 * tf.one_hot(wanted, ALPHABET.size), state

    return step, table


def graph(search, *args):
    """Runs a search inside a graph: that is where exported files run it."""
    return tf.function(lambda: search(*args))()


def beams_of(step, state, limits, *args):
    """Beam search with a step that reads all it knows from its state."""
    search = tf.function(
        lambda limits: beam_search(lambda rows: step, state, limits, *args),
        input_signature=[tf.TensorSpec([None], tf.int32)],
    )
    return search(limits)


@pytest.mark.parametrize("beams", [1, 3])
def test_a_word_is_spelled_to_its_end(beams):
    """Stopping one token early or late cuts or lengthens every translation."""
    step, state = speller("sequentially", "so", "")
    limits = tf.constant([20, 20, 20])
    if beams == 1:
        found = graph(greedy, step, state, limits, 20, ALPHABET)
    else:
        found = beams_of(step, state, limits, 20, ALPHABET, beams, 1.0)
    assert words(found) == ["sequentially", "so", ""]
    assert (found[0].numpy()[1, 2:] == PAD).all()


@pytest.mark.parametrize("beams", [1, 3])
def test_each_row_keeps_its_limit(beams):
    """The longest row of a batch must not let the others run on."""
    step, state = speller("sequentially", "sequentially", "sequentially")
    limits = tf.constant([4, 12, 0])
    args = step, state, limits, 12, ALPHABET
    found = graph(greedy, *args) if beams == 1 else beams_of(*args, beams, 1.0)
    assert words(found) == ["sequ", "sequentially", ""]


@pytest.mark.parametrize("beams", [1, 2])
@pytest.mark.parametrize("run", ["a", "ab", "abc", "aab"])
def test_no_run_is_said_four_times(run, beams):
    """A model that has lost its way says one thing for ever."""
    step, state = speller(run * 12)
    limits = tf.constant([36])
    args = step, state, limits, 36, ALPHABET
    found = graph(greedy, *args) if beams == 1 else beams_of(*args, beams, 1.0)
    (word,) = words(found)
    assert run * 3 in word
    for size in range(1, 10):
        for start in range(len(word)):
            piece = word[start : start + size]
            assert len(piece) < size or piece * 4 not in word


def test_history_allows_what_is_not_a_fourth_copy():
    """A guard that counts from afar would forbid honest repetition."""
    history = History.empty(tf.constant(1), tf.constant(16))
    for token in ids("abababaaa"):
        history = history.with_token(tf.constant([token]))
    forbidden = np.flatnonzero(history.penalty(ALPHABET.size)[0])
    assert forbidden.tolist() == ids("a")


def bigrams(seed):
    """Returns a step whose logits depend on the last token, and the log-softmax."""
    table = np.random.default_rng(seed).normal(0, 2, (7, 7)).astype("float32")
    table[:, [PAD, BOS, UNK]] = -1e9
    logs = tf.nn.log_softmax(table).numpy()

    def step(token_ids, position, state):
        del position
        return tf.gather(table, token_ids), state

    return step, logs


@pytest.mark.parametrize("length_penalty", [0.0, 1.0])
@pytest.mark.parametrize("seed", range(4))
def test_a_wide_beam_finds_the_best_of_all(seed, length_penalty):
    """A score that is normalised wrongly prefers the empty translation."""
    step, logs = bigrams(seed)
    vocabulary, limit = Vocabulary(7, PAD, BOS, EOS, UNK), 3
    written, lengths = beams_of(
        step,
        tf.zeros([1, 1]),
        tf.constant([limit]),
        limit,
        vocabulary,
        100,
        length_penalty,
    )
    scores = {}
    for length in range(limit + 1):
        for row in itertools.product((4, 5, 6), repeat=length):
            path = [BOS, *row, EOS]
            total = sum(logs[a, b] for a, b in itertools.pairwise(path))
            scores[row] = total / (length + 1) ** length_penalty
    found = tuple(written[0, : int(lengths[0])].numpy())
    assert scores[found] == pytest.approx(max(scores.values()), abs=1e-4)


def test_beams_that_cannot_win_are_not_followed_to_their_limit():
    """One that never ends would hold up its whole batch, up to the longest limit."""
    table = np.zeros((7, 7), "float32")
    table[BOS, 4] = table[4, EOS] = 12
    # From 5 and 6 no way leads to the end, and there is but one translation.
    table[5:, [4, EOS]] = table[4, 4] = -60
    table[:, [PAD, BOS, UNK]] = -1e9
    steps = tf.Variable(0)

    def step(token_ids, position, state):
        steps.assign_add(1)
        return tf.gather(table, token_ids), state

    written, lengths = beams_of(
        step,
        tf.zeros([1, 1]),
        tf.constant([40]),
        40,
        Vocabulary(7, PAD, BOS, EOS, UNK),
        3,
        1.0,
    )
    assert written[0, : int(lengths[0])].numpy().tolist() == [4]
    assert int(steps) < 10


def test_limits_are_of_the_source():
    """Twice the source and some more; nothing for nothing."""
    limits = length_limits(tf.constant([0, 1, 20, 500]), 63)
    assert limits.numpy().tolist() == [0, 10, 48, 63]


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(3)
    model = EncoderDecoder(
        vocabulary_size=30,
        encoder_layers=1,
        decoder_layers=1,
        hidden_dim=16,
        num_heads=2,
        intermediate_dim=32,
        max_length=24,
        dropout=0.0,
    )
    for variable in model.trainable_variables:
        if variable.name in ("kernel", "tokens", "positions"):
            variable.assign(10 * variable)
    return model


@pytest.mark.parametrize("beams", [1, 3])
def test_a_batch_translates_as_its_sentences_do_alone(model, beams):
    """Padding, or a longer neighbour, must not change a translation.

    One decoder layer, inside a graph: there TensorFlow once made the loop give
    nothing at all.
    """
    run = tf.function(
        lambda token_ids, mask: translate(model, token_ids, mask, ALPHABET, beams),
        input_signature=[
            tf.TensorSpec([None, None], tf.int32),
            tf.TensorSpec([None, None], tf.bool),
        ],
    )
    sources = [[BOS, 5, 6, EOS], [BOS, 9, 9, 8, 7, 6, 5, EOS], [BOS, EOS]]
    padded = np.array([row + [PAD] * (10 - len(row)) for row in sources])
    lengths = np.array([[len(row)] for row in sources])
    written, counts = run(padded, np.arange(10) < lengths)
    for row, source in enumerate(sources):
        alone, count = run([source], [[True] * len(source)])
        assert counts[row] == count[0] <= 2 * (len(source) - 2) + 10
        own = written[row, : int(count[0])].numpy()
        assert own.tolist() == alone[0, : int(count[0])].numpy().tolist()
    assert counts.numpy()[2] == 0 and counts.numpy()[:2].all()


@pytest.mark.parametrize("size", [7, 320, 401, 8000])
def test_the_largest_of_blocks_are_the_largest_of_all(size):
    """A token at the edge of a block, or one of many in the same, would be missed."""
    rng = np.random.default_rng(size)
    # Few values: many tokens are as good as others.
    logits = rng.integers(0, 50, (16, size)).astype("float32")
    logits[0, -4:] = 60
    found = largest(tf.constant(logits), 4)
    for mine, expected in zip(found, tf.math.top_k(logits, 4), strict=True):
        np.testing.assert_array_equal(mine, expected)
