import tracemalloc

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from babelet.configs.embedding import DataConfig
from babelet.core.errors import BabeletError
from babelet.data import neighbours
from babelet.data.build_corpus import build_corpus
from babelet.data.corpus import Corpus
from babelet.data.sources import SOURCES
from babelet.data.sources.raw import RawPair
from babelet.data.splits import SPLITS, TEST, TRAIN, fold

ROOMS = "kitchen bedroom cellar garden attic garage bathroom hallway office porch"
DE = "Küche Schlafzimmer Keller Garten Dachboden Garage Bad Flur Büro Veranda"
ACTS = {"Turn on the lamp": "Lampe an", "Close the blinds": "Rollladen zu"}


def house():
    """Yields 20 commands in German and Chinese, and five rows to reject."""
    line = 0
    for room, raum in zip(ROOMS.split(), DE.split(), strict=True):
        for act, akt in ACTS.items():
            line += 1
            yield RawPair(
                "de.json", line, "de", f"{act} in the {room}", f"{akt} {raum}"
            )
            yield RawPair(
                "zh.json", line, "zh", f"{act} in the {room}", f"{akt}在{room}"
            )
    yield RawPair("de.json", 21, "de", "Lamp", "Lampe")
    yield RawPair(
        "de.json", 22, "de", "Turn on the lamp in the attic", "Lampe an Dachboden"
    )
    yield RawPair("de.json", 23, "de", "Turn on\tthe {lamp}", "Lampe {lamp}\nan")
    yield RawPair("de.json", 24, "de", "Home Assistant", "Home Assistant")
    yield RawPair("de.json", 25, "de", "", "Lampe", "no_pivot")


def build(folder, rows, **settings):
    """Builds and opens a corpus of these rows, a fifth each held out."""
    config = DataConfig(source="rows", languages=("de", "zh"), **settings)
    SOURCES["rows"] = lambda config, cache: (row for row in rows)
    try:
        report = build_corpus(config, folder / "corpus", folder / "cache")
    finally:
        del SOURCES["rows"]
    return Corpus(folder / "corpus"), report


def build_house(folder, rows=None):
    fractions = {"validation_fraction": 0.2, "test_fraction": 0.3}
    return build(folder, list(rows or house()), **fractions)


def test_what_goes_in_comes_out(tmp_path):
    """Ids are shifted, and every pair joins sentences that do not correspond."""
    corpus, _ = build_house(tmp_path)
    got = {
        (corpus.languages[language], *corpus.sentences.texts(pair))
        for pair, language in zip(corpus.pairs, corpus.pair_language, strict=True)
    }
    good = [row for row in house()][:40]
    assert got == {(row.language, row.pivot_text, row.text) for row in good}
    assert corpus.languages == ("en", "de", "zh")
    assert corpus.sentence_language.tolist() == [0] * 20 + [1, 2] * 20
    assert len(corpus.sentences) == len(set(corpus.sentences)) == 60


def test_rejected_rows_are_listed_with_their_reason(tmp_path):
    """Rows vanish, and nobody can tell a filter that is too strict."""
    corpus, report = build_house(tmp_path)
    lines = (tmp_path / "corpus" / "rejected.tsv").read_text("utf-8").splitlines()
    assert lines == [
        "file\tline\tlanguage\treason\tpivot_text\ttext",
        "de.json\t21\tde\tshort\tLamp\tLampe",
        "de.json\t22\tde\tduplicate\tTurn on the lamp in the attic\tLampe an Dachboden",
        "de.json\t23\tde\tplaceholder\tTurn on the {lamp}\tLampe {lamp} an",
        "de.json\t24\tde\tequal\tHome Assistant\tHome Assistant",
        "de.json\t25\tde\tno_pivot\t\tLampe",
    ]
    reasons = ("short", "duplicate", "placeholder", "equal", "no_pivot")
    assert report.rejected == dict.fromkeys(reasons, 1)
    assert corpus.report == report


def test_counts_are_those_of_the_arrays(tmp_path):
    """The printed table tells other numbers than training sees."""
    corpus, report = build_house(tmp_path)
    for language_id, language in enumerate(corpus.languages[1:], start=1):
        of_language = corpus.pair_split[corpus.pair_language == language_id]
        expected = dict(zip(SPLITS, np.bincount(of_language).tolist(), strict=True))
        assert corpus.counts()[language] == expected
    assert report.counts["de"] == {"train": 10, "validation": 4, "test": 6}
    assert (report.pivots, report.groups, report.largest_group) == (20, 20, 1)


def test_near_neighbours_of_training_are_flagged(tmp_path):
    """The part of the test set called "without near neighbours" has them."""
    corpus, report = build_house(tmp_path)
    # All commands of one act differ in a single word of seven or eight.
    held_out = corpus.pair_split[:] != TRAIN
    np.testing.assert_array_equal(corpus.pair_near, held_out)
    assert report.near_share == 1.0
    far = [RawPair("a", 1, "de", w * 9, w * 8 + "x") for w in "abcdefghij"]
    corpus, report = build_house(tmp_path, far)
    assert report.near_share == 0.0 and not corpus.pair_near.any()


def test_the_same_rows_give_the_same_corpus(tmp_path):
    """A resumed run finds other test sentences than it trained without."""
    first, _ = build_house(tmp_path / "a")
    second, _ = build_house(tmp_path / "b")
    fewer, _ = build_house(tmp_path / "c", list(house())[:-10])
    assert first.fingerprint == second.fingerprint != fewer.fingerprint


def test_a_failed_build_leaves_nothing(tmp_path):
    """A half-written corpus is taken for a finished one by the next command."""

    def breaks_off():
        yield from house()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build(tmp_path, breaks_off())
    assert not list(tmp_path.iterdir())


def test_a_corpus_without_good_rows_is_an_error(tmp_path):
    """Training starts on nothing and fails far from the cause."""
    with pytest.raises(BabeletError, match="'short': 1"):
        build(tmp_path, [RawPair("de.json", 1, "de", "Lamp", "Lampe")])


def test_an_unknown_source_names_those_there_are(tmp_path):
    """A mistyped source ends in a KeyError."""
    config = DataConfig(source="home_asistant", languages=("de",))
    with pytest.raises(BabeletError, match="home_assistant"):
        build_corpus(config, tmp_path / "corpus", tmp_path)


WORDS = st.lists(st.sampled_from(["Lamp", "lamp!", "on", "in", "1", "Bad"]), min_size=1)
PAIRS = st.tuples(st.sampled_from(["de", "zh"]), WORDS, WORDS)


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(PAIRS, min_size=1, max_size=40))
def test_no_sentence_is_in_two_splits_in_any_disguise(tmp_path, drawn):
    """The student is tested on what it learned, and its score is too high."""
    rows = [RawPair("a", 1, la, " ".join(p), " ".join(t)) for la, p, t in drawn]
    rows.append(RawPair("a", 1, "de", "Good night", "Gute Nacht"))
    limits = {"min_characters": 1, "max_length_ratio": 1000.0}
    fractions = {"validation_fraction": 0.3, "test_fraction": 0.3}
    corpus, _ = build(tmp_path, rows, **limits, **fractions)
    split_of = {}
    for (pivot, translation), language, split in zip(
        corpus.pairs, corpus.pair_language, corpus.pair_split, strict=True
    ):
        pivot_key = ("pivot", fold(corpus.sentences[pivot]))
        key = (int(language), fold(corpus.sentences[translation]))
        assert split_of.setdefault(pivot_key, split) == split
        assert split_of.setdefault(key, split) == split


def test_memory_does_not_grow_with_the_corpus(tmp_path, monkeypatch):
    """A corpus ten times as large is held in memory and the run is killed."""
    # Blocks small enough for the smaller corpus to have several.
    monkeypatch.setattr("babelet.data.build_corpus.CHUNK", 128)
    monkeypatch.setattr(neighbours, "TRAINING_BLOCK", 32)

    def rows(count):
        for i in range(count):
            name = "".join(chr(97 + int(digit)) for digit in f"{i:05}")
            for copy in "stuvwxyz":
                yield RawPair("a", i, "de", f"{name}lamp on", f"Lampe {name} {copy}")

    peaks = []
    for count in (100, 100, 1000):
        tracemalloc.start()
        build(tmp_path, rows(count), validation_fraction=0.01, test_fraction=0.01)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    # 7,200 pairs more, at less than 20 bytes each; any object is more than that.
    assert peaks[2] - peaks[1] < 7_200 * 20


def test_chunk_borders_lose_nothing(tmp_path, monkeypatch):
    """Rows beyond the first chunk of a large corpus are lost or shifted."""
    whole, _ = build_house(tmp_path / "a")
    monkeypatch.setattr("babelet.data.build_corpus.CHUNK", 7)
    assert build_house(tmp_path / "b")[0].fingerprint == whole.fingerprint


def test_test_pairs_are_among_the_pairs_of_the_test_split(tmp_path):
    """The retrieval test draws from training."""
    corpus, _ = build_house(tmp_path)
    wanted = corpus.pairs[(corpus.pair_split == TEST) & (corpus.pair_language == 1)]
    got = corpus.pairs_of(TEST, "de")
    assert sorted(map(tuple, got.tolist())) == sorted(map(tuple, wanted.tolist()))


def sentence(language, text):
    return RawPair(f"{language}.txt", 1, language, text, text, monolingual=True)


def test_sentences_alone_are_pairs_with_themselves(tmp_path):
    """Taken for translations, they are tested on finding their own copies."""
    alone = [sentence("en", "Water the plants"), sentence("de", "Gieße die Blumen")]
    alone += [
        sentence("de", "Gieße die Blumen"),
        sentence("zh", "请给花浇水和施肥谢谢你"),
    ]
    corpus, report = build_house(tmp_path, [*house(), *alone])
    assert report.rejected["duplicate"] == 2
    rows = np.flatnonzero(corpus.pairs[:, 0] == corpus.pairs[:, 1])
    got = {
        (
            corpus.languages[corpus.pair_language[i]],
            corpus.sentences[corpus.pairs[i, 0]],
        )
        for i in rows
    }
    assert got == {(row.language, row.text) for row in alone}
    for i in rows:
        sentence_id = corpus.pairs[i, 0]
        assert corpus.sentence_language[sentence_id] == corpus.pair_language[i]
    assert sum(report.counts["de"].values()) == 20
    assert {x: sum(row.values()) for x, row in report.monolingual.items()} == {
        "en": 1,
        "de": 1,
        "zh": 1,
    }
    held = [t for s in range(3) for t in corpus.sentences_of(s, "de")]
    assert held == ["Gieße die Blumen"]
    for split in range(3):
        pairs = corpus.pairs_of(split, "de")
        assert (pairs[:, 0] != pairs[:, 1]).all()


def test_a_held_out_translation_is_not_learned_as_a_sentence_alone(tmp_path):
    """The German side given as plain text too would bring the test set to training."""
    rows = [row for row in house() if not row.problem][:40]
    alone = [sentence("de", f"{row.text}!") for row in rows if row.language == "de"]
    alone += [sentence("en", row.pivot_text.upper()) for row in rows]
    corpus, _ = build_house(tmp_path, [*rows, *alone])
    split_of = {}
    for (pivot, text), split in zip(corpus.pairs, corpus.pair_split, strict=True):
        for i in (pivot, text):
            key = (int(corpus.sentence_language[i]), fold(corpus.sentences[i]))
            assert split_of.setdefault(key, split) == split, key
    assert set(split_of.values()) == {0, 1, 2}


def test_entries_of_files_are_kept_where_they_have_weights(tmp_path):
    """Weights that reach the wrong rows change the student and show nowhere."""
    rows = [row._replace(entry=row.language == "zh") for row in house()]
    files = {"files": ("a.tsv", "b.tsv")}
    plain, _ = build(tmp_path / "plain", rows, **files)
    weighted, _ = build(tmp_path / "weighted", rows, **files, weights=(1.0, 2.0))
    assert plain.pair_entry is None
    np.testing.assert_array_equal(weighted.pair_entry, weighted.pair_language[:] == 2)
    np.testing.assert_array_equal(weighted.pairs, plain.pairs)
    assert weighted.fingerprint != plain.fingerprint
