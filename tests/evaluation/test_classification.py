import numpy as np
import pytest

from babelet.evaluation.classification import LabelledSet, classification, macro_f1

CLASSES = ("off", "on", "dim")
# By text: the class it is of, and the one that is chosen.
ANSWERS = {
    "turn off": (0, 0),
    "switch off": (0, 1),
    "turn on": (1, 1),
    "schalte ein": (1, 1),
    "dimme": (2, 0),
}


def predict(texts):
    scores = np.full((len(texts), 3), 0.1, np.float32)
    for row, text in zip(scores, texts, strict=True):
        row[ANSWERS[text][1]] = 0.8
    return scores


def sets():
    texts = list(ANSWERS)
    labels = np.array([label for label, _ in ANSWERS.values()])
    return [
        LabelledSet("en", texts[:3], labels[:3]),
        LabelledSet("de", texts[3:], labels[3:]),
        LabelledSet("fi", [], np.zeros(0, int)),
    ]


def test_figures_by_hand():
    """Languages mixed up, or a mean over sentences passed off as one over languages."""
    found = classification(predict, sets(), CLASSES)
    assert found["languages"]["en"] == {
        "accuracy": pytest.approx(2 / 3),
        # off: 2·1/(2+1), on: 2·1/(1+2).
        "macro_f1": pytest.approx(2 / 3),
        "count": 3,
    }
    assert found["languages"]["de"]["accuracy"] == 0.5
    assert set(found["languages"]) == {"en", "de"}
    assert found["mean"]["accuracy"] == pytest.approx((2 / 3 + 1 / 2) / 2)
    # Rows are true, columns chosen.
    assert found["confusion"] == [[1, 1, 0], [0, 2, 0], [1, 0, 0]]
    assert found["f1"] == {"off": 0.5, "on": pytest.approx(0.8), "dim": 0.0}


def test_a_class_that_is_never_true_does_not_count_in_macro_f1():
    """42 classes of which a language has 30 would cost it a quarter of its score."""
    labels = np.array([0, 0, 1, 1])
    assert macro_f1(labels, labels) == 1.0
    assert macro_f1(labels, np.array([0, 0, 1, 5])) == pytest.approx((1 + 2 / 3) / 2)


def test_refusals_are_counted_apart():
    """Sentences refused as unknown must not count as right answers."""
    found = classification(predict, sets(), CLASSES, threshold=0.5)
    assert found["refused"] == 0.0
    assert found["accepted_accuracy"] == pytest.approx(3 / 5)
    found = classification(predict, sets(), CLASSES, threshold=0.9)
    assert found["refused"] == 1.0 and found["accepted_accuracy"] is None


def test_scores_of_another_width_are_an_error():
    """A file of other classes scores like chance and is taken for a bad model."""
    with pytest.raises(ValueError, match="shape"):
        classification(predict, sets(), CLASSES[:2])
