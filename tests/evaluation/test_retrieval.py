import numpy as np
import pytest

from babelet.evaluation.retrieval import (
    RetrievalSet,
    finds_own,
    mean_over_languages,
    retrieval,
)

LAMP, DOOR, HEAT = [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]
VECTORS = {
    "Turn on the lamp": LAMP,
    "Open the door": DOOR,
    "Heat the room": HEAT,
    "Schalte die Lampe ein": LAMP,
    "Öffne die Tür": DOOR,
    # Nearer to the door than to the heating, but the heating's nearest neighbour.
    "Heize den Raum": [0.0, 0.8, 0.6],
}
ENGLISH, GERMAN = list(VECTORS)[:3], list(VECTORS)[3:]


def predict(texts):
    return np.array([VECTORS[text] for text in texts], np.float32)


def random_unit(count, dim=16, seed=0):
    rows = np.random.default_rng(seed).normal(size=(count, dim)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_two_of_three_found_one_way_and_all_the_other():
    """Prevents the directions from being swapped or averaged by mistake."""
    scores = retrieval(predict, [RetrievalSet("de", ENGLISH, GERMAN)])["de"]
    assert scores["to_pivot"] == pytest.approx(2 / 3)
    assert scores["from_pivot"] == 1.0
    assert scores["mean"] == pytest.approx(5 / 6)
    assert scores["count"] == 3
    assert scores["without_near"] is None


def test_without_near_restricts_queries_not_candidates():
    """Prevents the harder part from being scored among fewer candidates."""
    near = np.array([True, True, False])
    scores = retrieval(predict, [RetrievalSet("de", ENGLISH, GERMAN, near)])["de"]
    # Alone among its own candidates "Heize den Raum" could not be wrong.
    assert scores["without_near"] == {
        "to_pivot": 0.0,
        "from_pivot": 1.0,
        "mean": 0.5,
        "count": 1,
    }


def test_no_query_left_is_none_and_not_zero():
    """Prevents an empty part from dragging the mean over languages down."""
    near = np.ones(3, bool)
    result = retrieval(
        predict,
        [
            RetrievalSet("de", ENGLISH, GERMAN, near),
            RetrievalSet("gsw", ENGLISH, GERMAN, ~near),
        ],
    )
    assert result["de"]["without_near"]["mean"] is None
    mean = mean_over_languages(result)["without_near"]
    assert mean["mean"] == result["gsw"]["mean"]
    assert (mean["languages"], mean["count"]) == (1, 3)


def test_every_language_weighs_the_same():
    """Prevents a large language from hiding a small one."""
    languages = {
        "de": {
            "to_pivot": 1.0,
            "from_pivot": 0.8,
            "mean": 0.9,
            "count": 1000,
            "without_near": None,
        },
        "vi": {
            "to_pivot": 0.5,
            "from_pivot": 0.3,
            "mean": 0.4,
            "count": 10,
            "without_near": None,
        },
    }
    mean = mean_over_languages(languages)
    assert mean["mean"] == pytest.approx(0.65)
    assert mean["to_pivot"] == pytest.approx(0.75)
    assert (mean["count"], mean["languages"]) == (1010, 2)
    assert mean["without_near"] is None


def test_a_shuffled_set_of_candidates_is_found_only_where_in_place():
    """Prevents an off-by-one between query and candidate rows."""
    points = np.eye(6, dtype=np.float32)
    order = [0, 2, 1, 3, 5, 4]
    found = finds_own(points, points[order], chunk=4)
    assert found.tolist() == [True, False, False, True, False, False]


def test_a_model_that_maps_all_to_one_point_scores_zero():
    """Prevents a collapsed model from scoring by the order of its candidates."""
    assert not finds_own(*[np.tile(LAMP, (5, 1)).astype(np.float32)] * 2).any()


def test_ties_within_rounding_are_ties():
    """Prevents the last bit of a matrix product from deciding an answer."""
    query = np.array([LAMP, DOOR], np.float32)
    candidates = np.array([LAMP, [1.0 - 1e-7, 0.0, 0.0]], np.float32)
    assert finds_own(query, candidates).tolist() == [False, False]


@pytest.mark.parametrize("chunk", [1, 7, 64, 1000])
def test_the_chunk_does_not_change_the_answer(chunk):
    """Prevents a wrong diagonal in the last, shorter chunk."""
    queries, noise = random_unit(64), random_unit(64, seed=1)
    candidates = queries + 0.9 * noise
    whole = (queries @ candidates.T).argmax(axis=1) == np.arange(64)
    assert 0 < whole.mean() < 1
    assert finds_own(queries, candidates, chunk).tolist() == whole.tolist()


def test_rotating_the_space_changes_nothing():
    """Prevents a metric that depends on coordinates instead of cosines."""
    queries = random_unit(50)
    candidates = queries + 0.9 * random_unit(50, seed=1)
    rotation, _ = np.linalg.qr(np.random.default_rng(2).normal(size=(16, 16)))
    rotation = rotation.astype(np.float32)
    turned = finds_own(queries @ rotation, candidates @ rotation)
    assert turned.tolist() == finds_own(queries, candidates).tolist()


def test_permuting_the_pairs_permutes_the_answers():
    """Prevents scores that depend on the order of the file."""
    queries = random_unit(50)
    candidates = queries + 0.9 * random_unit(50, seed=1)
    order = np.random.default_rng(3).permutation(50)
    permuted = finds_own(queries[order], candidates[order])
    assert permuted.tolist() == finds_own(queries, candidates)[order].tolist()


def test_sides_of_different_length_are_refused():
    """Prevents scoring pairs that slid against each other."""
    with pytest.raises(ValueError, match="Sides of the de pairs differ"):
        RetrievalSet("de", ENGLISH, GERMAN[:2])
