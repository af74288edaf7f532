import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from babelet.core.errors import BabeletError
from babelet.export.benchmark import Row, benchmark, table
from babelet.export.latency import Figures
from babelet.export.metadata import attach_metadata, split_model

ROOT = Path(__file__).resolve().parents[2]


def test_every_file_and_thread_is_measured_at_the_lengths_it_has(artefacts):
    """Measured in one process, the second file's memory holds the first's."""
    files = [artefacts / f"student_{name}.tflite" for name in ("fp32", "int8")]
    rows = benchmark(files, tokens=[8, 24, 25], threads=[1, 2])
    cases = [(row.path.stem, row.threads) for row in rows]
    assert cases == [
        ("student_fp32", 1),
        ("student_fp32", 2),
        ("student_int8", 1),
        ("student_int8", 2),
    ]
    for row in rows:
        assert list(row.figures.median_ms) == [8, 24]
        assert min(row.figures.median_ms.values()) > 0
        assert row.figures.load_ms > 0
        # This process, with TensorFlow in it, has several hundred.
        assert 10e6 < row.figures.peak_bytes < 150e6
        assert 0 < row.figures.model_bytes < row.figures.peak_bytes / 2


def test_the_table_lines_up_and_shows_what_was_not_measured(tmp_path, monkeypatch):
    """A length the model lacks must not show another length's figure."""
    monkeypatch.chdir(tmp_path)
    Path("student_int8.tflite").write_bytes(b"0" * 23_400_000)
    Path("a.tflite").write_bytes(b"0" * 100_000)
    rows = [
        Row(Path("student_int8.tflite"), 1, Figures(19.3, 73e6, 29e6, {8: 0.5, 64: 6})),
        Row(Path("a.tflite"), 2, Figures(1, 44e6, 1e6, {8: 0.01})),
    ]
    assert table(rows, [8, 64]).splitlines() == [
        "file                 threads  file MB  load ms  peak MB  model MB"
        "   8 tokens  64 tokens",
        "student_int8.tflite        1     23.4     19.3       73        29"
        "    0.50 ms    6.00 ms",
        "a.tflite                   2      0.1      1.0       44         1"
        "    0.01 ms          –",
    ]


def test_bad_files_are_named(artefacts, tmp_path):
    """A crash in the measuring process is a traceback of the pool's."""
    model = Path(shutil.copy(artefacts / "student_int8.tflite", tmp_path))
    with pytest.raises(BabeletError, match="has no positions.*24 tokens or fewer"):
        benchmark([model], tokens=[32, 64], threads=[1])
    with pytest.raises(BabeletError, match=r"Cannot read the model .*absent\.tflite"):
        benchmark([tmp_path / "absent.tflite"], tokens=[8], threads=[1])
    content, metadata = split_model(model)
    model.write_bytes(b"\0" * 64 + model.read_bytes()[64:])
    with pytest.raises(BabeletError, match=r"student_int8\.tflite is damaged"):
        benchmark([model], tokens=[8], threads=[1])
    model.write_bytes(b"\0" * 64 + content[64:])
    attach_metadata(model, metadata)
    with pytest.raises(BabeletError, match=r"LiteRT cannot run .*student_int8\.tflite"):
        benchmark([model], tokens=[8], threads=[1])


def test_the_command_prints_the_table_or_one_line(artefacts):
    """Figures among LiteRT's own messages cannot be pasted anywhere."""
    command = [sys.executable, "-m", "babelet.export.benchmark"]
    command += [artefacts / "student_int8.tflite", "--tokens=8"]
    options = {"cwd": ROOT, "capture_output": True, "text": True, "timeout": 120}
    done = subprocess.run([*command, "--threads=1"], **options)
    assert done.stdout.startswith("file ") and done.stdout.count("\n") == 2, done.stderr
    done = subprocess.run([*command, "--threads=1,x"], **options)
    assert done.returncode == 2 and not done.stdout
    assert done.stderr.startswith("error: --threads is not a list")
    assert "--threads=1,2" in done.stderr
