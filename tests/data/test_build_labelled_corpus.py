import json

import numpy as np
import pytest

from babelet.configs.classification import DataConfig, FoldsConfig, LabelsConfig
from babelet.core.errors import BabeletError
from babelet.data import splits
from babelet.data.build_labelled_corpus import build_labelled_corpus
from babelet.data.labelled_corpus import (
    UNLABELLED,
    LabelledCorpus,
    class_warnings,
    format_labelled_counts,
)
from babelet.data.sources import LABELLED_SOURCES
from babelet.data.sources.raw import RawLabelled

NUMBERS = "one two three four five six seven eight nine ten".split()


def row(text, label, language="en", template=""):
    return RawLabelled("a.csv", 1, language, label, text, template)


def sentences(verb, label, language="en"):
    return [row(f"{verb} lamp {number}", label, language) for number in NUMBERS]


@pytest.fixture
def build(tmp_path, monkeypatch):
    """Builds a corpus of given rows."""

    def run(rows, folds=splits.NO_FOLDS, **labels):
        def source(config, labels, cache):
            yield from rows

        monkeypatch.setitem(LABELLED_SOURCES, "rows", source)
        config = DataConfig(
            source="rows",
            languages=("de",),
            validation_fraction=0.1,
            test_fraction=0.2,
        )
        folder = tmp_path / "corpus"
        build_labelled_corpus(config, LabelsConfig(**labels), folder, tmp_path, folds)
        return LabelledCorpus(folder)

    return run


def by_split(corpus, split):
    rows = np.flatnonzero(corpus.split == split)
    return corpus.sentences.texts(rows)


def reasons(corpus):
    return corpus.report.rejected


def test_each_class_of_each_language_is_tested(build):
    """A rare class that chance leaves out of the test would not be measured."""
    rows = sentences("start", "on") + sentences("stop", "off")
    rows += sentences("starte", "on", "de")
    corpus = build(rows)
    assert corpus.classes == ("off", "on")
    for split, count in ((splits.TEST, 2), (splits.VALIDATION, 1)):
        chosen = corpus.split == split
        cells = zip(
            corpus.sentence_language[chosen], corpus.labels[chosen], strict=True
        )
        assert sorted(cells) == sorted(count * [(0, 0), (0, 1), (1, 1)])


def test_sentences_of_a_template_stay_together(build):
    """The test would ask for sentences that training has seen but for one word."""
    rows = [
        row(f"{verb} the {thing}", "on", template=verb)
        for verb in NUMBERS
        for thing in ("lamp", "fan", "door")
    ]
    corpus = build(rows + sentences("stop", "off"))
    split_of = {}
    for i in range(len(corpus.labels)):
        text = corpus.sentences[i]
        if "the" in text:
            split_of.setdefault(text.split()[0], set()).add(int(corpus.split[i]))
    assert {len(found) for found in split_of.values()} == {1}
    assert {min(found) for found in split_of.values()} == {0, 1, 2}


def test_a_cell_of_two_templates_only_trains(build):
    """With one template in the test none would be left to learn the class from."""
    rows = sentences("start", "on") + [row("stop", "off"), row("halt", "off")]
    corpus = build(rows)
    assert set(corpus.split[corpus.labels == 0]) == {splits.TRAIN}
    assert corpus.report.training_only_cells == 1
    assert "1 have too few" in format_labelled_counts(corpus.report)


def test_no_folded_sentence_is_in_two_splits(build):
    """Digits and case hide a training sentence in the test, in any language."""
    rows = [
        row(f"Set {number} to {digit}!", "on", language, template)
        for language, template in (("en", "a"), ("en", "b"), ("de", "c"), ("de", "d"))
        for number in NUMBERS
        for digit in (7, 8)
    ]
    rows = [r._replace(template=r.template + r.text[4:7]) for r in rows]
    corpus = build(rows + sentences("stop", "off"))
    folded = [{splits.fold(t) for t in by_split(corpus, s)} for s in range(3)]
    assert not folded[0] & folded[1] | folded[0] & folded[2] | folded[1] & folded[2]
    assert reasons(corpus)["in_earlier_split"] > 0


def test_each_template_validates_in_one_fold_and_the_test_stays(build):
    """A template in two folds is trained on in the very fold it is to measure."""
    rows = [
        row(f"{verb} {shade} {number}", label, language, f"{label}{number}")
        for language, verb, label in (
            ("en", "dim", "dim"),
            ("en", "open", "open"),
            ("de", "öffne", "open"),
        )
        for number in NUMBERS
        for shade in ("blind", "curtain")
    ]
    usual = build(rows)
    tested = set(by_split(usual, splits.TEST))
    validated = []
    for number in range(3):
        corpus = build(rows, folds=FoldsConfig(3, number))
        assert set(by_split(corpus, splits.TEST)) == tested
        held_out = by_split(corpus, splits.VALIDATION)
        # Both sentences of a template together.
        assert all(text.replace("blind", "curtain") in held_out for text in held_out)
        classes = {corpus.classes[i] for i in corpus.labels[corpus.split == 1]}
        assert classes == {"dim", "open"}
        validated += held_out
    assert len(validated) == len(set(validated))
    assert set(validated) | tested == {r.text for r in rows}


def test_cells_of_few_templates_are_not_all_in_the_first_fold(build):
    """Folds that have no sentence of a class cannot be compared with the others."""
    rows = [
        row(f"{chr(97 + i) * 4} {number}", f"class{chr(97 + i)}")
        for i in range(20)
        for number in NUMBERS[:3]
    ]
    sizes = [
        len(by_split(build(rows, folds=FoldsConfig(5, number)), splits.VALIDATION))
        for number in range(5)
    ]
    assert sum(sizes) == 40 and min(sizes) >= 4


def test_text_with_two_labels_is_left_out(build):
    """Whatever a model answers there counts as wrong half the time."""
    corpus = build(
        sentences("start", "on")
        + sentences("stop", "off")
        + [row("Start lamp one", "off")]
    )
    assert reasons(corpus) == {"ambiguous": 2}
    assert "start lamp one" not in corpus.sentences


def test_unlabelled_text_only_trains(build):
    """A row without a label in the test has no right answer."""
    rows = sentences("start", "on") + sentences("stop", "off")
    corpus = build(rows + [row("was ist das", "", "de"), row("start lamp one", "")])
    assert corpus.report.unlabelled == 1
    unlabelled = corpus.labels == UNLABELLED
    assert set(corpus.split[unlabelled]) == {splits.TRAIN}
    assert reasons(corpus) == {"duplicate": 1}


def test_a_wanted_class_without_sentences_is_an_error(build):
    """A misspelt class would be an output that nothing ever trains."""
    rows = sentences("start", "on") + sentences("stop", "off")
    with pytest.raises(BabeletError, match="'onn' has no sentence.*none for 1 of 2"):
        build(rows, classes=("onn", "off"))


def test_rows_of_classes_that_are_not_wanted_are_counted(build):
    """They would vanish, and with them what a column of wrong labels tells."""
    rows = sentences("start", "on") + sentences("stop", "off") + [row("hm", "other")]
    assert reasons(build(rows, classes=("on", "off"))) == {"other_class": 1}


def test_a_single_class_is_an_error(build):
    """A classifier of one class is always right and tells nothing."""
    with pytest.raises(BabeletError, match="nothing to classify.*on"):
        build(sentences("start", "on"))


def test_a_class_of_one_example_is_warned_of(build):
    """It trains, is never tested, and its accuracy is anyone's guess."""
    rows = sentences("start", "on") + sentences("stop", "off") + [row("hm", "what")]
    (warning,) = class_warnings(build(rows).report)
    assert "1 of 3 classes" in warning and "what" in warning


def test_rejected_rows_are_written(build, tmp_path):
    """Nobody can mend what is only counted."""
    build(sentences("start", "on") + sentences("stop", "off") + [row("", "on")])
    lines = (tmp_path / "corpus" / "rejected.tsv").read_text().splitlines()
    assert lines[1].split("\t")[3:] == ["empty", "on", ""]


def test_the_same_rows_give_the_same_corpus(build, tmp_path):
    """A split that changes from run to run leaks between them."""
    rows = sentences("start", "on") + sentences("stop", "off")
    first = build(rows)
    again = build(rows[::-1])
    assert {*by_split(first, splits.TEST)} == {*by_split(again, splits.TEST)}
    assert build(rows).fingerprint == first.fingerprint
    assert json.loads((tmp_path / "corpus" / "corpus.json").read_text())["classes"]


@pytest.mark.parametrize("given", [(), (" ＡＢＣ", "ﬁx ", "其他（咨询）")])
def test_a_class_keeps_the_name_that_it_is_given(build, given):
    """Folded here and not in labels.txt, the two can never be the same."""
    names = ("ＡＢＣ", "ﬁx", "其他（咨询）")
    rows = [
        row(f"{name} lamp {number}", f" {name}\ufeff")
        for name in names
        for number in NUMBERS
    ]
    corpus = build(rows, classes=given)
    assert set(corpus.classes) == set(names)
    assert corpus.report.rejected == {}


def test_labels_that_no_line_can_hold_are_rejected(build):
    """A surrogate ends the run at labels.txt; a line break makes two names of one."""
    rows = sentences("start", "on") + sentences("stop", "off")
    unfit = ["a\nb", "\ud800", "a\tb", "a\u2028b", "a\x85b"]
    rows += [row(f"hm {NUMBERS[i]}", label) for i, label in enumerate(unfit)]
    corpus = build(rows)
    assert corpus.classes == ("off", "on")
    assert reasons(corpus) == {"label": len(unfit)}


def test_more_classes_than_two_bytes_number(build):
    """Class 32,768 is a negative number, or ends in a traceback."""
    rows = [row(f"word {i}", f"class{i}") for i in range(33_000)]
    corpus = build(rows)
    assert len(corpus.classes) == 33_000
    assert corpus.labels.min() == 0 and corpus.labels.max() == 32_999
    names = [corpus.classes[i] for i in corpus.labels]
    texts = list(corpus.sentences)
    assert all(
        n == t.replace("word ", "class") for n, t in zip(names, texts, strict=True)
    )
    assert (
        build(sentences("start", "on") + sentences("stop", "off")).labels.dtype == "i2"
    )


def test_what_was_rejected_is_said_where_nothing_is_left(build):
    """Rows of lists are all rejected, and the error speaks of labels."""
    rows = [row("['a']", "on")._replace(problem="not_text")] * 3
    with pytest.raises(BabeletError, match=r"nothing to classify.*not_text 3"):
        build(rows)
