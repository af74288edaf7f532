import functools

import numpy as np

from babelet.model.linear_head import empty_linear_head, fit_linear_head


def clusters(count, seed):
    """Three classes whose directions differ little, as those of E5 do."""
    random = np.random.default_rng(seed)
    labels = np.arange(count) % 3
    centres = np.eye(3, 8) * 0.1 + 1.0
    vectors = centres[labels] + random.normal(0, 0.02, (count, 8))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors.astype(np.float32), labels


def fit(weights, labels):
    vectors, _ = clusters(300, 1)
    return fit_linear_head(vectors, labels, weights, 3, clusters(60, 2), seed=0)


@functools.cache
def fitted():
    _, labels = clusters(300, 1)
    return fit(np.ones(300, np.float32), labels)


def test_directions_that_differ_little_are_told_apart():
    """Unit vectors of one narrow cone: without standardising, chance for long."""
    vectors, labels = clusters(90, 3)
    chosen = fitted().predict(vectors, verbose=0).argmax(axis=1)
    assert (chosen == labels).mean() > 0.95


def test_rows_of_weight_0_teach_nothing():
    """Hidden labels that reach the head make zero-shot figures false."""
    _, labels = clusters(300, 1)
    weights = (labels != 2).astype(np.float32)
    hidden = fit(weights, np.where(labels == 2, 0, labels))
    for one, two in zip(
        fit(weights, labels).get_weights(), hidden.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(one, two)


def test_one_seed_gives_one_head_and_its_weights_load(tmp_path):
    """A head that differs at the next start has other logits than the cached."""
    _, labels = clusters(300, 1)
    first, again = fitted(), fit(np.ones(300, np.float32), labels)
    for one, two in zip(first.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)
    first.save_weights(tmp_path / "head.weights.h5")
    loaded = empty_linear_head(8, 3)
    loaded.load_weights(tmp_path / "head.weights.h5")
    vectors, _ = clusters(9, 4)
    np.testing.assert_array_equal(
        loaded.predict(vectors, verbose=0), first.predict(vectors, verbose=0)
    )
