import json
import subprocess
import sys

import pytest

from babelet.core.errors import BabeletError
from babelet.export.formats import FORMATS
from babelet.export.metadata import SAVED_METADATA, read_metadata
from babelet.export.task_export import of_task, require_known


def export(workdir, formats):
    return subprocess.run(
        [sys.executable, "-m", "babelet.export", f"--workdir={workdir}", *formats],
        capture_output=True,
        text=True,
    )


def test_every_file_says_which_model_it_is_and_under_what_licence(artefacts):
    """A lone file on a phone is all that is left of a run."""
    for each in FORMATS.values():
        path = artefacts / each.path
        metadata = (
            json.loads((path / SAVED_METADATA).read_text())
            if path.is_dir()
            else read_metadata(path)
        )
        assert metadata["licence"] == "Apache-2.0 AND MIT"
        assert metadata["name"] == "smart_home"
        assert metadata["version"] == metadata["weights_sha256"][:12]
        assert len(metadata["config_sha256"]) == 64


def test_a_run_is_exported_again_in_one_format(make_workdir, make_student, tmp_path):
    """Files of an earlier export, left there, would be shipped as the new ones."""
    workdir = make_workdir(tmp_path / "run", make_student())
    (workdir / "export").mkdir()
    for name in ("student_fp32.tflite", "golden.jsonl", "parity.json"):
        (workdir / "export" / name).write_text("of an earlier export")
    done = export(workdir, ["--formats=mediapipe_int8"])
    assert done.returncode == 0, done.stderr
    assert "student_mediapipe_int8.tflite" in done.stdout
    assert {file.name for file in (workdir / "export").iterdir()} == {
        "student_mediapipe_int8.tflite",
        "tokenizer.model",
        "golden.jsonl",
        "parity.json",
        "quantisation.json",
        "checksums.json",
    }


def test_an_unknown_format_is_one_line_and_nothing_is_removed(workdir):
    """A mistyped name must not cost the export that was there."""
    (workdir / "export").mkdir()
    done = export(workdir, ["--formats=mediapipe_int4"])
    assert (workdir / "export").is_dir()
    (workdir / "export").rmdir()
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert "'mediapipe_int4'" in line and "write mediapipe_int8" in line


def test_no_format_at_all_is_an_error():
    """An export of nothing passes any gate."""
    with pytest.raises(BabeletError, match="Expected: saved_model, fp32"):
        require_known(of_task("embedding"), [])
