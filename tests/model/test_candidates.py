"""Named candidates and the rest: the whole softmax, seen through a few tokens."""

import numpy as np
import pytest
import tensorflow as tf

from babelet.model.candidates import named_and_rest
from babelet.model.objective import Decisions, decision_losses


def test_by_hand():
    """The rest's logit is the log of the sum of what is not named."""
    logits = tf.math.log([[1.0, 2.0, 3.0, 4.0], [5.0, 1.0, 1.0, 1.0]])
    found = np.exp(named_and_rest(logits, tf.constant([[3, 0], [0, 2]])))
    np.testing.assert_allclose(found, [[4, 1, 5], [5, 1, 2]], rtol=1e-6)


def test_cross_entropy_and_its_gradient_are_those_of_the_whole_vocabulary():
    """A gradient that forgets the other tokens never lowers them."""
    rng = np.random.default_rng(0)
    logits = tf.Variable(rng.normal(0, 3, (5, 40)).astype("float32"))
    labels = tf.constant([3, 0, 39, 7, 7])
    with tf.GradientTape(persistent=True) as tape:
        whole = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
        whole = tf.reduce_mean(whole)
        chosen = named_and_rest(tf.convert_to_tensor(logits), labels[:, None])
        found = decision_losses(Decisions(chosen, tf.zeros_like(labels)), 1.0, 1.0)
    assert float(found["loss"]) == pytest.approx(float(whole), rel=1e-6)
    np.testing.assert_allclose(
        tape.gradient(found["loss"], logits), tape.gradient(whole, logits), atol=1e-7
    )


def test_a_rest_of_next_to_nothing_is_still_exact():
    """All less the named is rounding alone, and its log minus infinity."""
    logits = tf.constant([[30.0, 0.0, 1.0, -2.0]])
    found = named_and_rest(logits, tf.constant([[0]]))
    expected = np.log(np.exp([0.0, 1.0, -2.0]).sum())
    assert float(found[0, 1]) == pytest.approx(expected, rel=1e-6)


def test_soft_labels_of_the_same_model_have_no_loss_and_no_gradient():
    """A student that is its teacher must stay where it is."""
    rng = np.random.default_rng(1)
    logits = tf.Variable(rng.normal(0, 2, (4, 20)).astype("float32"))
    candidates = tf.constant([[1, 5, 9], [2, 3, 4], [0, 1, 2], [19, 18, 17]])
    teacher = tf.nn.log_softmax(named_and_rest(tf.constant(logits), candidates))
    with tf.GradientTape() as tape:
        chosen = named_and_rest(tf.convert_to_tensor(logits), candidates)
        loss = decision_losses(Decisions(chosen, None, teacher), 0.0, 1.0)["loss"]
    assert abs(float(loss)) < 1e-6
    assert np.abs(tape.gradient(loss, logits)).max() < 1e-6
