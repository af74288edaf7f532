import json
import zlib

import numpy as np
import pytest

from babelet.evaluation.evaluate import evaluate, headline
from babelet.evaluation.retrieval import RetrievalSet

SETS = [
    RetrievalSet(
        "de",
        ["The lamp", "The garage"],
        ["Die Lampe", "Die Garage"],
        np.array([True, False]),
    ),
    RetrievalSet("nl", ["The lamp", "The garage"], ["De lamp", "De garage"]),
]


def letters(texts):
    """Returns hashed letter pairs: cognates lie close."""
    rows = np.zeros((len(texts), 64), np.float32)
    for row, text in zip(rows, texts, strict=True):
        for pair in zip(text.lower(), text.lower()[1:], strict=False):
            row[zlib.crc32("".join(pair).encode()) % 64] += 1
    return rows


def test_one_call_gives_every_metric_as_json(tmp_path):
    """Prevents numpy values or NaN that metrics.json could not hold."""
    (tmp_path / "tatoeba.deu-eng.deu").write_text("Das Haus.\nDie Maus.\n", "utf-8")
    (tmp_path / "tatoeba.deu-eng.eng").write_text("The house.\nThe mouse.\n", "utf-8")
    sts = tmp_path / "sts-en.csv"
    sts.write_text("A house,A house,5\nA house,A mouse,3\nA house,Zq,0\n", "utf-8")
    metrics = evaluate(letters, SETS, tatoeba=[tmp_path], sts=[sts], teacher=letters)
    assert json.loads(json.dumps(metrics, allow_nan=False)) == metrics
    assert set(metrics["retrieval"]["languages"]) == {"de", "nl"}
    assert headline(metrics) == metrics["retrieval"]["mean"]["mean"] == 1.0
    assert metrics["cosine"]["mean"]["gap"] > 0.2
    assert metrics["tatoeba"][tmp_path.name]["mean"]["to_pivot"] == 1.0
    assert metrics["sts"]["files"]["sts-en"]["spearman"] == pytest.approx(1.0)
    assert metrics["agreement"]["cross_lingual"] == pytest.approx(1.0)


def test_parts_not_asked_for_are_none():
    """Prevents an absent suite from looking like a score of zero."""
    metrics = evaluate(letters, SETS)
    assert (metrics["tatoeba"], metrics["sts"], metrics["agreement"]) == (None,) * 3


def test_files_of_one_name_in_two_folders_are_both_reported(tmp_path):
    """Prevents the second file from replacing the first in the result."""
    for folder in ("dev", "test"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "en.csv").write_text("A cat,A cat,5\nA cat,Zq,0\n")
    paths = [tmp_path / "dev/en.csv", tmp_path / "test/en.csv"]
    assert len(evaluate(letters, SETS, sts=paths)["sts"]["files"]) == 2


def test_text_without_translations_is_ranked_by_agreement():
    """A headline of nothing, or the teacher's agreement with itself as its score."""
    alone = {"de": ["Die Lampe", "Die Garage", "Der Flur"]}
    metrics = evaluate(letters, [], teacher=letters, alone=alone)
    assert metrics["retrieval"]["languages"] == {} and metrics["agreement"] is None
    assert headline(metrics) == metrics["agreement_alone"]["mean"] == pytest.approx(1)
    assert headline(evaluate(letters, [], alone=alone)) is None
    both = evaluate(letters, SETS, teacher=letters, alone={"fi": alone["de"]})
    assert headline(both) == both["retrieval"]["mean"]["mean"]
