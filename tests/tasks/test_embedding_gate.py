"""The gate of an encoder's precisions, in figures."""

import dataclasses

import pytest

from babelet.configs.embedding import ExportConfig
from babelet.core.errors import BabeletError
from babelet.tasks.embedding_gate import below_gate


def metrics(retrieval):
    return {"retrieval": {"mean": {"mean": retrieval, "count": 100}}}


@pytest.mark.parametrize(
    ("cosine", "retrieval", "found"),
    [
        (0.98, 0.79, []),
        (0.97, 0.90, ["cosine 0.970000 on 'Hei'"]),
        (1.00, 0.78, ["retrieval 78.00% where the student has 80.00%"]),
        (float("nan"), 0.80, ["cosine nan"]),
        (1.00, None, []),
    ],
)
def test_the_gate_is_a_cosine_and_a_loss_of_retrieval(cosine, retrieval, found):
    """Turned round, the gate rejects a tier for being better than the student."""
    row = {"min_cosine": cosine, "worst_text": "Hei", "metrics": metrics(retrieval)}
    got = below_gate(row, metrics(0.80), ExportConfig())
    assert len(got) == len(found)
    assert all(a.startswith(b) for a, b in zip(got, found, strict=True))


def test_a_gate_outside_its_range_is_an_error():
    """A percentage given as 98 would let nothing pass, and nobody know why."""
    with pytest.raises(BabeletError, match="export.min_cosine"):
        ExportConfig(min_cosine=98)
    assert dataclasses.replace(ExportConfig(), max_retrieval_loss=0.0)
