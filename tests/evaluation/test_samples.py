import numpy as np
import pytest

from babelet.evaluation.classification import LabelledSet
from babelet.evaluation.retrieval import RetrievalSet
from babelet.evaluation.samples import answers, nearest, pca_map, sentence_map


def cloud(count=30, dim=8):
    # Unequal spread, so that the first two directions are well defined.
    spread = np.array([5.0, 3.0, *[0.5] * (dim - 2)])
    return np.random.default_rng(0).normal(size=(count, dim)) * spread


def test_the_axes_come_in_order_of_variance():
    """Prevents a map along directions that hardly vary."""
    plane = pca_map(cloud())
    assert plane.shape == (30, 2)
    assert plane[:, 0].var() > plane[:, 1].var() > 1.0
    np.testing.assert_allclose(plane.mean(axis=0), 0, atol=1e-9)


def test_points_on_a_plane_keep_their_distances():
    """Prevents an axis from being scaled, which would invent neighbours."""
    flat = np.array([[0, 0, 1], [4, 0, 1], [0, 3, 1]], float)
    plane = pca_map(flat)
    distances = [np.linalg.norm(plane[i] - plane[j]) for i, j in ((0, 1), (0, 2))]
    assert distances == pytest.approx([4, 3])


def test_the_order_of_rows_does_not_mirror_the_map():
    """Prevents a picture that flips from run to run."""
    points = cloud()
    order = np.random.default_rng(1).permutation(len(points))
    np.testing.assert_allclose(
        pca_map(points)[order], pca_map(points[order]), atol=1e-9
    )


@pytest.mark.parametrize("rows", [np.zeros((0, 4)), np.zeros((1, 4)), np.ones((3, 4))])
def test_too_few_distinct_points_lie_on_the_origin(rows):
    """Prevents NaN coordinates from a tiny corpus."""
    np.testing.assert_allclose(pca_map(rows), np.zeros((len(rows), 2)), atol=1e-12)


def test_points_on_a_line_have_no_second_coordinate():
    """Prevents rounding noise from being drawn as a second dimension."""
    line = np.outer(np.arange(4), [1.0, 2.0, 2.0])
    np.testing.assert_allclose(np.abs(pca_map(line)[:, 1]), 0, atol=1e-9)


PLANE = {
    "on": (1, 0),
    "off": (0, 1),
    "an": (0.9, 0.1),
    "aus": (0.1, 0.9),
    "päälle": (0, 2),
}


def encode(texts):
    return np.array([PLANE[text] for text in texts], np.float32)


SETS = [
    RetrievalSet("de", ["on", "off"], ["an", "aus"], None),
    RetrievalSet("fi", ["on"], ["päälle"], None),
]


def test_the_nearest_sentence_stands_beside_its_text():
    """A neighbour shifted by one row makes a good encoder look absurd."""
    found = nearest({"student": encode}, SETS[:1])
    assert found["columns"] == ["language", "text", "translation", "nearest, student"]
    assert found["rows"] == [["de", "an", "on", "on"], ["de", "aus", "off", "off"]]


def test_answers_name_the_class_with_its_score():
    """The label of another sentence beside a right answer."""
    sets = [LabelledSet("de", ["an", "aus"], np.array([0, 1]))]
    found = answers({"student": encode}, sets, ["ON", "OFF"])
    assert found["rows"] == [
        ["de", "an", "ON", "ON 0.90"],
        ["de", "aus", "OFF", "OFF 0.90"],
    ]


def test_the_map_has_the_most_translated_sentences_first():
    """Dots of one sentence in the colour of another."""
    points = sentence_map({"student": encode}, SETS, "en")["student"]
    told = [(p["pair"], p["language"], p["text"]) for p in points]
    assert told == [
        (0, "en", "on"),
        (0, "de", "an"),
        (0, "fi", "päälle"),
        (1, "en", "off"),
        (1, "de", "aus"),
    ]
    assert sentence_map({"student": encode}, [], "en") == {}
