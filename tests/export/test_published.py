"""What happens to an export folder: nothing of anyone's is lost or goes unnoticed."""

import errno
import json
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from babelet.core.checksums import file_digest, seal
from babelet.core.errors import BabeletError
from babelet.export.infer import current_file
from babelet.export.published import (
    new_export,
    read_json,
    require_current,
    require_undamaged_export,
)
from babelet.export.rebuild import weights_digest

OLD, NEW = "a" * 64, "b" * 64


def write(folder, weights):
    """Writes what an export of these weights leaves, in small."""
    (folder / "saved_model" / "variables").mkdir(parents=True)
    (folder / "saved_model" / "saved_model.pb").write_bytes(b"graph")
    (folder / "saved_model" / "variables" / "index").write_bytes(b"weights")
    (folder / "student_int8.tflite").write_text(f"model of {weights}")
    (folder / "golden.jsonl").write_text('{"text": "lamp"}\n')
    student = {"version": weights[:12], "weights_sha256": weights}
    report = {"artefacts": {}, "student": student}
    (folder / "parity.json").write_text(json.dumps(report))


def contents(folder):
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


@pytest.fixture
def exported(tmp_path):
    """A run with an export of earlier weights."""
    with new_export(tmp_path, OLD) as folder:
        write(folder, OLD)
    return tmp_path


@pytest.mark.parametrize(
    ("weights", "said"),
    [(NEW, f"is of other weights (version {OLD[:12]})"), (OLD, "of these weights")],
)
def test_a_failure_keeps_the_earlier_export_and_says_of_what_it_is(
    exported, weights, said
):
    """Removed first, hours of training end with no file; kept in silence, it lies."""
    before = contents(exported)
    with pytest.raises(BabeletError) as caught, new_export(exported, weights) as folder:
        (folder / "student_int8.tflite").write_text("half")
        raise BabeletError("int8 differs", remedy="report it")
    message = str(caught.value)
    assert message.startswith("int8 differs") and said in message
    assert message.endswith("Remedy: report it.") and message.count("Remedy:") == 1
    assert contents(exported) == before


def test_without_an_earlier_export_there_is_none(tmp_path):
    """A folder with half of the files looks finished to the next step."""
    with pytest.raises(BabeletError, match="no export of this run"):
        with new_export(tmp_path, NEW):
            raise BabeletError("int8 differs", remedy="report it")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, "No space left"), KeyError("x"), ValueError("?\n?")]
)
def test_what_a_library_raises_is_one_line(exported, error):
    """A full disk ended in a traceback of the converter."""
    with pytest.raises(BabeletError, match=r"Remedy: ") as caught:
        with new_export(exported, NEW):
            raise error
    assert "\n" not in str(caught.value) and "was kept" in str(caught.value)


@pytest.mark.parametrize("name", ["thesis.txt", "parity.json", ".hidden"])
def test_a_folder_of_that_name_that_is_not_ours_is_left(tmp_path, name):
    """The workdir may be a folder of the user's that has an export of its own."""
    (tmp_path / "export").mkdir()
    (tmp_path / "export" / name).write_text("years of work")
    with pytest.raises(BabeletError, match="not an export of Babelet.*move it"):
        with new_export(tmp_path, NEW):
            pytest.fail("nothing is exported")
    assert contents(tmp_path) == {f"export/{name}": b"years of work"}


def test_a_file_of_that_name_is_left(tmp_path):
    """Renamed over, it is gone."""
    (tmp_path / "export").write_text("years of work")
    with pytest.raises(BabeletError, match="not an export of Babelet"):
        with new_export(tmp_path, NEW):
            pytest.fail("nothing is exported")
    assert (tmp_path / "export").read_text() == "years of work"


@pytest.mark.parametrize("sealed", [True, False])
def test_what_others_put_into_the_folder_is_taken_over(exported, sealed):
    """A model converted by hand, or notes, went with the folder they were in."""
    folder = exported / "export"
    if not sealed:  # As versions without checksums left it.
        (folder / "checksums.json").unlink()
    (folder / "student_fp16.tflite").write_text("of the first export")
    (folder / "notes").mkdir()
    (folder / "notes" / "checksums.json").write_text("mine")
    (folder / "student.onnx").write_text("mine")
    if sealed:
        seal(folder)
        recorded = json.loads((folder / "checksums.json").read_text())
        mine = ("notes/checksums.json", "student.onnx")
        kept = {name: x for name, x in recorded.items() if name not in mine}
        (folder / "checksums.json").write_text(json.dumps(kept))
    with new_export(exported, NEW) as new:
        write(new, NEW)
    assert (folder / "notes" / "checksums.json").read_text() == "mine"
    assert (folder / "student.onnx").read_text() == "mine"
    # What an export wrote and this one does not is gone.
    assert not (folder / "student_fp16.tflite").exists()
    assert (folder / "student_int8.tflite").read_text() == f"model of {NEW}"
    require_undamaged_export(folder)


@settings(max_examples=80)
@given(st.integers(0), st.integers(0, 7), st.data())
def test_a_flipped_bit_in_any_file_is_noticed(tmp_path_factory, place, bit, data):
    """Flipped in parity.json, a report shows figures that nobody measured."""
    folder = tmp_path_factory.mktemp("flipped") / "export"
    with new_export(folder.parent, OLD) as new:
        write(new, OLD)
    name = data.draw(st.sampled_from(sorted(contents(folder))))
    content = bytearray((folder / name).read_bytes())
    content[place % len(content)] ^= 1 << bit
    (folder / name).write_bytes(content)
    with pytest.raises(BabeletError, match="Remedy: "):
        require_undamaged_export(folder)
        # Only the layout of checksums.json itself may change without a word.
        assert name == "checksums.json"
        recorded = json.loads(content)
        seal(folder)
        assert recorded == json.loads((folder / name).read_text())
        raise BabeletError("harmless", remedy="none")


@pytest.mark.parametrize("text", ["", "[", "\xff", "9" * 5000, "[" * 100_000])
def test_a_damaged_report_is_one_line(exported, text):
    """The report step ended in a traceback of the JSON parser."""
    folder = exported / "export"
    (folder / "parity.json").write_text(text, "latin-1")
    with pytest.raises(BabeletError, match="damaged.*Remedy: run babelet export"):
        read_json(folder, "parity.json")
    (folder / "checksums.json").unlink()
    with pytest.raises(BabeletError, match=r"Remedy: run babelet export"):
        read_json(folder, "parity.json")
    (folder / "checksums.json").write_text(text, "latin-1")
    with pytest.raises(BabeletError, match=r"Remedy: run babelet export"):
        read_json(folder, "golden.jsonl")


def test_a_missing_file_is_one_line(exported):
    """A reader that takes nothing for an empty report shows a page without rows."""
    folder = exported / "export"
    (folder / "parity.json").unlink()
    for name in ("parity.json", "quantisation.json"):
        with pytest.raises(BabeletError, match=rf"{name} is"):
            read_json(folder, name)


def weights_of(workdir, *values):
    """Writes weights in the order of their names, whose bytes depend on it."""
    (workdir / "student.weights.h5").unlink(missing_ok=True)
    with h5py.File(workdir / "student.weights.h5", "w") as file:
        for name, value in values:
            file[name] = np.float32([value])
    return workdir / "student.weights.h5"


def test_an_export_of_other_weights_is_not_the_runs(exported):
    """Trained again, its export failed: the earlier student answered in silence."""
    folder = exported / "export"
    require_current(exported)
    weights = weights_of(exported, ("a", 1), ("b", 2))
    report = read_json(folder, "parity.json")
    report |= {"weights_file_sha256": file_digest(weights)}
    report["student"]["weights_sha256"] = weights_digest(weights)
    (folder / "parity.json").write_text(json.dumps(report))
    seal(folder)
    require_current(exported)
    weights_of(exported, ("b", 2), ("a", 1))
    assert file_digest(weights) != report["weights_file_sha256"]
    require_current(exported)
    weights_of(exported, ("a", 1), ("b", 3))
    with pytest.raises(BabeletError, match="is of other weights than"):
        current_file(exported)
    # The export folder itself, and its files, are what they are.
    assert current_file(folder) == folder / "student_int8.tflite"


def test_an_export_of_an_earlier_version_is_read(exported):
    """It has no checksums, and its figures are right."""
    folder = Path(exported, "export")
    (folder / "checksums.json").unlink()
    require_undamaged_export(folder)
    assert read_json(folder, "parity.json")["student"]["weights_sha256"] == OLD
