"""The command that exports a run again."""

import subprocess
import sys
from pathlib import Path

from babelet.configs import parsing, smart_home
from babelet.core.locking import run_lock

ROOT = Path(__file__).resolve().parents[2]


def export(workdir):
    line = [sys.executable, "-m", "babelet.export", f"--workdir={workdir}"]
    return subprocess.run(line, cwd=ROOT, capture_output=True, text=True)


def test_it_waits_for_no_other_process_and_disturbs_none(tmp_path):
    """Beside a training of the same run it exported weights half of each."""
    config = parsing.to_json(smart_home.get_config())
    (tmp_path / "config.json").write_text(config)
    with run_lock(tmp_path):
        done = export(tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: Another run is working in {tmp_path}")
    assert {path.name for path in tmp_path.iterdir()} == {"config.json", ".lock"}


def test_a_folder_without_a_run_is_left_empty(tmp_path):
    """A lock file in a folder that was only misspelt."""
    done = export(tmp_path)
    assert done.returncode == 2 and done.stderr.startswith("error: ")
    assert not list(tmp_path.iterdir())
