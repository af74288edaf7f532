"""The Transformer layers: where their norms stand, and how wide their weights begin."""

import keras
import numpy as np
import pytest

from babelet.model.backbone import EncoderLayer
from babelet.model.decoder import DecoderLayer

HIDDEN = np.random.default_rng(0).normal(0, 3, (2, 5, 16)).astype("float32")
MASK = np.ones((2, 5), bool)


def built(kind, **changes):
    keras.utils.set_random_seed(0)
    layer = kind(
        hidden_dim=16, num_heads=2, intermediate_dim=32, dropout=0.0, **changes
    )
    layer.build(HIDDEN.shape, MASK.shape)
    return layer


def applied(layer, hidden):
    if isinstance(layer, DecoderLayer):
        return np.array(layer(hidden, layer.read(HIDDEN), MASK[:, None, None]))
    return np.array(layer(hidden, MASK))


@pytest.mark.parametrize("kind", [EncoderLayer, DecoderLayer])
def test_with_the_norm_first_the_sum_passes_unchanged(kind):
    """A norm left on the sum is what keeps deep stacks from learning."""
    layer = built(kind, norm_first=True)
    for variable in layer.weights:
        if "output" in variable.path:
            variable.assign(variable * 0)
    np.testing.assert_array_equal(applied(layer, HIDDEN), HIDDEN)


@pytest.mark.parametrize("kind", [EncoderLayer, DecoderLayer])
def test_with_the_norm_first_sublayers_do_not_see_the_scale(kind):
    """A sublayer that reads the sum without its norm blows up with depth."""
    layer = built(kind, norm_first=True, kernel_initializer="glorot_uniform")
    added = applied(layer, HIDDEN) - HIDDEN
    to_large = applied(layer, 1000 * HIDDEN) - 1000 * HIDDEN
    assert 0.1 < np.abs(added).max() < 10 and np.abs(to_large).max() < 10


@pytest.mark.parametrize("kind", [EncoderLayer, DecoderLayer])
def test_with_the_norm_last_every_row_is_normalised(kind):
    """A BERT checkpoint read by other layers gives vectors of no use."""
    rows = applied(built(kind), HIDDEN)
    np.testing.assert_allclose(rows.mean(-1), 0, atol=1e-5)
    np.testing.assert_allclose(rows.std(-1), 1, atol=1e-3)


@pytest.mark.parametrize("changes", [{}, {"norm_first": True}])
def test_a_layer_read_back_is_the_same(changes):
    """An argument that its config forgets changes the graph of a saved student."""
    layer = built(EncoderLayer, **changes)
    again = EncoderLayer.from_config(layer.get_config())
    again.build(HIDDEN.shape, MASK.shape)
    again.set_weights(layer.get_weights())
    np.testing.assert_array_equal(applied(again, HIDDEN), applied(layer, HIDDEN))


def test_initial_weights_differ_from_matrix_to_matrix():
    """One seeded initializer for all gives every layer the same numbers."""
    for name in (None, "glorot_uniform"):
        layer = built(DecoderLayer, kernel_initializer=name)
        drawn = [np.array(x) for x in layer.weights if x.path.endswith("kernel")]
        starts = {tuple(kernel.ravel()[:4]) for kernel in drawn}
        assert len(starts) == len(drawn)
    wide = np.std(layer.feedforward_intermediate.kernel)
    assert wide == pytest.approx(np.sqrt(2 / (16 + 32)), rel=0.1)
