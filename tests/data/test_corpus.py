import pytest

from babelet.configs.embedding import DataConfig
from babelet.core.checksums import seal
from babelet.core.errors import BabeletError
from babelet.data.build_corpus import build_corpus
from babelet.data.corpus import Corpus, format_counts
from babelet.data.sources import SOURCES
from babelet.data.sources.raw import RawPair
from babelet.data.splits import TRAIN

ROWS = [
    ("Turn on the lamp", "Mach die Lampe an"),
    ("Turn on the lamp", "Schalte die Lampe ein"),
    ("Switch on the lamp", "Schalte die Lampe ein"),
    ("Close the blinds", "Schließe die Rollläden"),
    ("Good night, house", "Gute Nacht, Haus"),
    ("Lock every door", "Schließe alle Türen ab"),
]


@pytest.fixture
def corpus(tmp_path, monkeypatch):
    rows = [RawPair("de.json", i, "de", *texts) for i, texts in enumerate(ROWS)]
    monkeypatch.setitem(SOURCES, "rows", lambda config, cache: (row for row in rows))
    config = DataConfig(
        source="rows",
        languages=("de",),
        validation_fraction=0.01,
        test_fraction=0.01,
    )
    build_corpus(config, tmp_path / "corpus", tmp_path)
    return Corpus(tmp_path / "corpus")


def test_retrieval_pairs_have_one_right_answer(corpus):
    """A translation that occurs twice counts as wrong half of the time."""
    assert len(corpus.pairs) == 6
    pairs = corpus.pairs_of(TRAIN, "de")
    assert len(pairs) >= 4
    assert (
        len(set(pairs[:, 0].tolist())) == len(set(pairs[:, 1].tolist())) == len(pairs)
    )


def test_a_smaller_limit_is_the_beginning_of_a_larger_one(corpus):
    """Scores on 200 and on 1,000 pairs are about different sentences."""
    pairs = corpus.pairs_of(TRAIN, "de").tolist()
    for limit in range(len(pairs)):
        assert corpus.pairs_of(TRAIN, "de", limit).tolist() == pairs[:limit]


def test_sentences_are_a_sequence(corpus):
    """Negative or numpy indices read the neighbouring sentence."""
    sentences = corpus.sentences
    assert sentences[0] == "Turn on the lamp"
    assert sentences[-1] == sentences[len(sentences) - 1] == "Schließe alle Türen ab"
    assert sentences.texts(corpus.pairs[3]) == list(ROWS[3])
    with pytest.raises(IndexError):
        sentences[len(sentences)]


def test_the_table_shows_reasons_and_counts(corpus):
    """The user sees no sign of what was rejected."""
    corpus.report.rejected["short"] = 1234
    assert format_counts(corpus.report).splitlines() == [
        "Rejected: short 1,234",
        "                 train  validation        test",
        "de                   6           0           0",
    ]


def test_a_language_the_corpus_lacks_is_named(corpus, tmp_path):
    """A missing language scores as if it had no errors."""
    with pytest.raises(BabeletError, match="one of de"):
        corpus.pairs_of(TRAIN, "en")
    with pytest.raises(BabeletError, match="no corpus"):
        Corpus(tmp_path)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("corpus.json", b"[]"),
        ("corpus.json", b'{"languages": ["en"], "fingerprint": "", "report": {}}'),
        ("corpus.json", b'{"languages": \xff}'),
        ("corpus.json", b"[" * 100_000),
        ("pairs.npy", b"no array"),
        ("sentence_offsets.npy", b""),
    ],
)
@pytest.mark.parametrize("sealed", [True, False])
def test_a_damaged_corpus_is_one_line(corpus, tmp_path, name, content, sealed):
    """What is built on it ended in a KeyError that names no file."""
    del corpus
    folder = tmp_path / "corpus"
    (folder / name).write_bytes(content)
    if sealed:  # As if it had been written so.
        seal(folder)
    with pytest.raises(BabeletError) as error:
        Corpus(folder)
    assert str(folder) in str(error.value) and "\n" not in str(error.value)
