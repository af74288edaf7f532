import io
import os
import pty
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from babelet.core.errors import BabeletError
from babelet.export.infer import infer, open_model, read_texts
from babelet.export.runtime import Embedder

ROOT = Path(__file__).resolve().parents[2]
TEXTS = ["Turn on the lamp", "", "Die Tür ist offen", "ドアが開いています"]


def run(arguments, **options):
    """Runs the command in a process; stdout is bytes."""
    command = [sys.executable, "-m", "babelet.export.infer", *map(str, arguments)]
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
    return subprocess.run(command, cwd=ROOT, timeout=120, **streams)


@pytest.fixture
def run_folder(artefacts, tmp_path):
    """A workdir whose export is `artefacts`."""
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "export").symlink_to(artefacts)
    return tmp_path / "run"


@pytest.fixture
def expected(artefacts):
    return Embedder(artefacts / "student_int8.tflite").encode(TEXTS)


def test_a_file_and_the_standard_input_give_the_same_array(
    run_folder, artefacts, expected, tmp_path
):
    """Anything else on the standard output makes an array that does not load."""
    content = "\n".join(TEXTS).encode()
    (tmp_path / "texts.txt").write_bytes(content)
    from_file = run([f"--model={run_folder}", tmp_path / "texts.txt"])
    from_input = run([f"--model={artefacts / 'student_int8.tflite'}"], input=content)
    assert from_file.stdout == from_input.stdout, from_file.stderr
    vectors = np.load(io.BytesIO(from_file.stdout))
    assert vectors.dtype == np.float32
    assert np.abs(vectors - expected).max() < 1e-5
    assert b"student_int8.tflite" in from_file.stderr
    assert b"4/4" in from_file.stderr


def test_row_i_is_line_i(run_folder, tmp_path):
    """A dropped empty line shifts every vector after it."""
    lines = [f"lamp {number}\n" if number % 7 else "\n" for number in range(1100)]
    (tmp_path / "texts.txt").write_text("".join(lines))
    infer(run_folder, tmp_path / "texts.txt", tmp_path / "vectors.npy")
    vectors = np.load(tmp_path / "vectors.npy")
    assert vectors.shape == (1100, 16)
    some = [0, 1, 7, 1023, 1024, 1099]
    one_by_one = [open_model(run_folder)[0]([lines[i].strip()])[0] for i in some]
    assert np.abs(vectors[some] - one_by_one).max() < 0.02


def test_lines_are_read_as_editors_write_them():
    r"""A byte order mark or "\r" inside the text has a vector of its own."""
    assert read_texts(b"\xef\xbb\xbflamp\r\ndoor\r\n", "") == ["lamp", "door"]
    assert read_texts(b"lamp\n\ndoor", "") == ["lamp", "", "door"]
    assert read_texts(b"lamp\n\n", "") == ["lamp", ""]
    assert read_texts(b"", "") == []
    # All of these end a line for str.splitlines.
    odd = "a\u2028b\x0bc\x85d\x1ce\x00f"
    assert read_texts(odd.encode(), "") == [odd]


def test_other_encodings_are_refused_by_file_and_line():
    """Read as UTF-8 with replacements, Latin-1 loses every umlaut silently."""
    with pytest.raises(BabeletError, match=r"de\.txt, line 2 .*0xfc.*iconv"):
        read_texts("Lampe\nTür\n".encode("latin-1"), "de.txt")
    with pytest.raises(BabeletError, match="line 1 is not UTF-8"):
        read_texts("Lampe".encode("utf-16"), "de.txt")


def test_no_text_is_no_row(run_folder):
    """A pipeline's empty day must not look like a failure."""
    done = run([f"--model={run_folder}"], input=b"")
    assert np.load(io.BytesIO(done.stdout)).shape == (0, 16), done.stderr


def test_a_saved_model_gives_the_same_vectors(artefacts, expected):
    """Two ways in that tokenise differently split an index in two."""
    done = run(
        [f"--model={artefacts / 'saved_model'}"], input="\n".join(TEXTS).encode()
    )
    vectors = np.load(io.BytesIO(done.stdout))
    assert (vectors * expected).sum(axis=1).min() > 0.99, done.stderr
    # A model of somebody's may do with the user's files what it likes.
    assert b"is a program, which TensorFlow runs with your rights" in done.stderr


@pytest.mark.parametrize("kind", ["text_int8", "mediapipe_fp32"])
def test_a_file_with_its_tokenizer_inside_names_the_one_to_use(artefacts, kind):
    """The interpreter's own error speaks of an unresolved custom operation."""
    with pytest.raises(BabeletError) as caught:
        open_model(artefacts / f"student_{kind}.tflite")
    tier = kind.partition("_")[2]
    assert f"use {artefacts / f'student_{tier}.tflite'}" in str(caught.value)


def test_a_damaged_saved_model_is_not_run(artefacts, tmp_path):
    """TensorFlow loads it with other weights, and says nothing."""
    folder = shutil.copytree(artefacts / "saved_model", tmp_path / "saved_model")
    weights = next((folder / "variables").glob("variables.data*"))
    content = bytearray(weights.read_bytes())
    content[len(content) // 2] ^= 64
    weights.write_bytes(content)
    with pytest.raises(BabeletError, match=f"{weights.name} is damaged"):
        open_model(folder)


def test_binary_is_not_written_to_a_terminal(run_folder):
    """It leaves the terminal unreadable, and the vectors lost."""
    controller, terminal = pty.openpty()
    try:
        done = run([f"--model={run_folder}"], input=b"lamp\n", stdout=terminal)
        os.write(terminal, b"nothing before")
        assert os.read(controller, 100) == b"nothing before"
    finally:
        os.close(controller)
        os.close(terminal)
    assert done.returncode == 2
    assert done.stderr.count(b"\n") == 1 and b"--output=vectors.npy" in done.stderr


def test_a_reader_that_stops_is_one_line(run_folder):
    """`| head` must not end in two tracebacks."""
    command = [sys.executable, "-m", "babelet.export.infer", f"--model={run_folder}"]
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    process.stdout.close()
    _, message = process.communicate(b"lamp\n" * 3000, timeout=120)
    assert process.returncode == 2
    assert b"Cannot write the results: Broken pipe" in message
    assert b"Traceback" not in message and b"Exception ignored" not in message


def test_a_failure_leaves_the_old_output(run_folder, tmp_path):
    """Half an array in the place of yesterday's whole one."""
    output = tmp_path / "vectors.npy"
    output.write_text("yesterday's")
    (tmp_path / "run" / "export").unlink()
    with pytest.raises(BabeletError, match="no exported model in .* finish the run"):
        infer(run_folder, ROOT / "README.md", output)
    assert output.read_text() == "yesterday's"
    assert not list(tmp_path.glob(".*"))


def test_only_a_file_is_replaced(run_folder, tmp_path):
    """Renamed over, /dev/null is a plain file ever after."""
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path):
        with pytest.raises(BabeletError, match="not a regular file"):
            infer(run_folder, ROOT / "README.md", path)


def test_what_is_missing_or_foreign_is_named(run_folder, tmp_path):
    """One line that says which of the paths on the command line is wrong."""
    output = tmp_path / "vectors.npy"
    with pytest.raises(BabeletError, match=r"Cannot read .*absent\.txt"):
        infer(run_folder, tmp_path / "absent.txt", output)
    with pytest.raises(BabeletError, match=r"Cannot read the model .*absent: No such"):
        infer(tmp_path / "absent", ROOT / "README.md", output)
    (tmp_path / "saved_model.pb").write_text("not a proto")
    with pytest.raises(BabeletError, match="Cannot load the SavedModel"):
        infer(tmp_path, ROOT / "README.md", output)
    assert not output.exists()


def test_two_files_are_refused(run_folder):
    """The second would be left out without a word."""
    done = run([f"--model={run_folder}", "a.txt", "b.txt"])
    assert done.returncode == 1 and b"One FILE at most" in done.stderr


def test_a_command_refuses_a_model_of_another_task(artefacts):
    """A file of vectors passes for one of classes until somebody opens it."""
    model = artefacts / "student_int8.tflite"
    line = [Path(sys.executable).with_name("babelet"), "classify", f"--model={model}"]
    done = subprocess.run(line, input="Lamp", capture_output=True, text=True)
    assert done.returncode == 2 and not done.stdout
    assert f"Remedy: babelet embed --model={model}" in done.stderr
