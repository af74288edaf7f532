import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from babelet.configs.schema import FoldsConfig
from babelet.data import splits
from babelet.data.splits import TEST, TRAIN, VALIDATION, Groups, assign, fold, group_key


def test_folding_keeps_words_alone():
    """Two spellings of a command count as two sentences, one of them tested."""
    assert fold("Turn on 2 lights in {room}!") == "turn on lights in"
    assert fold("TURN ON %(count)d lights, in %s.") == "turn on lights in"
    assert fold("Straße Ⅱ") == "strasse ii"
    assert fold("हिन्दी भाषा") == "हिन्दी भाषा"
    assert fold("12:30!") == "12:30!"


def test_the_group_key_ignores_how_words_are_joined():
    """A hyphen hides that a test sentence was in training."""
    keys = {group_key(text) for text in ("Re-auth now", "Reauth now", "re auth, now")}
    assert keys == {"reauthnow"}


def grouped(*unions, count):
    groups = Groups()
    for i in range(count):
        groups.add(f"sentence {chr(97 + i)}")
    for a, b in unions:
        groups.unite(a, b)
    return groups.roots().tolist()


def test_groups_are_connected_through_any_number_of_links():
    """A chain of shared translations crosses from training into the test set."""
    assert grouped((0, 1), (3, 4), (1, 3), count=6) == [0, 0, 2, 0, 0, 5]


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9))), st.randoms())
def test_the_order_of_links_does_not_show(unions, random):
    """The same corpus read in another order gets other groups."""
    shuffled = random.sample(unions, len(unions))
    assert grouped(*unions, count=10) == grouped(*shuffled, count=10)


def digests(count):
    return np.random.default_rng(0).integers(0, 2**63, count).astype(np.uint64)


def test_fractions_count_sentences():
    """A tenth of the groups is taken for a tenth of the sentences."""
    roots = np.arange(10_000, dtype=np.int32) // 3 * 3
    split = assign(roots, digests(10_000), 0.03, 0.07)
    shares = np.bincount(split, minlength=3) / 10_000
    np.testing.assert_allclose(shares, [0.90, 0.03, 0.07], atol=0.0005)


def test_a_giant_group_is_not_held_out():
    """One group of near-identical sentences fills the test set."""
    roots = np.maximum(np.arange(2_000, dtype=np.int32), 99)
    roots[:100] = 99
    for seed in range(20):
        hashes = np.random.default_rng(seed).permutation(2_000).astype(np.uint64)
        split = assign(roots, hashes, 0.03, 0.07)
        assert set(split[:100]) == {TRAIN}
        assert (split == TEST).sum() == 140 and (split == VALIDATION).sum() == 60


@given(st.lists(st.integers(0, 30), min_size=1, max_size=60), st.integers(0, 99))
def test_no_group_is_in_two_splits(group_of, seed):
    """A test sentence has its disguised copy in training."""
    first = {group: group_of.index(group) for group in group_of}
    roots = np.array([first[group] for group in group_of], np.int32)
    hashes = np.random.default_rng(seed).permutation(len(roots)).astype(np.uint64)
    split = assign(roots, hashes, 0.2, 0.3)
    for root in set(roots.tolist()):
        assert len(set(split[roots == root])) == 1


def test_the_split_does_not_depend_on_the_order_of_sentences():
    """A source that lists its files otherwise moves test sentences to training."""
    count = 1_000
    roots = np.arange(count, dtype=np.int32)
    hashes = digests(count)
    order = np.random.default_rng(1).permutation(count)
    split = assign(roots, hashes, 0.1, 0.1)
    np.testing.assert_array_equal(assign(roots, hashes[order], 0.1, 0.1), split[order])


def test_split_names_stand_at_their_numbers():
    """Test counts are printed as validation counts."""
    assert splits.SPLITS[TRAIN] == "train"
    assert splits.SPLITS[VALIDATION] == "validation" and splits.SPLITS[TEST] == "test"


def dealt(groups, count, number):
    return assign(*groups_of(groups), 0.1, 0.2, FoldsConfig(count, number))


def groups_of(groups):
    found = Groups()
    for text, other in groups:
        one, two = found.add(text), found.add(other)
        found.unite(one, two)
    return found.roots(), found.digests()


def test_every_group_validates_in_one_fold_and_the_test_stays():
    """A group in two folds is trained on in the very fold it is to measure."""
    letters = "abcdefghijklmnopqrst"
    pairs = [(f"lamp {a}{b}", f"lamp {a}{b} too") for a in letters for b in letters]
    usual = assign(*groups_of(pairs), 0.1, 0.2)
    folds = np.array([dealt(pairs, 4, number) for number in range(4)])
    for split in folds:
        np.testing.assert_array_equal(split == TEST, usual == TEST)
    held_out = (folds == VALIDATION).sum(axis=0)
    np.testing.assert_array_equal(held_out, usual != TEST)
    # Both sentences of a group together.
    np.testing.assert_array_equal(folds[:, 0::2], folds[:, 1::2])
    sizes = (folds == VALIDATION).sum(axis=1)
    assert sizes.min() > 0.7 * sizes.mean()
