"""The table of a comparison, from metrics as the evaluation writes them."""

import pytest

from benchmarks.comparison import markdown, scores, summary


def metrics(retrieval, sts=None, agreement=None):
    return {
        "retrieval": {
            "languages": {"cs": {"mean": 0.99}},
            "mean": {"mean": retrieval, "without_near": {"mean": retrieval - 0.1}},
        },
        "tatoeba": {"v1": {"mean": {"to_pivot": 0.8, "from_pivot": 0.7}}},
        "sts": None if sts is None else {"files": {}, "mean": sts},
        "agreement": None if agreement is None else {"cross_lingual": agreement},
    }


def test_scores_are_read_from_where_the_evaluation_puts_them():
    """A renamed key must fail here and not leave a column out of the table."""
    assert scores(metrics(0.92, sts=0.72, agreement=0.9)) == pytest.approx(
        {
            "test retrieval": 92,
            "no near neighbour": 82,
            "agreement": 90,
            "STS": 72,
            "v1 xx→en": 80,
            "v1 en→xx": 70,
        }
    )


def test_parts_that_were_not_measured_are_left_out():
    """Nothing measured is not a score of zero."""
    assert "STS" not in scores(metrics(0.92))
    assert "agreement" not in scores(metrics(0.92))


def test_the_spread_is_that_of_the_seeds():
    """A population deviation would make three seeds look steadier than they are."""
    runs = [{"STS": 70.0}, {"STS": 71.0}, {"STS": 72.0}]
    assert summary(runs) == {"STS": {"mean": 71.0, "spread": 1.0}}
    assert summary(runs[:1]) == {"STS": {"mean": 70.0, "spread": None}}


def test_the_table_keeps_rows_and_columns_together():
    """A row without a column must not shift its other figures."""
    rows = {
        "teacher": {"STS": {"mean": 77.7, "spread": None}},
        "student": {
            "agreement": {"mean": 90.04, "spread": 0.2},
            "STS": {"mean": 71.96, "spread": 0.3},
        },
    }
    assert markdown(rows).splitlines() == [
        "|  | STS | agreement |",
        "|---|---|---|",
        "| teacher | 77.7 |  |",
        "| student | 72.0 ± 0.3 | 90.0 ± 0.2 |",
    ]
