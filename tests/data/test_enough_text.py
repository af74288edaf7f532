"""Too little text is told before the long steps, with what would help."""

import pytest

from babelet.configs.classification import LabelsConfig
from babelet.configs.embedding import DataConfig
from babelet.data.build_corpus import build_corpus
from babelet.data.enough_text import too_little, too_little_labelled
from babelet.data.labelled_corpus import LabelledReport

ROOMS = (
    "kitchen bedroom cellar garden attic garage bathroom hallway office porch".split()
)
PAIRS = [
    (f"Turn on the lamp in the {room}", f"Lampe an: {room[::-1]}") for room in ROOMS
]


def error(folder, rows, name="a.tsv", pairs_only=False, **settings):
    """Returns what is said of these rows, "" if nothing."""
    lines = ["\t".join(row) if isinstance(row, tuple) else row for row in rows]
    (folder / name).write_text("\n".join(lines) + "\n", "utf-8")
    given = {"languages": ("de",), "files": (str(folder / name),)} | settings
    config = DataConfig(source="parallel_files", **given)
    report = build_corpus(config, folder / "corpus", folder)
    return str(too_little(report, config, pairs_only) or "")


@pytest.mark.parametrize("count", range(1, 11))
def test_one_to_ten_pairs_are_too_few_by_themselves(tmp_path, count):
    """A run trains its teacher on them, and ends in an IndexError."""
    said = error(tmp_path, PAIRS[:count])
    assert f"Received: {count} pairs" in said and "give more text" in said


def test_what_the_error_advises_helps(tmp_path):
    """The fractions are raised, and the same error comes again."""
    assert "data.validation_fraction=0.1 and data.test_fraction=0.1" in error(
        tmp_path, PAIRS
    )
    share = {"validation_fraction": 0.1, "test_fraction": 0.1}
    assert error(tmp_path, PAIRS, **share) == ""
    alone = [text for text, _ in PAIRS]
    said = error(tmp_path, alone, "en.txt", languages=())
    assert "data.validation_fraction=0.3" in said
    share = {"validation_fraction": 0.3, "test_fraction": 0.3}
    assert error(tmp_path, alone, "en.txt", languages=(), **share) == ""


def test_many_rows_of_one_sentence_are_one(tmp_path):
    """400 rows that differ in a number: none is held out, without a word."""
    rows = [(f"Set the heating to {i}", f"Heizung auf {i}") for i in range(400)]
    said = error(tmp_path, rows)
    assert "none is left for validation and test" in said
    assert "400 pairs" in said and "1 different" in said
    assert said.endswith("Remedy: give more text.")
    said = error(tmp_path, [PAIRS[0]] * 50)
    assert "1 pairs" in said and "duplicate 49" in said


def test_sentences_alone_do_not_count_for_a_translator(tmp_path):
    """Its validation is of pairs, and there are none."""
    alone = [f"Water the {a} in the {b} now" for a in ROOMS for b in ROOMS]
    (tmp_path / "en.txt").write_text("\n".join(alone) + "\n")
    files = (str(tmp_path / "a.tsv"), str(tmp_path / "en.txt"))
    assert error(tmp_path, PAIRS[:1], files=files) == ""
    said = error(tmp_path, PAIRS[:1], files=files, pairs_only=True)
    assert "Expected: a pair in each split" in said


def labelled(held_out, setting="supervised"):
    """Returns what is said of sentences held out by language."""
    counts = {
        language: {"train": 5, "validation": count, "test": count}
        for language, count in held_out.items()
    }
    report = LabelledReport({"empty": 2}, counts, {"on": 5, "off": 5}, 2, 2, 0)
    return str(too_little_labelled(report, LabelsConfig(setting=setting)) or "")


def test_labelled_text_that_is_not_held_out_is_too_little():
    """A table of scores without a row ends the run after its vocabulary is made."""
    assert labelled({"en": 1, "de": 0}) == ""
    said = labelled({"en": 0, "de": 0})
    assert "none for validation and test" in said and "10 labelled sentences" in said
    assert "empty 2" in said and "supervised" not in said
    # The labels of other languages are not to be seen.
    assert labelled({"en": 0, "de": 1}) == ""
    assert "labels.setting=supervised" in labelled({"en": 0, "de": 1}, "zero_shot")
