"""A run's folder: each step once, and never the result of other inputs."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from babelet.configs import embedding, parsing
from babelet.core.checksums import seal
from babelet.core.errors import BabeletError
from babelet.training.workdir import Workdir, opened

REPOSITORY = Path(__file__).parents[2]
OTHER_RUN = """
import sys, time
from pathlib import Path
from babelet.configs import embedding, parsing
from babelet.training.workdir import opened
config = embedding.EmbeddingConfig("other", embedding.DataConfig(languages=("fr",)))
with opened(Path(sys.argv[1]), config):
    print("locked", flush=True)
    time.sleep(60)
"""


def config(name="home"):
    return embedding.EmbeddingConfig(name, embedding.DataConfig(languages=("de",)))


class Work:
    """Writes its text to `corpus.txt` and counts how often it did."""

    def __init__(self, folder):
        self.folder = folder
        self.runs = 0

    def write(self, text):
        def run():
            self.runs += 1
            (self.folder / "corpus.txt").write_text(text)
            return {"text": text}

        return run


@pytest.fixture
def work(tmp_path):
    return Work(tmp_path)


def step(folder, work, languages="de fr", text="Hallo"):
    """One run's step, with the manifest read from disk as a new process would."""
    workdir = Workdir(folder, config())
    inputs = {"languages": languages, "limits": [9, 300]}
    return workdir.step("corpus", inputs, ["corpus.txt"], work.write(text))


def test_a_finished_step_is_skipped_and_its_facts_return(tmp_path, work):
    """A restart that encodes the corpus again costs hours."""
    assert step(tmp_path, work) == {"text": "Hallo"}
    assert step(tmp_path, work, text="unused") == {"text": "Hallo"}
    assert work.runs == 1


def test_other_inputs_run_it_again(tmp_path, work):
    """Languages added to the recipe would be missing from the model."""
    step(tmp_path, work)
    assert step(tmp_path, work, languages="de fr he", text="Shalom") == {
        "text": "Shalom"
    }
    assert (work.runs, (tmp_path / "corpus.txt").read_text()) == (2, "Shalom")


def test_a_missing_output_runs_it_again(tmp_path, work):
    """A deleted file would surface hours later, as another step's traceback."""
    step(tmp_path, work)
    (tmp_path / "corpus.txt").unlink()
    step(tmp_path, work)
    assert (work.runs, (tmp_path / "corpus.txt").exists()) == (2, True)


def test_the_order_of_inputs_does_not_matter(tmp_path, work):
    """A dict built in another order would throw away a finished step."""
    workdir = Workdir(tmp_path, config())
    for inputs in ({"a": 1, "b": 2}, {"b": 2, "a": 1}):
        workdir.step("corpus", inputs, [], work.write("Hallo"))
    assert work.runs == 1


def test_a_failed_step_is_not_done(tmp_path, work):
    """Half an output that counts as finished is never written whole."""

    def fail():
        (tmp_path / "corpus.txt").write_text("Hal")
        raise RuntimeError("killed")

    workdir = Workdir(tmp_path, config())
    inputs = {"languages": "de fr", "limits": [9, 300]}
    with pytest.raises(RuntimeError):
        workdir.step("corpus", inputs, ["corpus.txt"], fail)
    assert step(tmp_path, work) == {"text": "Hallo"}
    assert work.runs == 1


def test_going_back_after_a_failure_runs_it_again(tmp_path, work):
    """An output overwritten for other inputs, then killed, is not the old result."""
    step(tmp_path, work)

    def fail():
        (tmp_path / "corpus.txt").write_text("of the other languages")
        raise RuntimeError("killed before it was noted")

    with pytest.raises(RuntimeError):
        Workdir(tmp_path, config()).step("corpus", {}, ["corpus.txt"], fail)
    step(tmp_path, work)
    assert (tmp_path / "corpus.txt").read_text() == "Hallo"


def test_it_records_what_ran(tmp_path, work):
    """A result nobody can repeat: without settings, seed or versions."""
    step(tmp_path, work)
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert manifest["seed"] == 0
    assert {"tensorflow", "keras", "numpy"} <= set(manifest["versions"])
    assert manifest["steps"]["corpus"]["facts"] == {"text": "Hallo"}
    assert parsing.from_json(tmp_path / "config.json") == config()


@pytest.mark.parametrize("content", ["", '{"steps": {"cor', "[]", "null", "{}"])
def test_a_damaged_manifest_is_one_clear_error(tmp_path, content):
    """A KeyError names neither the file nor the way out."""
    (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(BabeletError, match=r"manifest\.json.*Remedy: delete it"):
        Workdir(tmp_path, config())


def test_a_workdir_that_is_a_file_is_one_clear_error(tmp_path):
    """--workdir=notes.txt, typed by mistake, must leave the notes alone."""
    (tmp_path / "notes.txt").write_text("my notes")
    for path in (tmp_path / "notes.txt", tmp_path / "notes.txt" / "run"):
        with pytest.raises(BabeletError, match=r"Cannot write.*--workdir"):
            with opened(path, config()):
                pass
    assert (tmp_path / "notes.txt").read_text() == "my notes"


@pytest.fixture
def other_run(tmp_path):
    """Another process, working in the folder `run` with other settings."""
    command = [sys.executable, "-c", OTHER_RUN, str(tmp_path / "run")]
    process = subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"locked\n"
    yield process
    process.kill()
    process.wait(timeout=60)


def test_a_second_process_is_refused_and_changes_nothing(tmp_path, other_run):
    """Two runs in one folder: the first exports by the second's config.json."""
    folder = tmp_path / "run"
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(BabeletError, match="Another run is working in"):
        with opened(folder, config()):
            pass
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_what_a_killed_run_left_half_written_is_removed(tmp_path):
    """Leftovers of many kills fill the disk, and one may look like a result."""
    (tmp_path / ".metrics.json.babelet-partial").write_text("{")
    (tmp_path / "corpus.txt").write_text("Hallo")
    with opened(tmp_path, config()):
        names = {path.name for path in tmp_path.iterdir()}
    assert names == {".lock", "config.json", "manifest.json", "corpus.txt"}


def test_the_lock_of_a_killed_process_is_free(tmp_path, other_run):
    """A lock file left by kill -9 would ask the user to delete it by hand."""
    other_run.send_signal(signal.SIGKILL)
    other_run.wait(timeout=60)
    for _ in range(2):
        with opened(tmp_path / "run", config()) as workdir:
            assert workdir.config == config()


@pytest.mark.parametrize("sealed", [False, True])
def test_a_damaged_output_is_made_again(tmp_path, sealed, capsys):
    """A step that counts as done hands its damage on to all later ones."""
    runs = []

    def build():
        runs.append(1)
        folder = tmp_path / "corpus"
        folder.mkdir(exist_ok=True)
        (folder / "pairs").write_text("lamp Lampe")
        if sealed:
            seal(folder)
        return {}

    for _ in range(2):
        Workdir(tmp_path, config()).step("corpus", {}, ["corpus"], build)
    assert len(runs) == 1
    (tmp_path / "corpus" / "pairs").write_text("lamp Lampf")
    Workdir(tmp_path, config()).step("corpus", {}, ["corpus"], build)
    assert len(runs) == 2 and "pairs is damaged" in capsys.readouterr().out
    assert (tmp_path / "corpus" / "pairs").read_text() == "lamp Lampe"


def test_what_people_may_change_is_kept(tmp_path, capsys):
    """A model card that a user completed would be written over."""

    def write():
        (tmp_path / "MODEL_CARD.md").write_text("made")
        return {}

    for text in ("made", "completed by hand"):
        (tmp_path / "MODEL_CARD.md").write_text(text)
        workdir = Workdir(tmp_path, config())
        workdir.step("report", {}, ["MODEL_CARD.md"], write, editable=True)
        assert (tmp_path / "MODEL_CARD.md").read_text() == text
    assert "MODEL_CARD.md was changed" in capsys.readouterr().out
