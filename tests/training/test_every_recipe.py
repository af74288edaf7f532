"""Every recipe in configs/, really run: its own text and teacher, sizes cut.

The first time, 340 MB are downloaded.
"""

import csv
import itertools
import json
import math
import re
import subprocess
from pathlib import Path

import pytest

from babelet.configs import overrides
from babelet.configs.classification import LabelsConfig
from babelet.configs.embedding import DataConfig
from babelet.data.download import cache_folder
from babelet.data.sources import home_assistant, home_assistant_intents
from tests.configs.test_recipes import RECIPES, ROOT
from tests.training.conftest import Command
from tests.wheel_environment import build_wheel, install_for_training

STEPS = 20
TINY = "tiny_translation.py"
# Of any task: little text, one layer, few steps. A beginner's quantised files answer
# otherwise than it does: what the gate lets pass is tested elsewhere.
SMALL = {
    "data.languages": "de",
    "vocabulary.size": 400,
    "student.num_layers": 1,
    "training.steps": STEPS,
    "training.batch_size": 8,
    "training.warmup_steps": 2,
    "training.validation_pairs": 5,
    "evaluation.pairs_per_language": 20,
}
TASKS = {
    "embedding": {
        "data.min_characters": 70,
        "data.max_characters": 80,
        "vocabulary.report_sentences": 5,
        "export.min_cosine": -1,
        "export.max_retrieval_loss": 1,
    },
    "classification": {
        "vocabulary.report_sentences": 5,
        "labels.sentences_per_template": 1,
        "tuning.steps": 2,
        "tuning.batch_size": 8,
        "tuning.warmup_steps": 1,
    },
    "translation": {
        "data.min_characters": 90,
        "data.max_characters": 100,
        "evaluation.pairs_per_language": 10,
        "student.hidden_dim": 32,
        "student.intermediate_dim": 64,
        "student.max_length": 48,
        "translation.teacher.hidden_dim": 32,
        "translation.teacher.intermediate_dim": 64,
        "student.decoder_layers": 1,
        "translation.teacher.encoder_layers": 1,
        "translation.teacher.decoder_layers": 1,
        "translation.teacher.steps": 2,
        "translation.teacher.warmup_steps": 1,
        "translation.renamed": 5,
        "translation.recombined": 5,
        "translation.soft_candidates": 8,
        "translation.beam_size": 2,
        "export.max_bleu_loss": 100,
    },
}


def parallel_rows():
    """Yields rows of a table of pairs as users have it."""
    config = DataConfig(languages=("de",))
    pairs = home_assistant.pairs(config, cache_folder())
    yield "en", "de"
    yield from ((row.pivot_text, row.text) for row in itertools.islice(pairs, 20000))


def labelled_rows():
    """Yields rows of a table of labelled text as users have it."""
    config, labels = (
        DataConfig(languages=("de",)),
        LabelsConfig(sentences_per_template=1),
    )
    rows = home_assistant_intents.rows(config, labels, cache_folder())
    yield "text", "label", "language"
    yield from ((row.text, row.label, row.language) for row in rows)


# By the source that wants files of the user's, the real text to write into one.
FILES = {"parallel_files": parallel_rows, "labelled_files": labelled_rows}


def settings(recipe, folder):
    """Returns what makes a recipe small, as "key=value"."""
    config = overrides.load(str(recipe))
    found = SMALL | TASKS[config.task]
    if config.task == "translation":
        found["translation.encoder.num_layers"] = 1
    elif config.teacher.kind == "packaged_e5":
        found["teacher.num_layers"] = 1
    if config.task != "translation" and config.student.init_layers:
        found["student.init_layers"] = 0
    if config.data.source in FILES and not config.data.files:
        found["data.files"] = folder / "text.csv"
        with open(found["data.files"], "w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(FILES[config.data.source]())
    return [f"{key}={value}" for key, value in found.items()]


def lacking(run):
    """Returns what every finished run has and this one has not."""
    steps = json.loads((run / "manifest.json").read_text("utf-8"))["steps"]
    curve = steps["training"]["facts"]["curve"]
    losses = [point["train/loss"] for point in curve if "train/loss" in point]
    there = {
        "exported files": any(p.stat().st_size for p in (run / "export").iterdir()),
        "a report": (run / "report.html").stat().st_size > 0,
        "scores": "student" in (run / "metrics.json").read_text("utf-8"),
        "finite losses": bool(losses) and all(map(math.isfinite, losses)),
    }
    return [what for what, found in there.items() if not found]


@pytest.mark.parametrize("name", [name for name in RECIPES if name != TINY])
def test_a_recipe_runs_from_download_to_report(name, tmp_path):
    """A recipe that ends in seconds on real text, while all tests with small text pass.

    That was `intents`: a function that it calls had moved.
    """
    recipe, run = ROOT / "configs" / name, tmp_path / "run"
    Command(recipe, run, tuple(settings(recipe, tmp_path))).succeed()
    assert not lacking(run)


def test_the_tiny_recipe_runs_from_the_wheel_in_any_folder(tmp_path):
    """What is found beside a clone alone is missing for who installs the package."""
    (tmp_path / "wheel").mkdir()
    environment = install_for_training(
        build_wheel(tmp_path / "wheel"), tmp_path / "venv"
    )
    changes = settings(ROOT / "configs" / TINY, tmp_path)
    line = [environment / "bin" / "babelet", "distill", "--config=tiny_translation"]
    line += [f"--workdir={tmp_path / 'run'}", *(f"--set={each}" for each in changes)]
    before = set(Path("/").iterdir())
    done = subprocess.run(line, cwd="/", capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "Device: CPU" in done.stdout
    # C++'s own lines would bury an error.
    assert not re.search(r"^(WARNING|INFO|[IWE]0000)", done.stderr, re.MULTILINE)
    assert set(Path("/").iterdir()) == before
    assert not lacking(tmp_path / "run")
