"""A task that Babelet does not have: one module, one registration, and all works."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.training.conftest import LANGUAGES, environment

MODULE = Path(__file__).parents[1] / "tasks" / "sentence_language.py"
RECIPE = """
from babelet.configs import schema
from babelet.configs.data import PairDataConfig
from sentence_language import LanguageConfig

def get_config():
    return LanguageConfig(
        name="tells_languages",
        data=PairDataConfig(
            source="parallel_files", files=({text!r},), languages={languages!r},
            validation_fraction=0.1, test_fraction=0.15,
        ),
        vocabulary=schema.VocabularyConfig(size=128),
        student=schema.StudentConfig(
            num_layers=1, hidden_dim=32, num_heads=4, intermediate_dim=64,
            max_length=24,
        ),
        training=schema.TrainingConfig(
            steps=60, batch_size=32, learning_rate=1e-2, warmup_steps=4,
            precision="float32", validate_every=30, metric="accuracy",
        ),
    )
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A folder as pip leaves it: the module, and its registration."""
    folder = tmp_path_factory.mktemp("site")
    (folder / MODULE.name).write_text(MODULE.read_text("utf-8"), "utf-8")
    about = folder / "sentence_language-1.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Name: sentence-language\nVersion: 1\n")
    registered = "[babelet.tasks]\nsentence_language = sentence_language\n"
    (about / "entry_points.txt").write_text(registered)
    return folder


def babelet(installed, *arguments):
    done = subprocess.run(
        [sys.executable, "-m", "babelet", *map(str, arguments)],
        env=environment(PYTHONPATH=str(installed)),
        cwd=installed,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return done.stdout


@pytest.fixture(scope="module")
def run(installed, home):
    recipe = installed / "recipe.py"
    recipe.write_text(RECIPE.format(text=str(home.text), languages=LANGUAGES))
    workdir = installed / "run"
    return workdir, babelet(
        installed, "distill", f"--config={recipe}", f"--workdir={workdir}"
    )


def test_it_is_as_short_as_promised():
    """Each task more would be another thousand lines, in ten places."""
    assert len(MODULE.read_text("utf-8").splitlines()) <= 150


def test_it_learns_and_is_proven(run):
    """An engine that asks which task it is leaves others without figures or files."""
    workdir, output = run
    metrics = json.loads((workdir / "metrics.json").read_text("utf-8"))
    assert set(metrics["student"]["languages"]) == {"en", *LANGUAGES}
    assert metrics["student"]["mean"]["accuracy"] > 0.9
    assert "Languages told:" in output
    parity = json.loads((workdir / "export" / "parity.json").read_text("utf-8"))
    assert "student_fp32.tflite" in parity["artefacts"] and not parity["refused"]
    page = (workdir / "report.html").read_text("utf-8")
    assert "tells languages apart" in page and "student_int8.tflite" in page


def test_its_files_answer_and_its_runs_are_compared(run, installed, tmp_path):
    """A task whose model no command opens, or that compare shows without a score."""
    workdir, _ = run
    texts = tmp_path / "texts.txt"
    texts.write_text("Schalte die Lampe ein\nTurn on the lamp\n", "utf-8")
    answers = babelet(installed, "classify", f"--model={workdir}", texts).splitlines()
    assert [line.split("\t")[0] for line in answers] == ["de", "en"]
    table = babelet(installed, "compare", workdir)
    assert "test accuracy" in table
    line = next(line for line in table.splitlines() if line.startswith("run"))
    assert "–" not in table.splitlines()[1] or line


def test_its_settings_are_listed_and_checked(installed):
    """A mistyped key of a task of one's own would be ignored."""
    assert "training.steps" in babelet(installed, "settings", "sentence_language")
