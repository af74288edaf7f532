import numpy as np
import pytest
from sentencepiece import sentencepiece_model_pb2

from babelet.core.errors import BabeletError
from babelet.data.tokenizer import Tokenizer

PIECES = ["<pad>", "<s>", "</s>", "<unk>", "▁", "▁turn", "▁on", "▁the", "▁light", "s"]


def model(pieces=PIECES):
    """A Unigram proto of whole words, readable by eye."""
    proto = sentencepiece_model_pb2.ModelProto()
    for piece in pieces:
        kind = 2 if piece == "<unk>" else 3 if piece.startswith("<") else 1
        score = -float(len(proto.pieces)) if kind == 1 else 0.0
        proto.pieces.add(piece=piece, score=score, type=kind)
    spec = proto.trainer_spec
    spec.model_type = spec.UNIGRAM
    spec.pad_id, spec.bos_id, spec.eos_id, spec.unk_id = range(4)
    spec.pad_piece = "<pad>"
    return proto.SerializeToString()


def test_a_sentence_becomes_start_pieces_end():
    """Without start and end the student sees inputs the teacher never saw."""
    tokenizer = Tokenizer(model(), max_length=16)
    assert tokenizer.encode(["turn on the lights"]) == [[1, 5, 6, 7, 8, 9, 2]]
    assert tokenizer.encode([""]) == [[1, 2]]
    assert tokenizer.vocabulary_size == len(PIECES)


def test_truncation_keeps_the_end_token():
    """A long sentence that loses its end token is embedded as another kind of text."""
    tokenizer = Tokenizer(model(), max_length=4)
    assert tokenizer.encode(["turn on the lights"]) == [[1, 5, 6, 2]]


def test_padding_is_a_rectangle_with_its_mask():
    """A padding id under a True mask would be averaged into the sentence vector."""
    batch = Tokenizer(model(), max_length=16).pad([[1, 5, 2], [1, 2]], multiple=4)
    np.testing.assert_array_equal(batch["token_ids"], [[1, 5, 2, 0], [1, 2, 0, 0]])
    np.testing.assert_array_equal(batch["padding_mask"], [[1, 1, 1, 0], [1, 1, 0, 0]])
    assert batch["token_ids"].dtype == np.int32
    assert batch["padding_mask"].dtype == bool


def test_width_never_exceeds_the_positions():
    """Rounding 9 tokens up to 16 overruns a student of 10 positions."""
    tokenizer = Tokenizer(model(), max_length=10)
    rows = tokenizer.encode(["turn on the lights turn on the lights"])
    assert tokenizer.pad(rows)["token_ids"].shape == (1, 10)


def test_an_empty_batch_has_a_width():
    """The last batch of a split may hold no row."""
    assert Tokenizer(model(), 16).pad([])["token_ids"].shape == (0, 8)


@pytest.mark.parametrize(
    "text",
    ["\udc80 the", "the \x00 light", "🙂👨‍👩‍👧 the", "הדלק את האור", "the " * 250_000],
    ids=["lone surrogate", "NUL", "emoji", "right to left", "1 MB"],
)
def test_any_string_is_tokenized(text):
    """One odd string in a corpus of millions must not end a run of hours."""
    (ids,) = Tokenizer(model(), max_length=16).encode([text])
    assert ids[0] == 1
    assert ids[-1] == 2
    assert 2 < len(ids) <= 16


def test_a_lone_surrogate_is_the_replacement_character():
    """Python and the exported graph would see different bytes for it."""
    tokenizer = Tokenizer(model([*PIECES, "\ufffd"]), max_length=16)
    assert tokenizer.encode(["turn\ud800 on"]) == tokenizer.encode(["turn\ufffd on"])


@pytest.mark.parametrize("content", [b"", b"not a model"], ids=["empty", "foreign"])
def test_a_damaged_model_is_refused(content, tmp_path):
    """SentencePiece loads an empty file and then returns no ids at all."""
    path = tmp_path / "tokenizer.model"
    path.write_bytes(content)
    with pytest.raises(BabeletError, match="Remedy"):
        Tokenizer(path, 16)
    with pytest.raises(BabeletError, match="Remedy"):
        Tokenizer(tmp_path / "absent.model", 16)


def test_a_model_without_a_padding_piece_is_refused():
    """Its pad id is -1, which as an index reads the last embedding row."""
    with pytest.raises(BabeletError, match="special piece"):
        Tokenizer(model(["<x>", "<s>", "</s>", "<unk>", "▁the"]), 16)
