import json
import signal
import subprocess
import sys
import time

import pytest

from babelet.core.errors import BabeletError
from babelet.export.formats import FORMATS
from babelet.export.published import require_current, require_undamaged_export
from babelet.export.run import export_run

EXPORTER = """
import json, pathlib, sys
from babelet.export.run import export_run
formats = ("int8", "saved_model")
export_run(pathlib.Path(sys.argv[1]), json.loads(sys.argv[2]), formats)
"""
WHOLE = {each.path for each in FORMATS.values()}
WHOLE |= {"tokenizer.model", "golden.jsonl", "parity.json", "quantisation.json"}
WHOLE |= {"checksums.json"}


def test_a_kill_leaves_no_export_and_the_next_run_makes_it_whole(
    make_workdir, make_student, pairs, tmp_path
):
    """A half-written folder looks finished to the next step."""
    workdir = make_workdir(tmp_path / "run", make_student())
    partial = workdir / ".export.babelet-partial"
    # Once while the last is written, once while the gate's own process reads them.
    stages = ("saved_model", "saved_model/saved_model.pb")
    for reached in stages:
        process = subprocess.Popen(
            [sys.executable, "-c", EXPORTER, workdir, json.dumps(pairs)],
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 120
        while not (partial / reached).exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        time.sleep(0 if reached == "saved_model" else 1)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert (partial / reached).exists()
        assert not (workdir / "export").exists()

    report = export_run(workdir, pairs)
    assert {file.name for file in (workdir / "export").iterdir()} == WHOLE
    assert not partial.exists()
    assert report["artefacts"]["student_int8.tflite"]["min_cosine"] > 0.98
    require_undamaged_export(workdir / "export")
    require_current(workdir)


@pytest.fixture
def spoiled(make_workdir, make_student, tokenizer, tmp_path):
    """A run whose student does not fit into 8 bits.

    One outlying row takes their whole range, and all else rounds to 0.
    """
    student = make_student()
    table = student.get_layer("embedding").tokens
    values = table.numpy()
    values[tokenizer.unk_id] = 300
    table.assign(values)
    workdir = make_workdir(tmp_path / "run", student)
    (workdir / "export").mkdir()
    (workdir / "export" / "student_int8.tflite").write_text("of earlier weights")
    (workdir / "export" / "golden.jsonl").write_text("")
    student = {"version": "abc", "weights_sha256": "abc"}
    report = json.dumps({"student": student})
    (workdir / "export" / "parity.json").write_text(report)
    return workdir


def test_all_files_of_a_spoiled_tier_are_left_out(spoiled, pairs, capfd):
    """int8 with the tokenizer inside holds the same spoiled weights as without."""
    report = export_run(spoiled, pairs, ("fp32", "int8", "text_int8"))
    assert {file.name for file in (spoiled / "export").glob("*.tflite")} == {
        "student_fp32.tflite"
    }
    assert list(report["artefacts"]) == ["student_fp32.tflite"]
    assert "int8 not written: cosine" in capfd.readouterr().out
    kept = json.loads((spoiled / "export" / "quantisation.json").read_text())
    assert not kept["tiers"]["int8"]["kept"]


def test_where_nothing_is_left_the_error_names_a_text(spoiled, pairs):
    """What passed before is deleted, or passes for the export of these weights."""
    with pytest.raises(BabeletError, match="spoils the student: cosine .* on '") as e:
        export_run(spoiled, pairs, ["text_int8"])
    assert "was kept; it is of other weights (version abc)" in str(e.value)
    assert (spoiled / "export" / "student_int8.tflite").read_text()[:2] == "of"
    assert not (spoiled / ".export.babelet-partial").exists()


def test_force_writes_a_spoiled_tier_and_the_record_says_so(spoiled, pairs):
    """A forced file must not look like one that passed, nor stop at the next gate."""
    report = export_run(spoiled, pairs, ["text_int8"], force=True)
    names = {file.name for file in (spoiled / "export").glob("*.tflite")}
    assert names == {"student_text_int8.tflite"}
    assert report["artefacts"]["student_text_int8.tflite"]["min_cosine"] < 0.9
    kept = json.loads((spoiled / "export" / "quantisation.json").read_text())
    assert kept["tiers"]["int8"]["kept"] and kept["tiers"]["int8"]["failures"]


def test_missing_weights_are_one_clear_error(workdir, pairs, tmp_path):
    """Keras's own message for it is a page long and names no remedy."""
    for name in ("config.json", "manifest.json", "tokenizer.model"):
        (tmp_path / name).write_bytes((workdir / name).read_bytes())
    with pytest.raises(BabeletError, match="student.weights.h5"):
        export_run(tmp_path, pairs)
