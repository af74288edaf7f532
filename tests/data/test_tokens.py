import json

import numpy as np
import pytest
from sentencepiece import sentencepiece_model_pb2

from babelet.core.checksums import seal
from babelet.core.errors import BabeletError
from babelet.data.tokenizer import Tokenizer
from babelet.data.tokens import TokenStore

TEXTS = ["abc", "", "cab", "abcabcabcabc", "b"]


def letters(extra=0, max_length=10):
    """A tokenizer whose pieces are a, b, c and `extra` unused ones."""
    proto = sentencepiece_model_pb2.ModelProto()
    unused = [f"unused{i}" for i in range(extra)]
    for piece in ["<pad>", "<s>", "</s>", "<unk>", *unused, "a", "b", "c"]:
        kind = 2 if piece == "<unk>" else 3 if piece.startswith("<") else 1
        proto.pieces.add(piece=piece, score=-1.0 if kind == 1 else 0.0, type=kind)
    spec = proto.trainer_spec
    spec.model_type = spec.UNIGRAM
    spec.pad_id, spec.bos_id, spec.eos_id, spec.unk_id = range(4)
    spec.pad_piece = "<pad>"
    proto.normalizer_spec.add_dummy_prefix = False
    return Tokenizer(proto.SerializeToString(), max_length)


def test_rows_read_back_as_they_were_tokenized(tmp_path):
    """An offset wrong by one trains on the tail of the previous sentence."""
    tokenizer = letters()
    store = TokenStore.build(tokenizer, iter(TEXTS), tmp_path / "tokens", "v1")
    batch = store.padded(np.array([3, 0, 1, 0]))
    expected = tokenizer.pad(tokenizer.encode([TEXTS[i] for i in (3, 0, 1, 0)]))
    np.testing.assert_array_equal(batch["token_ids"], expected["token_ids"])
    np.testing.assert_array_equal(batch["padding_mask"], expected["padding_mask"])
    assert batch["token_ids"].shape == (4, 10)
    assert store.lengths.tolist() == [5, 2, 5, 10, 3]
    assert len(store) == 5


def test_many_chunks_join_without_a_seam(tmp_path):
    """Offsets that restart with each chunk would repeat the first sentences."""
    texts = ["abc"[: i % 4] for i in range(9000)]
    store = TokenStore.build(letters(), iter(texts), tmp_path / "tokens", "v1")
    last = store.padded([8999], multiple=1)["token_ids"]
    assert last.tolist() == [[1, 4, 5, 6, 2]]
    assert store.lengths.tolist() == [len(text) + 2 for text in texts]


@pytest.mark.parametrize("size", [65_536, 65_537])
def test_the_highest_id_survives(size, tmp_path):
    """65,536 in 16 bits reads back as padding."""
    tokenizer = letters(extra=size - 7)
    store = TokenStore.build(tokenizer, ["c"], tmp_path / "tokens", "v1")
    assert store.padded([0], multiple=1)["token_ids"].tolist() == [[1, size - 1, 2]]


def test_the_fingerprint_tells_when_to_build_again(tmp_path):
    """Tokens of an old vocabulary would train quietly on wrong ids."""
    TokenStore.build(letters(), TEXTS, tmp_path / "tokens", "old")
    TokenStore.build(letters(), TEXTS[:2], tmp_path / "tokens", "new")
    store = TokenStore(tmp_path / "tokens")
    assert store.fingerprint == "new"
    assert len(store) == 2


def test_an_empty_store_opens(tmp_path):
    """An empty file cannot be memory-mapped."""
    store = TokenStore.build(letters(), [], tmp_path / "tokens", "v1")
    assert len(store) == 0
    assert store.padded([])["token_ids"].shape == (0, 8)


def test_a_failed_build_leaves_the_store_before_it(tmp_path):
    """A half-written store that opens is a corpus with its end missing."""
    TokenStore.build(letters(), TEXTS, tmp_path / "tokens", "old")

    def broken():
        yield "abc"
        raise RuntimeError("the corpus ends here")

    with pytest.raises(RuntimeError, match="ends here"):
        TokenStore.build(letters(), broken(), tmp_path / "tokens", "new")
    assert TokenStore(tmp_path / "tokens").fingerprint == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["tokens"]


def test_a_damaged_store_is_refused(tmp_path):
    """A truncated file would be read as other sentences."""
    folder = tmp_path / "tokens"
    TokenStore.build(letters(), TEXTS, folder, "v1")
    (folder / "tokens.bin").write_bytes(b"\x01\x00")
    with pytest.raises(BabeletError, match=r"tokens\.bin is damaged.*delete"):
        TokenStore(folder)
    # As a program that seals what it wrote wrongly leaves it.
    seal(folder)
    with pytest.raises(BabeletError, match=r"tokens\.bin is not .* bytes long"):
        TokenStore(folder)
    (folder / "store.json").write_text(json.dumps({"sentences": 5}))
    seal(folder)
    with pytest.raises(BabeletError, match="delete that folder"):
        TokenStore(folder)
