import json
import signal
import subprocess
import sys
import time

import pytest

from configs.errors import BabeletError
from export.run import export_run

EXPORTER = """
import json, pathlib, sys
from export.run import export_run
export_run(pathlib.Path(sys.argv[1]), json.loads(sys.argv[2]))
"""
WHOLE = {
    "saved_model",
    "student_fp32.tflite",
    "student_int8.tflite",
    "student_text_fp32.tflite",
    "student_text_int8.tflite",
    "student_mediapipe_fp32.tflite",
    "student_mediapipe_int8.tflite",
    "tokenizer.model",
    "golden.jsonl",
    "parity.json",
}


def test_a_kill_leaves_no_export_and_the_next_run_makes_it_whole(
    make_workdir, make_student, pairs, tmp_path
):
    """A half-written folder looks finished to the next step."""
    workdir = make_workdir(tmp_path / "run", make_student())
    partial = workdir / ".export.partial"
    # Once while files are written, once while the gate's own process reads them.
    last = "student_mediapipe_int8.tflite"
    for reached in ("saved_model", last):
        process = subprocess.Popen(
            [sys.executable, "-c", EXPORTER, workdir, json.dumps(pairs)],
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 120
        while not (partial / reached).exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        time.sleep(1 if reached == last else 0)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert (partial / reached).exists()
        assert not (workdir / "export").exists()

    report = export_run(workdir, pairs)
    assert {file.name for file in (workdir / "export").iterdir()} == WHOLE
    assert not partial.exists()
    assert report["artefacts"]["student_int8.tflite"]["min_cosine"] > 0.98


def test_below_the_gate_nothing_is_kept_and_the_text_is_named(
    make_workdir, make_student, pairs, tokenizer, tmp_path
):
    """One outlying row takes the whole range of 8 bits, and all else rounds to 0."""
    student = make_student()
    table = student.get_layer("embedding").tokens
    values = table.numpy()
    values[tokenizer.unk_id] = 300
    table.assign(values)
    workdir = make_workdir(tmp_path / "run", student)
    (workdir / "export").mkdir()
    (workdir / "export" / "student_int8.tflite").write_text("of earlier weights")
    with pytest.raises(BabeletError, match="student_int8.tflite differs .* text '"):
        export_run(workdir, pairs)
    assert not (workdir / "export").exists()
    assert not (workdir / ".export.partial").exists()


def test_missing_weights_are_one_clear_error(workdir, pairs, tmp_path):
    """Keras's own message for it is a page long and names no remedy."""
    for name in ("config.json", "tokenizer.model"):
        (tmp_path / name).write_bytes((workdir / name).read_bytes())
    with pytest.raises(BabeletError, match="student.weights.h5"):
        export_run(tmp_path, pairs)
