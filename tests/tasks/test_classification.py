import keras
import numpy as np
import pytest
import tensorflow as tf

from babelet.data.labelled_batches import LabelledBatches
from babelet.data.tokens import TokenStore
from babelet.model.distiller import Distiller
from babelet.model.objective import Objective
from babelet.model.student import build_classifier
from babelet.tasks.labelled_text import decide_labelled, readable_rows

CLASSES = 4
RANDOM = np.random.default_rng(5)
LABELS = np.array([0, 3, 1, 2, 1, 0, 3, 3])
# Half of them are hidden.
WEIGHTS = np.array([1, 0, 1, 0, 1, 1, 0, 0], np.float32)
TEACHER = RANDOM.normal(0, 2, (8, CLASSES)).astype(np.float32)


class WordTokenizer:
    """Token ids are the words' own numbers."""

    vocabulary_size, pad_id, max_length = 50, 0, 8

    def encode(self, texts):
        return [[1, *(int(word) for word in text.split()), 2] for text in texts]


TEXTS = [f"{5 + i} {20 + i}" + " 7" * (i % 3) for i in range(8)]


@pytest.fixture
def batches(tmp_path):
    store = TokenStore.build(WordTokenizer(), TEXTS, tmp_path / "tokens", "x")

    def make(weights=WEIGHTS, labels=LABELS, rows=range(8), teacher=TEACHER):
        return LabelledBatches(
            store, np.array(rows), labels, weights, teacher, batch_size=8, seed=3
        )

    return make


@pytest.fixture
def student():
    keras.utils.set_random_seed(1)
    return build_classifier(
        classes=CLASSES,
        vocabulary_size=50,
        num_layers=1,
        hidden_dim=8,
        num_heads=2,
        intermediate_dim=16,
        max_length=8,
        pooling="mean",
        dropout=0.0,
    )


def losses(student, batch, alpha, training=False):
    objective = Objective(alpha, temperature=2.0)
    distiller = Distiller(student, objective, decide=decide_labelled)
    return distiller.losses_of(batch, training).terms


def log_softmax(logits):
    shifted = logits - logits.max(-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))


@pytest.mark.parametrize("alpha", [0.0, 0.3, 1.0])
def test_labelled_and_unlabelled_rows_give_the_objective(batches, student, alpha):
    """A mixed batch that divides by the labelled rows alone changes alpha unseen."""
    batch = batches().batch(0)
    terms = losses(student, batch, alpha)
    rows = batch["sentence"]
    inputs = {name: batch[name] for name in ("token_ids", "padding_mask")}
    logits = student(inputs).numpy().astype(np.float64)
    hard = -log_softmax(logits)[np.arange(8), LABELS[rows]] * WEIGHTS[rows]
    s, t = log_softmax(logits / 2), log_softmax(TEACHER[rows].astype(np.float64) / 2)
    soft = 4 * (np.exp(t) * (t - s)).sum(-1)
    expected = (alpha * hard + (1 - alpha) * soft).sum() / 8
    assert abs(float(terms["loss"]) - expected) <= 1e-6 * max(1, abs(expected))


def test_hidden_labels_have_no_gradient(batches, student):
    """Labels that leak through a weight of nearly 0 make zero-shot figures false."""

    def gradients(labels):
        batch = batches(labels=labels).batch(0)
        with tf.GradientTape() as tape:
            loss = losses(student, batch, 0.5, training=True)["loss"]
        return [
            tf.convert_to_tensor(g).numpy()
            for g in tape.gradient(loss, student.trainable_variables)
        ]

    others = np.where(WEIGHTS > 0, LABELS, (LABELS + 1) % CLASSES)
    for one, two in zip(gradients(LABELS), gradients(others), strict=True):
        np.testing.assert_array_equal(one, two)
    shown = gradients((LABELS + 1) % CLASSES)
    assert any((a != b).any() for a, b in zip(gradients(LABELS), shown, strict=True))


def test_a_batch_without_labels_has_no_hard_loss(batches, student):
    """0/0 at a batch of unlabelled text alone would end the run with a NaN."""
    hidden = batches(weights=np.zeros(8, np.float32))
    terms = losses(student, hidden.batch(0), 1.0)
    assert float(terms["loss"]) == 0.0


def test_batches_are_a_function_of_seed_and_step(batches):
    """A resumed run that sees other rows is another run."""
    first, again = batches(rows=range(8)), batches(rows=range(8))
    assert (first.sentences_of(7) == again.sentences_of(7)).all()
    epoch = np.sort(first.sentences_of(0))
    assert epoch.tolist() == list(range(8))
    assert first.batch(0)["label"][first.batch(0)["label_weight"] == 0].max() == 0


def test_rows_are_named_by_their_text(batches):
    """A loss that is not finite must lead to the sentence that made it so."""
    rows = readable_rows(batches(), TEXTS.__getitem__)
    assert sorted(rows(0)) == sorted(map(repr, TEXTS))
