"""What users get wrong is one line that says so, from the real command."""

import fcntl
import re
import shutil
import subprocess

import pytest

from babelet.data.sources import home_assistant
from babelet.model.teachers import TEACHERS
from tests.training.conftest import messages

FILES = ("corpus", "tokenizer.model", "teacher_cache", "checkpoints", "export")


def the_error(done):
    """Returns the one line on stderr of a run that was refused."""
    found = messages(done.stderr)
    assert len(found) == 1, done.stderr[-4000:]
    assert done.returncode == 2
    assert found[0].startswith("error: ") and "Remedy: " in found[0]
    return found[0]


@pytest.mark.parametrize(
    ("setting", "pattern"),
    [
        ("training.step=3", r"Unknown config key training\.step\b.*training\.steps\?"),
        ("data.language=de", r"Unknown config key data\.language\b.*data\.languages\?"),
        ("training.steps=many", r"Wrong value for training\.steps.*'many'"),
        ("training.steps", r"Cannot read --set training\.steps.*key=value"),
        ("student.num_heads=5", r"Invalid student\.hidden_dim.*multiple.* \(5\).*32"),
        ("student.init_layers=0,1", r"Invalid student\.init_layers.*each of the 1 "),
    ],
)
def test_a_wrong_setting(command, tmp_path, setting, pattern):
    """A mistyped key that is ignored trains for hours with the default."""
    line = command(tmp_path / "run", setting)
    assert re.search(pattern, the_error(line.run()))
    assert not line.workdir.exists()


def test_a_missing_config(command, tmp_path):
    for name in ("absent.py", "absent.json"):
        line = command(tmp_path / "run", config=tmp_path / name)
        assert name in the_error(line.run())


def test_a_student_that_cannot_be_compared_or_initialised(prepared):
    """Vectors of another width would be broadcast, or fail deep inside Keras."""
    message = the_error(prepared("student.output_dim=16").run())
    assert re.search(r"student\.output_dim = 32.*Received: 16", message)


def test_layers_that_the_teacher_does_not_have(prepared):
    message = the_error(prepared("student.init_layers=7").run())
    assert "student.init_layers" in message and "7" in message


def test_an_unknown_language(command, tmp_path):
    line = command(tmp_path / "run", "data.languages=de,fr")
    assert re.search(r"no language 'fr'.*one of de es fi", the_error(line.run()))


def test_a_workdir_that_cannot_be_written(command, tmp_path):
    """Minutes of training that cannot be saved."""
    (tmp_path / "file").write_text("not a folder")
    for workdir in (tmp_path / "file" / "run", tmp_path / "file"):
        message = the_error(command(workdir).run())
        assert str(workdir) in message and "another --workdir" in message


def test_a_truncated_teacher(command, home, tmp_path):
    cut = tmp_path / "cut.bin"
    cut.write_bytes(home.teacher.read_bytes()[:-1000])
    message = the_error(command(tmp_path / "run", f"teacher.path={cut}").run())
    assert "cut.bin is truncated" in message


WHEELS = {
    "text": (home_assistant.FILENAME, "data.source=home_assistant"),
    "teacher": (TEACHERS["packaged_e5"].wheel.filename, "teacher.path="),
}


@pytest.mark.parametrize("what", WHEELS)
def test_a_wheel_of_another_content(command, tmp_path, what):
    """A file that is not what it is named for is trained on."""
    name, setting = WHEELS[what]
    wheel = tmp_path / "cache" / name
    wheel.parent.mkdir()
    wheel.write_text("something else")
    line = command(tmp_path / "run", setting, "data.languages=de,es,fi")
    message = the_error(line.run(BABELET_CACHE=str(wheel.parent)))
    assert name in message and "SHA-256" in message
    assert not wheel.exists()


def test_neither_network_nor_cache(command, tmp_path):
    line = command(tmp_path / "run", "data.source=home_assistant")
    closed = "http://127.0.0.1:9/simple"
    done = line.run(
        BABELET_CACHE=str(tmp_path / "cache"),
        PIP_INDEX_URL=closed,
        PIP_EXTRA_INDEX_URL="",
        PIP_CONFIG_FILE="/dev/null",
        PIP_NO_CACHE_DIR="1",
    )
    lines = [line for line in messages(done.stderr) if line.startswith("error: ")]
    assert done.returncode == 2 and len(lines) == 1
    assert "Traceback" not in done.stderr
    assert "Could not download homeassistant==" in lines[0]
    assert "network" in lines[0] and str(tmp_path / "cache") in lines[0]


def test_two_runs_in_one_workdir(command, tmp_path):
    """The second would overwrite what the first is doing, its settings first."""
    line = command(tmp_path / "run", "training.steps=3")
    line.workdir.mkdir()
    (line.workdir / "config.json").write_text("of the first run")
    with (line.workdir / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert "Another run is working in" in the_error(line.run())
    assert (line.workdir / "config.json").read_text() == "of the first run"


def test_an_unprepared_run_is_not_adopted(command, tmp_path):
    flags = [f"--prepared={tmp_path / 'nowhere'}"]
    message = the_error(command(tmp_path / "run", flags=flags).run())
    assert "nowhere" in message


@pytest.fixture
def small_disk(tmp_path):
    """Returns a function that makes a disk of so many kilobytes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount")

    def make(kilobytes):
        order = ["-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(folder)]
        if not mount or subprocess.run([mount, *order], capture_output=True).returncode:
            pytest.skip("mounting a small disk takes root")
        return folder

    yield make
    subprocess.run(["umount", str(folder)], capture_output=True)


@pytest.mark.parametrize(
    ("kilobytes", "during"), [(64, "corpus"), (512, "training"), (1100, "export")]
)
def test_a_full_disk(command, small_disk, kilobytes, during):
    """A truncated file is taken for a finished one by the next start."""
    line = command(small_disk(kilobytes) / "run")
    done = line.run()
    assert "No space left on the disk" in the_error(done)
    assert done.stdout.count("started") - done.stdout.count("finished") == 1
    assert f"{during}: started" in done.stdout
    assert f"{during}: finished" not in done.stdout
    assert not list(line.workdir.rglob("*partial*"))
