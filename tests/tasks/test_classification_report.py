"""What a classifier's report says of its classes, languages and refusals."""

import pytest

from babelet.core.errors import BabeletError
from tests import finished_folder

SPLITS = {"train": 90, "validation": 3, "test": 10}
EVIL = "<b>on"


def model(en, de):
    shares = {"en": en, "de": de}
    mean = sum(shares.values()) / 2
    return {
        "languages": {
            code: {"accuracy": share, "macro_f1": share - 0.01, "count": 10}
            for code, share in shares.items()
        },
        "mean": {"accuracy": mean, "macro_f1": mean - 0.01},
        "confusion": [[8, 2], [1, 9]],
        "f1": {EVIL: 0.84, "off": None},
        "calibration_error": 0.05,
        "refused": 0.1,
        "accepted_accuracy": 0.95,
    }


@pytest.fixture
def run(tmp_path):
    files = {
        "config.json": finished_folder.config("intents"),
        "metrics.json": {"teacher": model(0.9, 0.7), "student": model(0.8, 0.85)},
        "samples.json": {
            "examples": {"columns": ["text", "class"], "rows": [["An!", EVIL]]},
            "warnings": ["1 of 2 classes has one sentence"],
        },
        "calibration.json": {"temperature": 0.5, "threshold": 0.42},
        "export/parity.json": {"artefacts": {"s.tflite": {"same_answer": 0.995}}},
        "transfer/tables.json": [
            {"title": "Zero-shot", "note": "", "columns": ["a"], "rows": [[EVIL]]}
        ],
    }
    errors = {"raw": 0.12, "calibrated": 0.04}
    facts = {
        "corpus": {"counts": {"en": SPLITS, "de": SPLITS}, "rejected": {}},
        "teacher": {"calibration_error": errors},
        "training": {"parameters": 3, "curve": []},
    }
    return finished_folder.write(tmp_path, files, facts)


def test_scores_classes_and_warnings_are_shown(run):
    """The gain of one language in the row of another."""
    page, card = finished_folder.pages(run)
    assert "| German (de) | 10 | 70.0 | 85.0 | 69.0 | 84.0 | +15.0 |" in card
    assert card.index("German (de)") < card.index("English (en)")
    assert "score below 0.42; of the rest 95.0 % are right" in page
    assert "12.0 % before its temperature was fitted, 4.0 % after" in page
    for text in (page, card):
        assert "1 of 2 classes has one sentence" in text and "Zero-shot" in text
    assert "| text | voice commands of Home Assistant" in card
    assert 'class="confusion"' in page and "99.5" in page


def test_names_of_classes_are_escaped(run):
    """A class that a user named becomes markup."""
    page, card = finished_folder.pages(run)
    assert "<b>on" not in page and "<b>on" not in card
    assert page.count("&lt;b&gt;on") > 4


def test_a_run_without_calibration_is_one_line(run):
    """A KeyError at the end of a run names no file."""
    (run / "calibration.json").unlink()
    with pytest.raises(BabeletError, match="Cannot make the report"):
        finished_folder.pages(run)
