import io
import math
import random
from collections import Counter
from itertools import combinations

import numpy as np
import pytest
import sentencepiece
from sentencepiece import sentencepiece_model_pb2

from babelet.configs.embedding import VocabularyConfig
from babelet.core.errors import BabeletError
from babelet.data.pruning import script
from babelet.data.tokenizer import Tokenizer
from babelet.data.vocabulary import coverage, trim, warnings

VERBS = {
    "en": ["turn on the", "switch off the", "open the", "close the", "lock the"],
    "de": ["schalte ein:", "schalte aus:", "öffne", "schließe", "verriegle"],
    "fi": ["kytke päälle", "sammuta", "avaa", "sulje", "lukitse"],
    "he": ["הדלק את", "כבה את", "פתח את", "סגור את", "נעל את"],
    "ja": ["点ける：", "消す：", "開ける：", "閉める：", "施錠する："],
    "ru": ["включи", "выключи", "открой", "закрой", "запри"],
}
THINGS = {
    "en": ["kitchen light", "bedroom window", "garage door", "heating", "alarm"],
    "de": ["Küchenlicht", "Schlafzimmerfenster", "Garagentor", "Heizung", "Alarm"],
    "fi": ["keittiön valo", "makuuhuoneen ikkuna", "autotallin ovi", "lämmitys"],
    "he": ["האור במטבח", "החלון בחדר השינה", "דלת המוסך", "החימום", "האזעקה"],
    "ja": ["台所の電気", "寝室の窓", "車庫の扉", "暖房", "警報"],
    "ru": ["свет на кухне", "окно в спальне", "дверь гаража", "отопление"],
}
CORPUS = [
    (language, f"{verb} {thing}")
    for language in VERBS
    for verb in VERBS[language]
    for thing in THINGS[language]
]
ODD_TEXTS = [
    "",
    " ",
    "  two   spaces ",
    "🙂👨‍👩‍👧",
    "a\x00b",
    "\ufffd",
    "ＦＵＬＬ ｗｉｄｔｈ ﬁ",
    "cafe\u0301",
    "\u202bהאור\u202c light",
    "<s> <pad> </s> <unk>",
    "▁ light",
    "light " * 2000,
]


def normaliser():
    """SentencePiece's own nmt_nfkc, from the least model that can be trained."""
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(["a"] * 9),
        model_writer=model,
        vocab_size=5,
        normalization_rule_name="nmt_nfkc",
        minloglevel=2,
    )
    return proto(model.getvalue()).normalizer_spec


def make_teacher(pieces=400, kind="UNIGRAM", pad_id=1, bytes_too=False):
    """A teacher of the parts of the corpus's words, frequent and long ones first.

    Its special ids are XLM-R's, not the student's.
    """
    parts = Counter()
    for _, text in CORPUS:
        for word in ("▁" + word for word in text.split()):
            ends = combinations(range(len(word) + 1), 2)
            parts.update(word[start:end] for start, end in ends)
    ranked = sorted(parts, key=lambda p: (len(p) > 1, -parts[p] * len(p), p))
    model = sentencepiece_model_pb2.ModelProto(normalizer_spec=normaliser())
    spec = model.trainer_spec
    for name in ["<s>", "<pad>", "</s>", "<unk>"]:
        model.pieces.add(piece=name, score=0, type=2 if name == "<unk>" else 3)
    for byte in range(256 if bytes_too else 0):
        model.pieces.add(piece=f"<0x{byte:02X}>", score=0, type=6)
    for part in ranked[: pieces - 4]:
        score = math.log(parts[part] / parts.total())
        model.pieces.add(piece=part, score=score)
    spec.model_type = getattr(spec, kind)
    spec.byte_fallback = bytes_too
    spec.bos_id, spec.pad_id, spec.eos_id, spec.unk_id = 0, pad_id, 2, 3
    spec.pad_piece = "<pad>"
    return model.SerializeToString()


@pytest.fixture(scope="module")
def teacher():
    return make_teacher()


def proto(model):
    return sentencepiece_model_pb2.ModelProto.FromString(model)


def names(model):
    return [piece.piece for piece in proto(model).pieces]


def test_each_piece_points_at_the_same_piece_of_the_teacher(teacher):
    """A shifted id initialises every embedding from some other word's row."""
    trimmed = trim(teacher, CORPUS, 200)
    before, after = names(teacher), names(trimmed.model)
    assert before[:4] == ["<s>", "<pad>", "</s>", "<unk>"]
    assert after[:4] == ["<pad>", "<s>", "</s>", "<unk>"]
    assert [before[i] for i in trimmed.teacher_ids] == after
    assert trimmed.teacher_ids.dtype == np.int32
    assert trimmed.teacher_ids.shape == (200,)
    scores = {piece.piece: piece.score for piece in proto(teacher).pieces}
    assert all(
        piece.score == scores[piece.piece] for piece in proto(trimmed.model).pieces
    )


def test_the_teachers_normaliser_comes_along(teacher):
    """Without it full-width and decomposed letters become unknown tokens."""
    trimmed = trim(teacher, CORPUS, 200)
    assert proto(trimmed.model).normalizer_spec == proto(teacher).normalizer_spec
    tokenizer = Tokenizer(trimmed.model, 32)
    assert tokenizer.encode(["ｌｉｇｈｔ"]) == tokenizer.encode(["light"])


def test_the_order_of_the_corpus_does_not_matter(teacher):
    """Two runs on the same text must not give two vocabularies."""
    shuffled = random.Random(1).sample(CORPUS, len(CORPUS))
    assert trim(teacher, iter(shuffled), 200).model == trim(teacher, CORPUS, 200).model


def test_every_character_of_the_corpus_has_a_piece(teacher):
    """A letter without a piece makes every new word that has it unknown."""
    pieces = set(names(trim(teacher, CORPUS, 250).model))
    letters = {letter for _, text in CORPUS for letter in text if letter.isalpha()}
    seen_once = {x for x in letters if sum(t.count(x) for _, t in CORPUS) < 2}
    assert letters - seen_once <= pieces


def test_a_small_language_keeps_its_words(teacher):
    """Plain counts give a language with fifty times the text all the places."""
    corpus = [row for row in CORPUS if row[0] == "de"] * 50
    corpus += [row for row in CORPUS if row[0] == "fi"]
    trimmed = Tokenizer(trim(teacher, corpus, 180).model, 32)
    texts = {x: [t for y, t in CORPUS if x == y] for x in ("de", "fi")}
    german, finnish = coverage(Tokenizer(teacher, 32), trimmed, texts)
    assert finnish["inflation"] < german["inflation"] + 0.1


def test_a_small_corpus_is_filled_up_with_what_it_could_write(teacher):
    """The size asked for decides the embedding's shape: it must be exact."""
    corpus = [("en", "turn on the kitchen light"), ("en", "close the garage door")]
    pieces = names(trim(teacher, corpus, 64).model)
    assert len(pieces) == len(set(pieces)) == 64
    scripts = {script(letter) for piece in pieces[4:] for letter in piece}
    assert scripts <= {"LATIN", ""}
    assert len(names(trim(teacher, corpus, 390).model)) == 390


def test_an_impossible_size_is_refused(teacher):
    """Fewer rows than asked would surface as a shape error hours later."""
    with pytest.raises(BabeletError, match="vocabulary.size=400"):
        trim(teacher, CORPUS, 401)


def test_a_teacher_of_another_kind_is_refused():
    """A BPE model trimmed as Unigram tokenizes, but wrongly."""
    with pytest.raises(BabeletError, match="UNIGRAM"):
        trim(make_teacher(kind="BPE"), CORPUS, 100)


def test_byte_pieces_are_left_behind():
    """On the device a model with byte fallback quietly emits unknown tokens."""
    trimmed = trim(make_teacher(bytes_too=True), CORPUS, 200)
    assert not any(name.startswith("<0x") for name in names(trimmed.model))
    assert not proto(trimmed.model).trainer_spec.byte_fallback


def test_a_teacher_without_padding_lends_its_unknown_row():
    """Its pad id is -1, which as an index reads the last embedding row."""
    trimmed = trim(make_teacher(pad_id=-1), CORPUS, 200)
    assert trimmed.teacher_ids[:4].tolist() == [3, 0, 2, 3]


def test_the_graph_tokenizer_gives_the_same_ids(teacher):
    """Training sees Python's ids, the exported model the graph's."""
    tf_text = pytest.importorskip("tensorflow_text")
    model = trim(teacher, CORPUS, 250).model
    texts = [text for _, text in CORPUS] + ODD_TEXTS
    graph = tf_text.FastSentencepieceTokenizer(model, add_bos=True, add_eos=True)
    expected = Tokenizer(model, max_length=100_000).encode(texts)
    assert graph.tokenize(texts).to_list() == expected


def test_coverage_counts_words_tokens_and_unknowns(teacher):
    """Start and end tokens in the count would hide the inflation of short texts."""
    full = Tokenizer(teacher, 32)
    trimmed = Tokenizer(trim(teacher, [("en", "light on")] * 2, 32).model, 32)
    rows = coverage(full, trimmed, {"en": ["light  on"], "ja": ["窓 窓"], "fi": []})
    english, japanese, finnish = rows
    assert english["words"] == 2
    assert english["inflation"] >= 1
    assert english["unknown_rate_before"] == 0
    assert japanese["words"] == 2
    assert japanese["unknown_rate_after"] > 0
    assert finnish["sentences"] == finnish["tokens_per_word_after"] == 0


def test_a_badly_served_language_is_named():
    """A language lost with the vocabulary shows only in the final scores."""
    good = {
        "language": "de",
        "unknown_rate_before": 0.0,
        "unknown_rate_after": 0.0,
        "inflation": 1.05,
        "agreement": 0.99,
    }
    unknown = {**good, "language": "ja", "unknown_rate_after": 0.2}
    distant = {**good, "language": "he", "agreement": 0.31}
    first, second = warnings([good, unknown, distant], VocabularyConfig())
    assert first.startswith("ja: 20.0% of the tokens are unknown")
    assert second.startswith("he: ")
    assert "0.310" in second
    del good["agreement"]
    assert warnings([good], VocabularyConfig()) == []


@pytest.mark.parametrize("corpus", [[], [("en", "")], [("en", "\ud800 \x00 🙂")]])
def test_a_corpus_without_words_still_gives_a_vocabulary(corpus, teacher):
    """A language whose rows were all rejected must not end the run."""
    assert len(names(trim(teacher, corpus, 100).model)) == 100
