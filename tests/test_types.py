"""The type checker of `make lint` is at work."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
# Each line calls what there is not: that of a module, of a class, with an argument
# too many. The first was once in data/sources/slot_values.py, and ended a recipe.
FAULTS = """\
from babelet.configs.embedding import DataConfig
from babelet.data.sources import home_assistant

home_assistant.languages_in("wheel")
home_assistant.TREES.languages_of("wheel")
DataConfig(tongues=("de",))
"""


def test_it_finds_names_and_arguments_that_are_not_there(tmp_path):
    """A setting that makes a package or a rule vanish passes every file unseen."""
    file = tmp_path / "faults.py"
    file.write_text(FAULTS)
    line = [sys.executable, "-m", "basedpyright", f"--pythonpath={sys.executable}"]
    found = subprocess.run(
        [*line, str(file)], cwd=ROOT, capture_output=True, text=True, timeout=300
    )
    assert found.returncode == 1, found.stdout + found.stderr
    assert [f":{n}:" in found.stdout for n in (4, 5, 6)] == [True] * 3, found.stdout
    assert "3 errors" in found.stdout
