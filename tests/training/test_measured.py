"""What benchmarks left in a run's folder is shown, or refused in one line."""

import json

import pytest

from babelet.core.errors import BabeletError
from babelet.training import measured

TIER = {"kept": True, "median_ms": 1.5, "bytes": 10}
QUANTISATION = {"tiers": {"int8": TIER}}
LATENCY = {"models": {"teacher_fp32": {"median_ms": 20.5}}}
DAMAGE = {
    "cut": lambda text: text[:-3],
    "not UTF-8": lambda text: "\udcff" + text,
    "list": lambda text: "[]",
    "other keys": lambda text: text.replace("models", "m").replace("tiers", "t"),
    "numbers": lambda text: json.dumps(dict.fromkeys(json.loads(text), 7)),
    "not a number": lambda text: text.replace("1.5", "NaN").replace("20.5", "NaN"),
    "deep": lambda text: '{"models": ' + "[" * 100_000,
}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "export").mkdir()
    (tmp_path / measured.QUANTISATION).write_text(json.dumps(QUANTISATION))
    (tmp_path / measured.LATENCY).write_text(json.dumps(LATENCY))
    return tmp_path


def gather(folder):
    with measured.reporting(folder):
        measured.latency(folder)
        measured.onnx_runtime(folder)
        (folder / measured.LATENCY).unlink()
        return measured.latency(folder)[0]


def test_whole_files_are_shown(folder):
    """Strictness that refuses good files would cost a finished run its report."""
    (row,) = gather(folder)
    assert (row["file"], row["milliseconds"]) == ("student_int8.tflite", 1.5)


@pytest.mark.parametrize("name", [measured.LATENCY, measured.QUANTISATION])
@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_damaged_files_are_one_line(damage, name, folder):
    """A run that trained for hours ends its report in a KeyError."""
    text = damage((folder / name).read_text())
    (folder / name).write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(BabeletError) as error:
        gather(folder)
    assert str(folder) in str(error.value) and "\n" not in str(error.value)
