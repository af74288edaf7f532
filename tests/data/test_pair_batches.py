"""Training batches as a pure function of (seed, step)."""

import numpy as np
import pytest
from sentencepiece import sentencepiece_model_pb2

from babelet.data.pair_batches import PairBatches
from babelet.data.tokenizer import Tokenizer
from babelet.data.tokens import TokenStore

# Sentences 0-9 are pivots, 10-39 their translations, three each.
PIVOTS = 10
PAIRS = np.array(
    [(pivot, 10 + 3 * pivot + i) for pivot in range(PIVOTS) for i in range(3)], np.int32
)
LANGUAGES = np.array([0] * PIVOTS + [1, 2, 3] * PIVOTS, np.int16)
# Vectors lie in another order than sentences: the row of pivot p is 9 - p.
VECTORS = np.stack([np.arange(PIVOTS), -np.arange(PIVOTS)], 1).astype(np.float32)[::-1]
ROWS = np.array([9 - pivot for pivot in range(PIVOTS)] + [-1] * 30)


LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMN"
# Sentence s is its letter, once to seven times: "a", "bb", "ccc" ...
TEXTS = [letter * (i % 7 + 1) for i, letter in enumerate(LETTERS)]
LENGTHS = np.array([len(text) + 2 for text in TEXTS])
FIRST_LETTER = 4


@pytest.fixture(scope="module")
def tokens(tmp_path_factory):
    """One piece a letter: the id of sentence s's letters is s + FIRST_LETTER."""
    proto = sentencepiece_model_pb2.ModelProto()
    for piece in ["<pad>", "<s>", "</s>", "<unk>", *LETTERS]:
        kind = 2 if piece == "<unk>" else 3 if piece.startswith("<") else 1
        proto.pieces.add(piece=piece, score=-1.0 if kind == 1 else 0.0, type=kind)
    spec = proto.trainer_spec
    spec.model_type = spec.UNIGRAM
    spec.pad_id, spec.bos_id, spec.eos_id, spec.unk_id = range(4)
    spec.pad_piece = "<pad>"
    proto.normalizer_spec.add_dummy_prefix = False
    tokenizer = Tokenizer(proto.SerializeToString(), 12)
    folder = tmp_path_factory.mktemp("corpus") / "tokens"
    return TokenStore.build(tokenizer, TEXTS, folder, "letters")


@pytest.fixture
def batches(tokens):
    """A function from changed settings to batches."""

    def make(pairs=PAIRS, **changes):
        settings = {
            "batch_size": 4,
            "pivot_share": 0.25,
            "bank_size": 6,
            "with_pivot_tokens": False,
            "seed": 3,
        }
        return PairBatches(
            tokens, pairs, LANGUAGES, VECTORS, ROWS, **settings | changes
        )

    return make


def assert_equal(batch, other):
    assert batch.keys() == other.keys()
    for name, array in batch.items():
        np.testing.assert_array_equal(array, other[name], err_msg=name)
        assert array.dtype == other[name].dtype


def rows_of_epoch(source, epoch):
    steps = source.steps_per_epoch
    return np.concatenate(
        [source.pairs_of(epoch * steps + step) for step in range(steps)]
    )


def test_a_batch_depends_on_the_step_alone(batches):
    """A generator that remembers gives a resumed run other batches."""
    steps = [0, 1, 6, 7, 8, 20]
    in_order = batches()
    expected = {step: in_order.batch(step) for step in steps}
    backwards = batches()
    for step in steps[::-1]:
        assert_equal(backwards.batch(step), expected[step])
        assert_equal(batches().batch(step), expected[step])


@pytest.mark.parametrize("first_step", [0, 5, 7, 16])
def test_the_dataset_continues_at_any_step(batches, first_step):
    """A resumed epoch that starts over shows some rows twice and others never."""
    source = batches()
    stream = batches().dataset(first_step).as_numpy_iterator()
    for step, batch in zip(range(first_step, first_step + 9), stream, strict=False):
        assert_equal(batch, source.batch(step))


def test_an_epoch_holds_each_pair_at_most_once(batches):
    """Drawn with replacement, a third of the corpus is never seen."""
    source = batches(pivot_share=0.0)
    assert source.steps_per_epoch == 7
    known = {tuple(pair) for pair in PAIRS.tolist()}
    for epoch in range(4):
        rows = [tuple(pair) for pair in rows_of_epoch(source, epoch).tolist()]
        assert len(rows) == len(set(rows)) == 28
        assert set(rows) <= known


def test_the_rows_left_over_change_from_epoch_to_epoch(batches):
    """The same two pairs cut off each time are lost to training."""
    source = batches(pivot_share=0.0)
    seen = {tuple(p) for e in range(12) for p in rows_of_epoch(source, e).tolist()}
    assert len(seen) == len(PAIRS)


def test_epochs_and_seeds_differ(batches):
    """One order for all seeds makes three runs look like one."""
    first, second = (rows_of_epoch(batches(), epoch) for epoch in (0, 1))
    assert (first != second).any()
    assert (first != rows_of_epoch(batches(seed=4), 0)).any()
    assert (batches().batch(0)["bank_pivot"] != batches().batch(1)["bank_pivot"]).any()


def test_the_pivots_share(batches):
    """Share 0.25 of each batch, or of the text: counted over many epochs."""
    source = batches()
    pairs = np.concatenate([rows_of_epoch(source, epoch) for epoch in range(40)])
    share = np.mean(pairs[:, 0] == pairs[:, 1])
    # 1,120 rows: three standard deviations are 0.039.
    assert abs(share - 0.25) < 0.039
    translated = pairs[pairs[:, 0] != pairs[:, 1]]
    assert {tuple(p) for p in translated.tolist()} <= {tuple(p) for p in PAIRS.tolist()}
    none = rows_of_epoch(batches(pivot_share=0.0), 0)
    assert (none[:, 0] != none[:, 1]).all()


def test_every_array_belongs_to_its_row(batches):
    """Vectors of the row below still have unit length, and teach nonsense."""
    source = batches(with_pivot_tokens=True)
    for step in range(14):
        batch, pairs = source.batch(step), source.pairs_of(step)
        pivots, sentences = pairs[:, 0], pairs[:, 1]
        np.testing.assert_array_equal(batch["pivot"], pivots)
        np.testing.assert_array_equal(batch["sentence"], sentences)
        np.testing.assert_array_equal(batch["language"], LANGUAGES[sentences])
        for side, ids in (("", sentences), ("pivot_", pivots)):
            letters = batch[f"{side}token_ids"][:, 1] - FIRST_LETTER
            np.testing.assert_array_equal(letters, ids)
            lengths = batch[f"{side}padding_mask"].sum(1)
            np.testing.assert_array_equal(lengths, LENGTHS[ids])
        np.testing.assert_array_equal(batch["teacher"][:, 0], pivots)
        np.testing.assert_array_equal(batch["teacher"][:, 1], -pivots)
        np.testing.assert_array_equal(batch["bank"][:, 0], batch["bank_pivot"])
        assert batch["teacher"].dtype == batch["bank"].dtype == np.float32


def test_the_bank_has_no_duplicates(batches):
    """A candidate twice is a wrong answer that is right."""
    for step in range(10):
        bank = batches().batch(step)["bank_pivot"]
        assert len(set(bank.tolist())) == len(bank) == 6
        assert set(bank.tolist()) <= set(range(PIVOTS))


def test_a_bank_larger_than_the_corpus_is_all_of_it(batches):
    """Small corpora are the ones on which people try a tool first."""
    bank = batches(bank_size=1000).batch(3)["bank_pivot"]
    assert sorted(bank.tolist()) == list(range(PIVOTS))
    assert batches(bank_size=0).batch(3)["bank"].shape == (0, 2)


def test_a_corpus_smaller_than_a_batch_is_one_batch(batches):
    """Zero steps an epoch divide by zero at step 0."""
    source = batches(PAIRS[:3], batch_size=128, pivot_share=0.0)
    assert source.steps_per_epoch == 1
    for step in range(3):
        rows = source.pairs_of(step).tolist()
        assert sorted(rows) == PAIRS[:3].tolist()
    assert source.batch(2)["token_ids"].shape[0] == 3


def test_a_batch_holds_rows_of_like_length(batches):
    """Padding to the longest of mixed rows doubles the time of a step."""
    source = batches(pivot_share=0.0, batch_size=5)
    lengths = [
        source.batch(step)["padding_mask"].sum(1)
        for step in range(source.steps_per_epoch)
    ]
    # Thirty rows of lengths 3 to 9, sorted, six batches.
    assert max(np.ptp(row) for row in lengths) <= 2
    longest = [int(row.max()) for row in lengths]
    assert longest != sorted(longest), "from short to long would be a curriculum"


def test_the_corpus_is_left_as_it_was(batches):
    """Source ids written into the memory-mapped pairs would corrupt the corpus."""
    before = PAIRS.copy()
    rows_of_epoch(batches(pivot_share=0.9), 0)
    np.testing.assert_array_equal(PAIRS, before)


ENTRIES = np.array([0] * 24 + [1] * 6, np.int16)


def shares(source, epochs=1):
    """Returns how often each pair is drawn in some epochs."""
    index = {tuple(pair): i for i, pair in enumerate(PAIRS.tolist())}
    drawn = [rows_of_epoch(source, epoch).tolist() for epoch in range(epochs)]
    rows = [index[tuple(pair)] for epoch in drawn for pair in epoch]
    return np.bincount(rows, minlength=len(PAIRS))


def test_entries_are_drawn_by_their_weights(batches):
    """A small file of one's own drowns in a large one that was mixed in."""
    weighted = {"entries": ENTRIES, "pivot_share": 0.0, "batch_size": 1}
    counts = shares(batches(weights=(1.0, 1.0), **weighted))
    assert (counts[:24].sum(), counts[24:].sum()) == (15, 15)
    # Nothing twice as long as something of the same entry is left.
    assert counts[:24].max() == 1 and set(counts[24:].tolist()) == {2, 3}
    counts = shares(batches(weights=(1.0, 4.0), **weighted))
    assert (counts[:24].sum(), counts[24:].sum()) == (6, 24)
    assert counts[24:].tolist() == [4] * 6


def test_every_row_of_a_light_entry_comes_in_time(batches):
    """The same rows are drawn every epoch, and most of a file is never seen."""
    source = batches(weights=(1.0, 1.0), entries=ENTRIES, pivot_share=0.0, batch_size=1)
    assert (shares(source, epochs=20) > 0).all()


def test_weighted_batches_depend_on_the_step_alone(batches):
    """A resumed run draws another mixture than an uninterrupted one."""
    weighted = {"entries": ENTRIES, "weights": (1.0, 3.0)}
    in_order = batches(**weighted)
    expected = {step: in_order.batch(step) for step in (0, 1, 6, 7, 20)}
    for step in (20, 0, 7):
        assert_equal(batches(**weighted).batch(step), expected[step])


def test_equal_weights_of_an_entry_without_rows(batches):
    """A file whose rows are all held out divides by zero."""
    none = {"entries": np.zeros(30, np.int16), "pivot_share": 0.0, "batch_size": 1}
    assert shares(batches(weights=(1.0, 1.0), **none)).tolist() == [1] * 30


def test_only_sentences_alone_have_no_label(batches):
    """Pairs that lose their labels learn nothing of translation."""
    alone = np.array([(pivot, pivot) for pivot in range(4)], np.int32)
    source = batches(np.concatenate([PAIRS, alone]), pivot_share=0.5)
    seen = []
    for step in range(source.steps_per_epoch):
        batch = source.batch(step)
        assert batch["label_weight"].dtype == np.float32
        seen += batch["label_weight"].tolist()
        labelled = batch["label_weight"] == 1
        assert labelled[batch["sentence"] != batch["pivot"]].all()
    # 34 rows, of which at most two are left over.
    assert 2 <= seen.count(0.0) <= 4
