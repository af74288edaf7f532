"""Predictions agree with the run that they are scaled from."""

import types

import pytest

from babelet.configs.embedding import DataConfig, EmbeddingConfig, StudentConfig
from babelet.configs.parsing import replace
from babelet.data import cost_estimate
from babelet.data.cost_estimate import format_prediction, predict, student_parameters

LANGUAGES = tuple(f"l{i}" for i in range(cost_estimate.LANGUAGES))


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "sentences.bin").write_bytes(b"x" * cost_estimate.TEXT_BYTES)
    return tmp_path


def corpus():
    """Returns the counts of the smart-home corpus, spread evenly."""
    row = {"train": 10_000, "validation": 190, "test": 752}
    return types.SimpleNamespace(
        languages=("en", *LANGUAGES),
        sentences=range(cost_estimate.SENTENCES),
        counts=lambda: dict.fromkeys(LANGUAGES, row),
        report=types.SimpleNamespace(pivots=19_993),
    )


def config(**changes):
    base = EmbeddingConfig(name="test", data=DataConfig(languages=LANGUAGES))
    return replace(base, {"training.steps": 600, **changes})


def test_the_default_student_has_the_parameters_that_were_counted():
    """A forgotten bias or table makes every size wrong by megabytes.

    91,840,512 bytes are the float32 weights in the exported SavedModel.
    """
    assert student_parameters(StudentConfig(), 32_000) == 91_840_512 // 4


def test_the_run_that_was_measured_is_predicted(folder):
    """Constants of another run, or a factor of 1,024, send users to a larger disk."""
    found = predict(config(), corpus(), folder, seconds=14.6)
    assert sum(found.seconds.values()) == pytest.approx(417, rel=0.05)
    assert found.memory == pytest.approx(4.12e9, rel=0.02)
    assert found.disk["checkpoints"] == pytest.approx(367_630_444, rel=0.01)
    assert found.disk["export"] == pytest.approx(208_000_000, rel=0.03)
    assert found.disk["teacher_cache"] == pytest.approx(63_400_000, rel=0.05)
    assert found.disk["tokens"] == pytest.approx(10_600_000, rel=0.01)


def test_more_steps_and_layers_take_longer(folder):
    """A prediction that ignores a setting is believed all the same."""
    before = predict(config(), corpus(), folder, 0).seconds["training"]
    longer = predict(config(**{"training.steps": 1200}), corpus(), folder, 0)
    assert longer.seconds["training"] == pytest.approx(2 * before)
    deeper = predict(config(**{"student.num_layers": 12}), corpus(), folder, 0)
    assert deeper.seconds["training"] == pytest.approx(2 * before)
    both = predict(config(**{"objective.candidates": "student"}), corpus(), folder, 0)
    assert both.seconds["training"] == pytest.approx(2 * before)


def test_the_report_gives_units(folder):
    text = format_prediction(predict(config(), corpus(), folder, 14.6))
    assert "23.0 million parameters" in text
    assert "Memory: 4.1 GB" in text
    assert "Time: 7 minutes" in text
