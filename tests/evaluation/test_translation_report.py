"""What a translator's report says of the text it was trained on."""

import json
from pathlib import Path

import pytest

from babelet.configs import overrides, parsing
from babelet.evaluation.translation import score
from babelet.evaluation.translation_report import (
    TranslationReport,
    write_model_card,
    write_report,
)

ROOT = Path(__file__).resolve().parents[2]


def report(*settings, facts=()):
    """A report of one text, of the small recipe with `settings`."""
    recipe = str(ROOT / "configs" / "tiny_translation.py")
    config = overrides.load(recipe, settings)
    texts = ["Turn it off."]
    return TranslationReport(
        config=json.loads(parsing.to_json(config)),
        manifest={"steps": {"sources": {"seconds": 1.0, "facts": dict(facts)}}},
        counts={"de": {"train": 9, "validation": 1, "test": 1}},
        rejected={},
        metrics={"student, greedy": score(texts, texts, texts, "de")},
        translations={name: texts for name in ("source", "reference", "student")},
        curves=[],
        parity={"student_fp32.tflite": {"same": 1.0, "bytes": 9}},
        parameters={"student": 3},
        command="babelet distill",
    )


@pytest.mark.parametrize("write", [write_report, write_model_card])
@pytest.mark.parametrize("found", [37, 0, None])
def test_renamed_pairs_are_told_as_many_as_there_were(write, found, tmp_path):
    """The number asked for may be many times what the text could give."""
    facts = {} if found is None else {"renamed": found, "recombined": 5}
    write(tmp_path / "page", report(facts=facts))
    page = (tmp_path / "page").read_text("utf-8")
    assert ("pairs once more with other names" in page) == bool(found)
    assert ("37 pairs once more" in page) == (found == 37)


@pytest.mark.parametrize("margin", [0, 8])
def test_a_margin_in_the_place_of_cross_entropy_is_told(margin, tmp_path):
    """Its probabilities are no beliefs, which a reader would take them for."""
    write_report(tmp_path / "page", report(f"objective.margin={margin}"))
    page = (tmp_path / "page").read_text("utf-8")
    assert ("learned up to a margin of 8.0" in page) == (margin == 8)
