"""What a translator sees of its pairs, and that it sees it again after a kill."""

import numpy as np
import pytest

from babelet.data.tokens import TokenStore
from babelet.data.translation_batches import SoftTargets, TranslationBatches

PAD, BOS, EOS = 0, 1, 2


class Words:
    """A tokenizer whose tokens are letters: "ab" is [BOS, 10, 11, EOS]."""

    vocabulary_size, pad_id, max_length = 40, PAD, 16

    def encode(self, texts):
        return [[BOS, *(ord(c) - ord("a") + 10 for c in t), EOS] for t in texts]


SOURCES = ["cat", "dog", "a", "mouse"]
TARGETS = ["katze", "hund", "ein", "maus"]
PAIRS = np.array([[0, 0], [1, 1], [2, 2], [3, 3]], np.int32)


@pytest.fixture
def stores(tmp_path):
    return [
        TokenStore.build(Words(), texts, tmp_path / name, "x")
        for name, texts in (("sources", SOURCES), ("targets", TARGETS))
    ]


def batches(stores, **changes):
    return TranslationBatches(
        *stores, PAIRS, **({"batch_size": 2, "seed": 0} | changes)
    )


def test_labels_are_the_next_tokens(stores):
    """Labels that are not shifted teach the model to repeat its input."""
    batch = batches(stores, batch_size=4).batch(0)
    for target, label, weight in zip(
        batch["target_ids"], batch["labels"], batch["weight"], strict=True
    ):
        length = int(weight.sum())
        assert target[0] == BOS and label[length - 1] == EOS
        assert target[1:length].tolist() == label[: length - 1].tolist()
        assert (weight[length:] == 0).all()


def test_pairs_stay_pairs(stores):
    """Sorting one side by length without the other learns noise."""
    encoded = dict(zip(map(tuple, Words().encode(SOURCES)), TARGETS, strict=True))
    for step in range(4):
        batch = batches(stores).batch(step)
        for row, mask, label, weight in zip(
            *(batch[n] for n in ("token_ids", "padding_mask", "labels", "weight")),
            strict=True,
        ):
            (target,) = Words().encode([encoded[tuple(row[mask].tolist())]])
            assert label[weight > 0].tolist() == target[1:]


def test_a_step_is_the_same_however_it_is_reached(stores):
    """A resumed run that sees other batches ends with other weights."""
    through = batches(stores).dataset(0).take(7).as_numpy_iterator()
    last = list(through)[-1]
    direct = batches(stores).batch(6)
    assert all((last[name] == direct[name]).all() for name in direct)


def test_every_epoch_has_every_pair_in_another_order(stores):
    """Pairs that are left out, or always together, are learned worse."""
    found = batches(stores)
    epochs = [
        [tuple(p) for step in (2 * e, 2 * e + 1) for p in found.pairs_of(step)]
        for e in range(6)
    ]
    assert all(set(epoch) == set(map(tuple, PAIRS)) for epoch in epochs)
    assert len(set(map(tuple, epochs))) > 1


def test_beliefs_are_those_of_the_position(stores):
    """Beliefs one position off teach the token after the next."""
    _, targets = stores
    count = int(targets.lengths.sum())
    flat = np.arange(count)
    soft = SoftTargets(
        targets.starts, flat[:, None], np.stack([flat, -flat, 0 * flat], 1)
    )
    batch = batches(stores, batch_size=4, soft=soft).batch(0)
    rows = batches(stores, batch_size=4).pairs_of(0)[:, 1]
    for row, tokens, logits, weight in zip(
        rows, batch["soft_tokens"], batch["soft_logits"], batch["weight"], strict=True
    ):
        places = targets.starts[row] + np.arange(int(weight.sum()))
        assert tokens[weight > 0, 0].tolist() == places.tolist()
        assert logits[weight > 0, 1].tolist() == (-places).tolist()
