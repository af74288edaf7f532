import numpy as np
from sentencepiece import sentencepiece_model_pb2

from babelet.data.pruning import CorpusCounts, choose, script
from babelet.data.tokenizer import load

LETTERS = list("▁lightsn")
WORDS = ["▁light", "▁lights", "▁lighting", "▁sing", "▁thing"]
SENTENCES = ["lights lighting sing thing"] * 3 + ["light"] * 2


def processor(pieces):
    """A tokenizer of normalised words: <unk> is 0, single letters are improbable."""
    model = sentencepiece_model_pb2.ModelProto()
    model.pieces.add(piece="<unk>", score=0, type=2)
    for piece in pieces:
        model.pieces.add(piece=piece, score=-5.0 - (len(piece) == 1))
    spec = model.trainer_spec
    spec.model_type = spec.UNIGRAM
    spec.unk_id, spec.bos_id, spec.eos_id, spec.pad_id = 0, -1, -1, -1
    model.normalizer_spec.add_dummy_prefix = False
    model.normalizer_spec.remove_extra_whitespaces = False
    return load(model.SerializeToString())


def corpus(sentences):
    """Counts of sentences whose words are already marked, as `normalize` would."""
    marked = [
        (x, "".join(f"▁{word}" for word in text.split())) for x, text in sentences
    ]
    return CorpusCounts(processor(LETTERS + WORDS), marked)


def kept(sentences, places):
    pieces = LETTERS + WORDS
    scores = np.array([-5.0 - (len(piece) == 1) for piece in pieces])
    chosen = choose(
        pieces,
        scores,
        corpus(sentences),
        places,
        build=lambda ids: processor([pieces[i] for i in ids]),
    )
    assert chosen.tolist() == sorted(set(chosen.tolist()))
    return [pieces[i] for i in chosen]


def test_the_stem_outlives_its_more_frequent_forms():
    """By usage alone "light" goes first, and "lights" then falls into letters."""
    pieces = kept([("en", text) for text in SENTENCES], len(LETTERS) + 3)
    assert set(pieces) == {*LETTERS, "▁light", "▁sing", "▁thing"}


def test_each_language_weighs_the_same():
    """A language with a hundred times the text must not take every place."""
    rows = [("en", "light lights")] * 100 + [("tlh", "sing thing")]
    pieces = kept(rows, len(LETTERS) + 3)
    assert set(pieces) - set(LETTERS) == {"▁light", "▁sing", "▁thing"}


def test_long_corpora_are_sampled_alike_each_time():
    """A different sample per run gives a different vocabulary under the same seed."""
    rows = [("en", f"light {'s' * (i % 7)}") for i in range(25_000)]
    first, second = corpus(rows), corpus(rows)
    assert first.words == second.words
    assert first.words["en"]["▁light"] == 20_000
    assert first.characters["en"]["g"] == 25_000


def test_a_script_of_stray_letters_is_not_the_corpus_s():
    """One Greek letter must not bring in the letters of the whole Greek alphabet."""
    rows = [("en", "light " * 20 + "λ")]
    assert corpus(rows).scripts() == {"LATIN"}
    assert [script(x) for x in "aя光ー1▁"] == [
        "LATIN",
        "CYRILLIC",
        "CJK",
        "KATAKANA-HIRAGANA",
        "",
        "",
    ]
