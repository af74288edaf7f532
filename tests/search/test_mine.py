import dataclasses
from pathlib import Path

import numpy as np
import pytest

from babelet.configs import smart_home
from babelet.core.errors import BabeletError
from babelet.data.sources.parallel_files import pairs
from babelet.search.documents import Document
from babelet.search.export import export
from babelet.search.mine import mine, run
from babelet.search.passages import Filter
from babelet.search.quantise import to_bytes
from tests.index_documents import DOCUMENTS


def test_a_margin_is_that_computed_by_hand():
    """A sum in place of a mean shifts every threshold that users have found."""
    angles = np.radians([0, 60])
    rows = to_bytes(np.stack([np.cos(angles), np.sin(angles)], axis=1))
    found = mine(rows, rows.copy(), 0, neighbours=2)
    assert {(p.first, p.second) for p in found} == {(0, 0), (1, 1)}
    # Each has cosines 1 and 1/2 around it.
    assert found[0].margin == pytest.approx(1 / ((0.75 + 0.75) / 2), abs=0.02)
    assert found[0].cosine == pytest.approx(1, abs=0.01)


def test_what_is_near_to_everything_has_no_margin():
    """A fixed cosine takes a vague sentence for the translation of all others."""
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(40, 64))
    vague = vectors.mean(axis=0, keepdims=True)
    noisy = vectors + 0.3 * rng.normal(size=vectors.shape)
    found = mine(to_bytes(np.concatenate([vectors, vague])), to_bytes(noisy), 1.2)
    assert {(p.first, p.second) for p in found} == {(i, i) for i in range(40)}


def test_duplicates_are_pairs_of_two_rows_each_once():
    """Every sentence is its own nearest, and both orders are one pair."""
    vectors = np.random.default_rng(0).normal(size=(30, 64))
    rows = to_bytes(np.concatenate([vectors, vectors[:2] + 0.01]))
    found = [(pair.first, pair.second) for pair in mine(rows, rows, 0)]
    assert set(found[:2]) == {(0, 30), (1, 31)}
    assert all(first < second for first, second in found)


@pytest.mark.parametrize(("first", "second"), [(0, 3), (3, 0), (1, 1), (0, 0)])
def test_few_passages(first, second):
    """A language of one sentence ends the run with an index out of bounds."""
    rows = to_bytes(np.eye(4))
    assert len(mine(rows[:first], rows[:second], 0)) == min(first, second)
    one = rows[:1]
    assert mine(one, one, 0) == []


def test_mined_pairs_are_a_corpus(make_index, tmp_path):
    """A header or column that data/ does not know rejects every row."""
    rows = [r for r in DOCUMENTS if r[1] == "en"]
    rows += [(f"{key}-de", "de", text, "") for key, _, text, _ in rows]
    index = make_index([Document("home", k, g, t, "{}") for k, g, t, _ in rows])
    output = tmp_path / "mined.tsv"
    assert run(index, output, "en", False, 1.0) == 3
    config = dataclasses.replace(
        smart_home.get_config().data, files=(str(output),), languages=("de",)
    )
    found = {(row.language, row.pivot_text, row.text) for row in pairs(config, Path())}
    assert found == {("de", text, text) for _, g, text, _ in rows if g == "en"}


def test_duplicates_are_listed_with_their_ids(make_index, tmp_path):
    """Without ids nobody can take the copies out."""
    copy = ("en-9", "en", DOCUMENTS[0][2], "")
    rows = [*DOCUMENTS, copy]
    index = make_index([Document("home", k, g, t, "{}") for k, g, t, _ in rows])
    run(index, tmp_path / "doubles.tsv", "en", True, 1.06)
    lines = (tmp_path / "doubles.tsv").read_text().splitlines()
    assert "en\ten-1\ten-9" in [line.rsplit("\t", 4)[0] for line in lines]


def test_a_pivot_that_is_not_there(make_index, tmp_path):
    """An empty file would be taken for "no translations"."""
    index = make_index([Document("home", "1", "de", "Die Tür", "{}")])
    with pytest.raises(BabeletError, match="nothing to pair with 'en'"):
        run(index, tmp_path / "mined.tsv", "en", False, 1.0)
    assert not (tmp_path / "mined.tsv").exists()


def test_the_exported_file_by_its_description(make_index, tmp_path, embedders):
    """A page that reads other bytes than were written shows texts of other vectors.

    Reads what export/web/index_file.py describes, with nothing of it.
    """
    import json
    import struct

    documents = [Document("home", k, g, t, "{}") for k, g, t, _ in DOCUMENTS[:9]]
    index = make_index(documents)
    assert export(index, tmp_path / "my.index", Filter(("en", "zh"))) == 5
    data = (tmp_path / "my.index").read_bytes()
    magic, version, size = struct.unpack("<8sII", data[:16])
    assert (magic, version) == (b"BABELETW", 1)
    header = json.loads(data[16 : 16 + size])
    count, dim = header["count"], header["dim"]
    position, parts = 16 + size, []
    for length in (2 * count, 4 * (count + 1), None, count * dim):
        position += -position % 8
        if length is None:
            length = int(np.frombuffer(parts[1], "<u4")[-1])
        parts.append(data[position : position + length])
        position += length
    offsets = np.frombuffer(parts[1], "<u4")
    texts = [parts[2][a:b].decode() for a, b in zip(offsets, offsets[1:], strict=False)]
    languages = [header["languages"][i] for i in np.frombuffer(parts[0], "<u2")]
    expected = [d for d in documents if d.language in ("en", "zh")]
    assert texts == [d.text for d in expected]
    assert languages == [d.language for d in expected]
    vectors = np.frombuffer(parts[3], np.int8).reshape(count, dim).astype(float)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    cosines = (vectors * embedders[1][0].encode(texts)).sum(axis=1)
    assert cosines.min() > 0.999
    assert header["model"] == "weights 1"
