"""Files and folders are whole or absent, whatever goes wrong while they are made."""

import subprocess
import sys

import numpy as np
import pytest

from babelet.core.atomic import atomic_path, partial_of, remove_partial, reserve
from babelet.core.errors import BabeletError


def test_a_file_appears_only_when_it_is_complete(tmp_path):
    """A reader must never see half a file."""
    file = tmp_path / "metrics" / "metrics.json"
    with atomic_path(file) as temporary:
        temporary.write_text("{}")
        assert not file.exists()
    assert file.read_text() == "{}"
    assert [path.name for path in file.parent.iterdir()] == ["metrics.json"]


def test_a_failure_leaves_the_old_file(tmp_path):
    """A run that dies while writing must not destroy the last good result."""
    file = tmp_path / "metrics.json"
    file.write_text("old")
    with pytest.raises(RuntimeError), atomic_path(file) as temporary:
        temporary.write_text("half of the n")
        raise RuntimeError("the lamp went out")
    assert file.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["metrics.json"]


def test_a_folder_replaces_a_folder(tmp_path):
    """Files of an earlier export must not linger among the new ones."""
    folder = tmp_path / "export"
    for name in ("first", "second"):
        with atomic_path(folder) as temporary:
            temporary.mkdir()
            (temporary / name).write_text(name)
    assert [path.name for path in folder.iterdir()] == ["second"]


def test_leftovers_of_a_killed_run_are_replaced(tmp_path):
    """After kill -9 the next run must neither fail on the temporary nor keep it."""
    file = tmp_path / "metrics.json"
    script = (
        "import os, sys\n"
        "from babelet.core.atomic import atomic_path\n"
        "with atomic_path(sys.argv[1]) as temporary:\n"
        "    temporary.mkdir(); (temporary / 'half').write_text('half')\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    subprocess.run([sys.executable, "-c", script, file], timeout=60)
    assert not file.exists() and len(list(tmp_path.iterdir())) == 1
    with atomic_path(file) as temporary:
        temporary.write_text("{}")
    assert [path.name for path in tmp_path.iterdir()] == ["metrics.json"]


def test_a_full_disk_is_one_clear_error(small_disk):
    """A truncated file would be taken for a finished step by the next run."""
    file = small_disk / "vectors.npy"
    file.write_bytes(b"old")
    with pytest.raises(BabeletError, match=r"No space left.*vectors\.npy.*Remedy: "):
        with atomic_path(file) as temporary:
            temporary.write_bytes(bytes(100_000))
    assert file.read_bytes() == b"old"
    assert [path.name for path in small_disk.iterdir()] == ["vectors.npy"]


@pytest.mark.parametrize("parent", ["notes.txt/run", "/proc/babelet"])
def test_a_folder_that_cannot_be_written_is_one_clear_error(tmp_path, parent):
    """The user chose the folder, and only the user can choose another."""
    (tmp_path / "notes.txt").write_text("not a folder")
    with pytest.raises(BabeletError, match=r"Cannot write .*--workdir"):
        with atomic_path(tmp_path / parent / "metrics.json") as temporary:
            temporary.write_text("{}")


def test_a_workdir_that_is_a_file_is_one_clear_error(tmp_path):
    """--workdir=notes.txt, typed by mistake, must not become a traceback."""
    (tmp_path / "notes.txt").write_text("my notes")
    with pytest.raises(BabeletError, match="Cannot write"):
        with atomic_path(tmp_path / "notes.txt" / "metrics.json") as temporary:
            temporary.write_text("{}")
    assert (tmp_path / "notes.txt").read_text() == "my notes"


def test_a_missing_input_is_not_blamed_on_the_output(tmp_path):
    """The advice to choose another workdir would send the user the wrong way."""
    with pytest.raises(FileNotFoundError, match=r"corpus\.tsv"):
        with atomic_path(tmp_path / "metrics.json"):
            (tmp_path / "corpus.tsv").read_text()


def test_a_folder_takes_the_place_of_a_link_to_another(tmp_path):
    """A run that borrowed another's folder died, or emptied the other's."""
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "pairs").write_text("lamp")
    (tmp_path / "own").symlink_to(tmp_path / "theirs")
    with atomic_path(tmp_path / "own") as folder:
        folder.mkdir()
    assert (tmp_path / "own").is_dir() and not (tmp_path / "own").is_symlink()
    assert (tmp_path / "theirs" / "pairs").read_text() == "lamp"


def test_a_folder_that_raises_leaves_the_old_one(tmp_path):
    """An export that fails its check must not cost the one that passed."""
    folder = tmp_path / "export"
    folder.mkdir()
    (folder / "student.tflite").write_text("passed")
    with pytest.raises(RuntimeError), atomic_path(folder) as temporary:
        temporary.mkdir()
        raise RuntimeError("differs")
    assert (folder / "student.tflite").read_text() == "passed"
    assert [path.name for path in tmp_path.iterdir()] == ["export"]


def test_only_what_babelet_named_is_removed(tmp_path):
    """A user's own file with "partial" in its name was deleted, and a nested run's."""
    kept = [
        tmp_path / "notes" / ".my.partial translation.docx",
        tmp_path / "notes" / ".draft.partial",
        tmp_path / "nested" / ".metrics.json.babelet-partial",
        tmp_path / "nested" / "manifest.json",
        tmp_path / "metrics.babelet-partial",
    ]
    lost = [
        partial_of(tmp_path / "metrics.json"),
        partial_of(tmp_path / "checkpoints" / "best.weights.h5"),
        tmp_path / ".student.keras.babelet-partial.keras",
        tmp_path / ".best.weights.h5.babelet-partial.weights.h5",
    ]
    for path in (*kept, *lost):
        path.parent.mkdir(exist_ok=True)
        path.write_text("half")
    folder = partial_of(tmp_path / "export")
    (folder / "deep").mkdir(parents=True)
    remove_partial(tmp_path)
    assert all(path.exists() for path in kept)
    assert not any(path.exists() for path in (*lost, folder))


def test_partials_behind_a_link_are_left(tmp_path):
    """A run that borrowed another's folder would delete what that one is writing."""
    other = tmp_path / "other" / "corpus"
    other.mkdir(parents=True)
    (other / ".pairs.npy.babelet-partial").write_text("being written")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "corpus").symlink_to(other)
    remove_partial(tmp_path / "run")
    assert (other / ".pairs.npy.babelet-partial").exists()


def test_a_library_s_own_ending_is_removed_too(tmp_path):
    """Keras writes beside the temporary name; its half file filled the disk."""
    with pytest.raises(RuntimeError), atomic_path(tmp_path / "student.keras") as path:
        path.with_name(f"{path.name}.keras").write_text("half")
        raise RuntimeError("the lamp went out")
    assert not list(tmp_path.iterdir())


def test_what_does_not_fit_is_told_before_it_is_mapped(small_disk):
    """Writing a mapped page of a full disk ends the process with SIGBUS."""
    with pytest.raises(BabeletError, match="No space left"):
        with atomic_path(small_disk / "vectors") as path:
            reserve(path, 10**6)
    assert not list(small_disk.iterdir())


def test_numpys_short_write_is_a_full_disk(small_disk):
    """NumPy raises an OSError without a number: a traceback."""
    with pytest.raises(BabeletError, match="No space left"):
        with atomic_path(small_disk / "ids.npy") as path, path.open("wb") as file:
            np.save(file, np.zeros(100_000))
