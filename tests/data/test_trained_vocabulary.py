"""A SentencePiece vocabulary trained from scratch."""

import re

import pytest
from sentencepiece import sentencepiece_model_pb2

from babelet.core.errors import BabeletError
from babelet.data.tokenizer import Tokenizer
from babelet.data.trained_vocabulary import train
from tests.data.test_vocabulary import CORPUS


@pytest.fixture(scope="module")
def model():
    return train(CORPUS, 150)


def test_ids_and_kind_are_what_export_relies_on(model):
    """On the device byte fallback and BPE give other ids, silently."""
    proto = sentencepiece_model_pb2.ModelProto.FromString(model)
    spec = proto.trainer_spec
    assert len(proto.pieces) == 150
    assert [p.piece for p in proto.pieces[:4]] == ["<pad>", "<s>", "</s>", "<unk>"]
    assert spec.model_type == spec.UNIGRAM and not spec.byte_fallback
    assert Tokenizer(model, 16).unk_id == 3
    assert proto.normalizer_spec.name == "nmt_nfkc"


def test_every_language_of_the_corpus_is_covered(model):
    tokenizer = Tokenizer(model, 64)
    ids = tokenizer.pieces([text for _, text in CORPUS])
    unknown = sum(row.count(tokenizer.unk_id) for row in ids)
    assert unknown == 0
    assert min(map(len, ids)) >= 1


def test_the_same_corpus_gives_the_same_bytes(model):
    """A run repeated from its config.json would get other ids."""
    assert train(iter(CORPUS), 150) == model


def test_more_text_of_one_language_costs_the_others_nothing(model):
    """Languages with little text would be spelt out letter by letter."""
    english = [row for row in CORPUS if row[0] == "en"]
    flooded = train([*CORPUS, *english * 50], 150)
    finnish = [text for language, text in CORPUS if language == "fi"]
    before, after = (
        sum(map(len, Tokenizer(each, 64).pieces(finnish))) for each in (model, flooded)
    )
    assert after <= 1.05 * before


def test_a_corpus_too_small_is_one_clear_error():
    with pytest.raises(BabeletError, match=r"5000.*Remedy: set vocabulary\.size=\d+,"):
        train(CORPUS, 5000)
    with pytest.raises(BabeletError, match="Remedy"):
        train([], 100)


def test_characters_too_many_for_the_size_are_one_clear_error():
    """The advice is to add text, which makes it worse."""
    characters = [chr(0x4E00 + i) for i in range(200)]
    corpus = [("zh", a + b) for a, b in zip(characters, characters[1:], strict=False)]
    with pytest.raises(
        BabeletError, match=r"no room.*set vocabulary\.size=\d+ or"
    ) as e:
        train(corpus, 120)
    size = int(re.search(r"vocabulary\.size=(\d+) or more", str(e.value))[1])
    assert train(corpus, size)
    with pytest.raises(BabeletError, match=f"size={size} or more"):
        train(corpus, size - 1)
