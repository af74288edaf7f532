import numpy as np
import pytest

from babelet.evaluation.agreement import (
    agreement,
    agreement_alone,
    mean_cosine,
    pairwise_agreement,
)
from babelet.evaluation.retrieval import RetrievalSet

ENGLISH = [f"Turn on lamp {i}" for i in range(12)]
GERMAN = [f"Schalte Lampe {i} ein" for i in range(12)]


def model(seed, dim=8):
    """Returns a predict whose vectors depend on the text alone."""
    texts = [*ENGLISH, *GERMAN]
    vectors = np.random.default_rng(seed).normal(size=(len(texts), dim))
    return lambda wanted: vectors[[texts.index(text) for text in wanted]]


def unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def rotated(predict, dim=8):
    turn, _ = np.linalg.qr(np.random.default_rng(9).normal(size=(dim, dim)))
    return lambda texts: predict(texts) @ turn


def test_a_model_agrees_with_itself_and_not_with_another():
    """Prevents the student from being compared with itself unnoticed."""
    sets = [RetrievalSet("de", ENGLISH, GERMAN)]
    same = agreement(model(0), model(0), sets)
    assert same["pivot"] == pytest.approx(1.0)
    assert same["languages"]["de"] == pytest.approx(1.0)
    assert same["cosine"] == pytest.approx(1.0)
    other = agreement(model(0), model(1), sets)
    assert abs(other["pivot"]) < 0.5 and abs(other["cross_lingual"]) < 0.5


def test_a_rotated_student_still_agrees_but_its_vectors_do_not():
    """Prevents coordinates from deciding what only similarities should."""
    result = agreement(
        rotated(model(0)), model(0), [RetrievalSet("de", ENGLISH, GERMAN)]
    )
    assert result["pivot"] == pytest.approx(1.0)
    assert result["cross_lingual"] == pytest.approx(1.0)
    assert result["cosine"] < 0.9


def test_models_of_different_width_are_compared_without_their_cosine():
    """Prevents a crash, or a cosine of truncated vectors, for a narrow student."""
    result = agreement(
        model(0, dim=4), model(0, dim=8), [RetrievalSet("de", ENGLISH, GERMAN)]
    )
    assert result["cosine"] is None
    assert -1 <= result["pivot"] <= 1


def test_pairwise_agreement_by_hand():
    """Prevents the diagonal of ones from inflating agreement."""
    # Cosines of pairs (01, 02, 12): a gives 0, .6, .8; b gives .8, .6, 0.
    a = np.array([[1, 0, 0], [0, 1, 0], [0.6, 0.8, 0]])
    b = np.array([[1, 0, 0], [0.8, 0.6, 0], [0.6, -0.8, 0]])
    assert pairwise_agreement(a, b) == pytest.approx(-1.0)


def test_permuting_the_sentences_changes_nothing():
    """Prevents agreement that depends on the order of the file."""
    order = np.random.default_rng(1).permutation(12)
    a, b = model(0)(ENGLISH), model(0)(ENGLISH) + 0.5 * model(1)(ENGLISH)
    assert pairwise_agreement(a[order], b[order]) == pytest.approx(
        pairwise_agreement(a, b)
    )


def test_mean_cosine_of_nothing_is_none():
    """Prevents NaN in metrics.json."""
    assert mean_cosine(np.zeros((0, 4)), np.zeros((0, 4))) is None


def test_sentences_alone_are_compared_within_their_language():
    """Pairs across languages would let the language itself pass for agreement."""
    texts = {"en": ENGLISH, "de": GERMAN}
    same = agreement_alone(rotated(model(0)), model(0), texts)
    assert same["languages"] == pytest.approx({"en": 1.0, "de": 1.0})
    other = agreement_alone(model(1), model(0), texts)
    for name, rows in texts.items():
        expected = pairwise_agreement(unit(model(1)(rows)), unit(model(0)(rows)))
        assert other["languages"][name] == pytest.approx(expected)
    assert other["mean"] == pytest.approx(np.mean([*other["languages"].values()]))
