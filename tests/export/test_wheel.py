"""What `pip install babelet` gives: the runtime, in a small environment."""

import subprocess
import zipfile
from pathlib import Path

import pytest

from tests.wheel_environment import build_wheel, install

ROOT = Path(__file__).resolve().parents[2]
# The environment as a phone's server has it: 600 MB of TensorFlow would not fit.
MOST = 200e6
FIVE_LINES = """
from babelet import Embedder

embedder = Embedder(r"{model}")
vectors = embedder.encode(["Turn on the lamp", "ランプをつけて"])
print(vectors.shape, vectors @ vectors.T)
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    return build_wheel(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def environment(wheel, tmp_path_factory):
    """A virtual environment with the wheel, what it depends on, and nothing else."""
    return install(wheel, tmp_path_factory.mktemp("environment") / "venv")


def test_the_wheel_has_pages_and_templates_and_no_tests(wheel):
    """A file that setuptools leaves out is missed at the user's alone."""
    names = set(zipfile.ZipFile(wheel).namelist())
    wanted = {"babelet/py.typed", "babelet/export/web/page/index.html"}
    wanted |= {"babelet/evaluation/templates/report.html.jinja"}
    wanted |= {
        f"babelet/{path.relative_to(ROOT).as_posix()}".replace(
            "babelet/babelet", "babelet"
        )
        for folder in ("babelet", "configs", "data", "model", "evaluation", "tasks")
        for path in (ROOT / folder).rglob("*.py")
    }
    assert wanted <= names
    tops = {name.partition("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"babelet"}


def test_the_runtime_is_small_and_embeds_in_five_lines(
    environment, artefacts, tmp_path
):
    """One import too many, and what runs on a server needs TensorFlow there."""
    size = sum(p.stat().st_size for p in environment.rglob("*") if p.is_file())
    assert size < MOST, f"{size / 1e6:.0f} MB"
    program = FIVE_LINES.format(model=artefacts / "student_int8.tflite")
    python = environment / "bin" / "python"
    done = subprocess.run(
        [python, "-c", program], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("(2, 16) [[")
    # Nor anything else: LiteRT's own lines are kept from the user.
    assert not done.stderr
    assert not list(tmp_path.iterdir())


def test_the_command_names_what_to_install(environment, artefacts, tmp_path):
    """ModuleNotFoundError: No module named 'keras' is no remedy."""
    babelet = environment / "bin" / "babelet"
    line = [babelet, "embed", f"--model={artefacts}", "--output=vectors.npy"]
    done = subprocess.run(
        line, cwd=tmp_path, input="Lamp", capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "vectors.npy").is_file()
    line = [babelet, "distill", f"--workdir={tmp_path / 'run'}"]
    done = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1
    (said,) = done.stderr.splitlines()
    assert said.endswith("Remedy: pip install 'babelet[train]'.")
    assert not (tmp_path / "run").exists()
