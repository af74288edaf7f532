import json
import shutil
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter
from sentencepiece import sentencepiece_model_pb2

from configs.errors import BabeletError
from data.tokenizer import Tokenizer
from export.litert import convert
from export.parity import EDGE_CASES, TEXTS, check_parity
from export.saved_model import export_saved_model
from export.text_litert import convert_mediapipe, convert_text


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
def checked(workdir, artefacts, pairs, tmp_path_factory):
    """A folder that passed, and the report."""
    folder = tmp_path_factory.mktemp("checked") / "export"
    shutil.copytree(artefacts, folder)
    return folder, check_parity(workdir, folder, pairs)


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
    content = path.read_bytes()
    assert content.count(table.tobytes()) == 1
    path.write_bytes(content.replace(table.tobytes(), damaged.tobytes()))
    with pytest.raises(BabeletError) as caught:
        check_parity(workdir, folder, pairs, [f"{kind}{quantisation}"])
    message = str(caught.value)
    assert f"student_{kind}{quantisation}.tflite differs" in message
    assert "on the ja text" in message
    assert "cosine" in message


def test_another_pooling_is_caught(workdir, folder, pairs, make_student):
    """Exports that pool otherwise than the model did look healthy one by one."""
    convert(make_student("cls"), folder / "student_fp32.tflite", "fp32", {})
    with pytest.raises(BabeletError, match="student_fp32.tflite differs"):
        check_parity(workdir, folder, pairs, ["fp32"])


def test_another_pooling_in_a_file_that_takes_text_is_caught(
    workdir, folder, pairs, make_student, tokenizer
):
    """Its tokens are right and its width is right: only the vectors tell."""
    path = folder / "student_text_int8.tflite"
    convert_text(make_student("cls"), tokenizer, path, "int8", {})
    with pytest.raises(BabeletError, match="student_text_int8.tflite differs"):
        check_parity(workdir, folder, pairs, ["text_int8"])


def test_padding_that_counts_is_caught(workdir, folder, pairs, make_student):
    """A mask the graph ignores changes nothing until sentences share a batch."""
    broken = _wrapped(make_student(), see_padding=True)
    convert(broken, folder / "student_int8.tflite", "int8", {})
    with pytest.raises(BabeletError, match="student_int8.tflite differs"):
        check_parity(workdir, folder, pairs, ["int8"])


def test_vectors_that_are_not_of_unit_length_are_caught(
    workdir, folder, pairs, make_student
):
    """A dropped normalisation leaves every cosine at 1 and breaks dot products."""
    convert(
        _wrapped(make_student(), scale=2.0), folder / "student_fp32.tflite", "fp32", {}
    )
    with pytest.raises(BabeletError, match="not of unit length"):
        check_parity(workdir, folder, pairs, ["fp32"])


def test_a_swapped_vocabulary_entry_is_caught(workdir, folder, pairs, swapped, student):
    """Two exchanged pieces touch few texts and no English one."""
    shutil.rmtree(folder / "saved_model")
    export_saved_model(student, swapped, folder / "saved_model", {})
    with pytest.raises(BabeletError, match=r"\(serving_default\) differs .* he text"):
        check_parity(workdir, folder, pairs, ["saved_model"])


@pytest.mark.parametrize("kind", ["text", "mediapipe"])
def test_a_swapped_vocabulary_entry_inside_litert_is_caught(
    workdir, folder, pairs, swapped, student, kind
):
    """The tokenizer in the file is another copy than the one beside it."""
    write = {"text": convert_text, "mediapipe": convert_mediapipe}[kind]
    (folder / "student_text_int8.tflite").unlink()
    write(student, swapped, folder / f"student_{kind}_int8.tflite", "int8", {})
    with pytest.raises(BabeletError, match=rf"{kind}_int8.tflite differs .* he text"):
        check_parity(workdir, folder, pairs, [f"{kind}_int8"])


def test_a_file_that_is_missing_is_caught(workdir, folder, pairs):
    """A gate that checks only what is there passes a folder without anything."""
    (folder / "student_mediapipe_int8.tflite").unlink()
    with pytest.raises(BabeletError, match="mediapipe_int8.tflite does not run"):
        check_parity(workdir, folder, pairs, ["mediapipe_int8"])


def test_a_truncated_file_is_caught_and_the_command_deletes_all(workdir, folder, pairs):
    """Sound files beside a bad one get shipped unless all go."""
    path = folder / "student_fp32.tflite"
    path.write_bytes(path.read_bytes()[:5000])
    (workdir / TEXTS).write_text(json.dumps(pairs))
    command = [sys.executable, "-m", "export.parity", f"--workdir={workdir}"]
    done = subprocess.run(
        [*command, f"--folder={folder}"], capture_output=True, text=True
    )
    (workdir / TEXTS).unlink()
    assert done.returncode == 2, done.stderr
    assert "student_fp32.tflite does not run" in done.stdout
    assert len(done.stdout.splitlines()) == 1
    assert not folder.exists()


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
