import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter
from sentencepiece import sentencepiece_model_pb2

from babelet.configs import parsing, record
from babelet.core.errors import BabeletError
from babelet.data.tokenizer import Tokenizer
from babelet.export.array_gate import EDGE_CASES
from babelet.export.gate import check
from babelet.export.litert import convert
from babelet.export.metadata import attach_metadata, read_metadata, split_model
from babelet.export.saved_model import export_saved_model
from babelet.export.task_export import TEXTS, read_texts
from babelet.export.text_litert import convert_mediapipe, convert_text
from tests import run_record

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def folder(artefacts, tmp_path):
    """Artefacts of a test's own, to break."""
    return Path(shutil.copytree(artefacts, tmp_path / "export"))


@pytest.fixture
def student(make_student):
    return make_student()


@pytest.fixture
def swapped(tokenizer_model):
    """The tokenizer with two pieces of one language exchanged."""
    proto = sentencepiece_model_pb2.ModelProto.FromString(tokenizer_model)
    first, second = [p for p in proto.pieces if "ו" in p.piece or "ה" in p.piece][:2]
    first.piece, second.piece = second.piece, first.piece
    return Tokenizer(proto.SerializeToString(), 24)


@pytest.fixture(scope="module")
def checked(workdir, artefacts, tmp_path_factory):
    """A folder that passed, and the report."""
    folder = tmp_path_factory.mktemp("checked") / "export"
    shutil.copytree(artefacts, folder)
    found = check(workdir, folder)
    assert not found.refused
    found.write(folder)
    return folder, found.report


def refusal(workdir, folder, formats):
    """The reason for which the gate refuses the one file that it is given."""
    found = check(workdir, folder, formats)
    (reason,) = found.refused.values()
    assert not found.report["artefacts"] and not found.report["files"]
    return str(reason)


def test_sound_artefacts_pass_and_leave_their_figures(checked):
    """A gate that fails sound files is soon switched off."""
    folder, report = checked
    assert report == json.loads((folder / "parity.json").read_text())
    figures = report["artefacts"]
    assert figures["student_fp32.tflite"]["min_cosine"] > 0.99999
    assert 0.99 < figures["student_int8.tflite"]["min_cosine"] < 0.99999
    assert report["languages"] == 5
    size = (folder / "student_int8.tflite").stat().st_size
    assert report["files"]["student_int8.tflite"]["bytes"] == size


def test_golden_lines_hold_what_another_implementation_must_give(
    checked, pairs, tokenizer
):
    """Golden vectors of English alone say nothing about Hebrew."""
    lines = (checked[0] / "golden.jsonl").read_text(encoding="utf-8").split("\n")
    rows = [json.loads(line) for line in lines if line]
    assert {row["language"] for row in rows} == {"edge case", "en", *pairs}
    assert len(rows) == len(EDGE_CASES) + 2 * 5
    for row in rows:
        assert row["token_ids"] == tokenizer.encode([row["text"]])[0]
        assert abs(np.linalg.norm(row["embedding"]) - 1) < 1e-5


@pytest.mark.parametrize("kind", ["", "text_", "mediapipe_"])
@pytest.mark.parametrize("quantisation", ["fp32", "int8"])
def test_damaged_weights_in_one_file_are_caught(
    workdir, folder, pairs, tokenizer, quantisation, kind
):
    """One bad row of the token table breaks the texts of one language only."""
    path = folder / f"student_{kind}{quantisation}.tflite"
    piece = tokenizer.encode(["ランプをつけて"])[0][2]
    table = _table(folder / f"student_{quantisation}.tflite")
    damaged = table.copy()
    if quantisation == "fp32":
        damaged[piece, 0] += 20  # One weight.
    else:
        damaged[piece] = -damaged[piece] - 1
    content, metadata = split_model(path)
    assert content.count(table.tobytes()) == 1
    path.write_bytes(content.replace(table.tobytes(), damaged.tobytes()))
    # A wrong conversion has the right checksum.
    attach_metadata(path, metadata)
    message = refusal(workdir, folder, [f"{kind}{quantisation}"])
    if kind or quantisation == "fp32":
        assert f"student_{kind}{quantisation}.tflite differs" in message
        assert "on the ja text" in message
    else:  # Found where precisions are measured.
        assert "ランプをつけて" in message
    assert "cosine" in message


def test_another_pooling_is_caught(workdir, folder, pairs, make_student):
    """Exports that pool otherwise than the model did look healthy one by one."""
    convert(make_student("cls"), folder / "student_fp32.tflite", "fp32", {})
    assert re.search("student_fp32.tflite differs", refusal(workdir, folder, ["fp32"]))


def test_another_pooling_in_a_file_that_takes_text_is_caught(
    workdir, folder, pairs, make_student, tokenizer
):
    """Its tokens are right and its width is right: only the vectors tell."""
    path = folder / "student_text_int8.tflite"
    convert_text(make_student("cls"), tokenizer, path, "int8", {})
    assert re.search(
        "student_text_int8.tflite differs",
        refusal(workdir, folder, ["text_int8"]),
    )


def test_padding_that_counts_is_caught(workdir, folder, pairs, make_student):
    """A mask the graph ignores changes nothing until sentences share a batch."""
    broken = _wrapped(make_student(), see_padding=True)
    convert(broken, folder / "student_fp32.tflite", "fp32", {})
    assert "student_fp32.tflite differs" in refusal(workdir, folder, ["fp32"])


def test_vectors_that_are_not_of_unit_length_are_caught(
    workdir, folder, pairs, make_student
):
    """A dropped normalisation leaves every cosine at 1 and breaks dot products."""
    convert(
        _wrapped(make_student(), scale=2.0), folder / "student_fp32.tflite", "fp32", {}
    )
    assert re.search("not of unit length", refusal(workdir, folder, ["fp32"]))


def test_a_swapped_vocabulary_entry_is_caught(workdir, folder, pairs, swapped, student):
    """Two exchanged pieces touch few texts and no English one."""
    shutil.rmtree(folder / "saved_model")
    export_saved_model(student, swapped, folder / "saved_model", {})
    assert re.search(
        r"\(serving_default\) differs .* he text",
        refusal(workdir, folder, ["saved_model"]),
    )


@pytest.mark.parametrize("kind", ["text", "mediapipe"])
def test_a_swapped_vocabulary_entry_inside_litert_is_caught(
    workdir, folder, pairs, swapped, student, kind
):
    """The tokenizer in the file is another copy than the one beside it."""
    write = {"text": convert_text, "mediapipe": convert_mediapipe}[kind]
    (folder / "student_text_int8.tflite").unlink()
    write(student, swapped, folder / f"student_{kind}_int8.tflite", "int8", {})
    assert re.search(
        rf"{kind}_int8.tflite differs .* he text",
        refusal(workdir, folder, [f"{kind}_int8"]),
    )


def test_a_file_that_is_missing_is_caught(workdir, folder, pairs):
    """A gate that checks only what is there passes a folder without anything."""
    (folder / "student_mediapipe_int8.tflite").unlink()
    assert re.search(
        "Cannot read the model .*mediapipe_int8.tflite",
        refusal(workdir, folder, ["mediapipe_int8"]),
    )


def contents(folder):
    """Every file below a folder, with its bytes."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.relative_to(folder): path.read_bytes() for path in files}


def command(workdir, *flags):
    """The check as a command."""
    line = [
        sys.executable,
        "-m",
        "babelet.export.gate",
        f"--workdir={workdir}",
        *flags,
    ]
    return subprocess.run(line, cwd=ROOT, capture_output=True, text=True)


def test_a_truncated_file_is_caught_and_the_check_leaves_all(workdir, folder):
    """The check removed the whole folder on any error, an export of hours with it."""
    path = folder / "student_fp32.tflite"
    path.write_bytes(path.read_bytes()[:5000])
    for name in ("student_int8.tflite", "saved_model/saved_model.pb"):
        (folder / name).touch()
    before = contents(folder)
    done = command(workdir, f"--folder={folder}", "--formats=fp32")
    assert done.returncode == 2, done.stderr
    assert "student_fp32.tflite does not run" in done.stdout
    assert len(done.stdout.splitlines()) == 1
    assert contents(folder) == before


def test_a_check_of_anything_deletes_nothing(workdir, tmp_path):
    """A misspelt format, or no texts to check with, deleted a stranger's folder."""
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("years of work")
    for flags in (["--formats=fp23"], ["--formats=fp32"], []):
        done = command(workdir, f"--folder={mine}", *flags)
        assert done.returncode == 2 and "Remedy: " in done.stdout
        assert "Traceback" not in done.stderr
    assert contents(mine) == {Path("thesis.txt"): b"years of work"}


def test_what_is_forced_comes_from_the_command(gated, folder):
    """A planted quantisation.json let a file pass at a cosine of 0.79."""
    row = {"kept": True, "failures": ["cosine 0.79"]}
    planted = {"tiers": {"int8": row}}
    (folder / "quantisation.json").write_text(json.dumps(planted))
    assert "cosine" in refusal(gated, folder, ["int8"])
    # And of the command alone a file whose tier nobody can measure.
    (folder / "student_int8.tflite").unlink()
    assert "differs" in refusal(gated, folder, ["text_int8"])
    assert not check(gated, folder, ["text_int8"], force=True).refused


def test_the_figures_of_a_precision_say_that_its_file_was_refused(workdir, folder):
    """The report showed the latency of a file that is not there."""
    path = folder / "student_int8.tflite"
    content, metadata = split_model(path)
    path.write_bytes(content)
    attach_metadata(path, metadata | {"tokenizer_sha256": "0" * 64})
    rows = check(workdir, folder, ["fp32", "int8"]).tiers["tiers"]
    assert rows["fp32"]["kept"] and not rows["int8"]["kept"]
    assert "tokenizer_sha256" in rows["int8"]["failures"][0]


@pytest.fixture
def gated(workdir, tmp_path):
    """The run, with a gate that no int8 file passes."""
    run = Path(shutil.copytree(workdir, tmp_path / "gated"))
    changed = {"export.min_cosine": 0.9999999}
    run_record.write(run, parsing.replace(record.read_config(run), changed))
    return run


def test_a_file_of_another_run_with_equal_vectors_is_refused(
    workdir, folder, pairs, student
):
    """Its labels, threshold or tokenizer may be another's, and no vector tells."""
    own = read_metadata(folder / "student_fp32.tflite")
    other = own | {"tokenizer_sha256": "0" * 64}
    convert(student, folder / "student_fp32.tflite", "fp32", other)
    reason = refusal(workdir, folder, ["fp32"])
    assert "says something else of itself" in reason and "tokenizer_sha256" in reason


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"de": [["a"]]}', '{"de": [[1, 2]]}', '"x"', "{}", "\xff"]
)
def test_damaged_texts_to_check_with_are_one_line(tmp_path, text):
    """A traceback at the end of a night's training names no remedy."""
    (tmp_path / TEXTS).write_text(text, "latin-1")
    with pytest.raises(BabeletError, match="texts to check with.*Remedy: run babelet"):
        read_texts(tmp_path)


def _table(path):
    """The token table as stored, the largest constant of the file."""
    interpreter = Interpreter(str(path))
    largest = max(
        interpreter.get_tensor_details(), key=lambda each: np.prod(each["shape"])
    )
    return interpreter.get_tensor(largest["index"])


def _wrapped(student, scale=1.0, see_padding=False):
    """The student with a fault: its mask ignored, or its result scaled."""
    token_ids = keras.Input((None,), dtype="int32", name="token_ids")
    mask = keras.Input((None,), dtype="bool", name="padding_mask")
    seen = keras.ops.logical_or(mask, see_padding)
    vector = student({"token_ids": token_ids, "padding_mask": seen}) * scale
    return keras.Model({"token_ids": token_ids, "padding_mask": mask}, vector)
