import hashlib
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from babelet.core.errors import BabeletError
from babelet.model.teachers.base import Teacher
from babelet.training.teacher_cache import CHUNK, TeacherCache

REPOSITORY = Path(__file__).parents[2]


class Letters(Teacher):
    """Counts letters; like a real teacher, its last bits depend on the batch."""

    fingerprint = hashlib.sha256(b"letters").hexdigest()
    dim = 8

    def __init__(self):
        self.calls = []

    def encode(self, texts):
        self.calls.append(list(texts))
        batch = hashlib.blake2b("".join(texts).encode(), digest_size=1).digest()[0]
        vectors = np.full((len(texts), self.dim), 1 + batch * 1e-6, np.float32)
        for row, text in zip(vectors, texts, strict=True):
            for letter in text:
                row[ord(letter) % self.dim] += 1
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def rooms(count):
    return [f"Turn on the light in room {i}" for i in range(count)]


def files(folder):
    return {p.name: p.read_bytes() for p in sorted(folder.glob("*/*"))}


def test_vectors_come_back_in_the_order_asked_and_no_text_is_encoded_twice(tmp_path):
    """Rows in the cache's order would train every sentence on another's vector."""
    teacher = Letters()
    cache = TeacherCache(teacher, tmp_path)
    kitchen, hall = "Kitchen light", "Hall lamp, dimmed"
    first = cache.encode([hall, kitchen, hall])
    second = cache.encode([kitchen, "Garage", hall])
    assert teacher.calls == [[hall, kitchen], ["Garage"]]
    expected = Letters().encode([hall, kitchen])
    np.testing.assert_array_equal(first, expected[[0, 1, 0]])
    np.testing.assert_array_equal(second[[2, 0]], expected)
    assert first.dtype == np.float32


def test_a_second_process_finds_every_row(tmp_path):
    """An index built only while appending would encode all again after a restart."""
    texts = rooms(CHUNK + 100)
    expected = TeacherCache(Letters(), tmp_path).encode(texts)
    teacher = Letters()
    cache = TeacherCache(teacher, tmp_path)
    assert (len(cache), cache.missing([*texts, "new", "new"])) == (len(texts), 1)
    np.testing.assert_array_equal(cache.encode(texts[::-1]), expected[::-1])
    assert teacher.calls == []


def test_ensure_streams_and_rows_point_into_the_file(tmp_path):
    """A row number off by one chunk would go unseen: all rows are unit vectors."""
    texts = rooms(3 * CHUNK + 7)
    teacher = Letters()
    cache = TeacherCache(teacher, tmp_path)
    # Repeated within a window and across windows.
    cache.ensure(t for text in texts for t in (text, text, texts[0]))
    assert [len(call) for call in teacher.calls] == [CHUNK, CHUNK, CHUNK, 7]
    wanted = [texts[i] for i in (3 * CHUNK, 5, CHUNK)]
    rows = cache.rows(wanted)
    assert rows.tolist() == [3 * CHUNK, 5, CHUNK]
    np.testing.assert_allclose(cache.vectors[rows], Letters().encode(wanted), atol=1e-4)
    with pytest.raises(BabeletError, match="Attic.*again"):
        cache.rows(["Attic"])


def test_empty_calls_are_answered(tmp_path):
    cache = TeacherCache(Letters(), tmp_path)
    assert cache.encode([]).shape == (0, 8)
    assert cache.missing([]) == 0
    assert cache.rows([]).shape == (0,)
    assert not list(tmp_path.iterdir())


PROGRAM = """
    import sys, time
    from pathlib import Path
    from test_teacher_cache import Letters, TeacherCache, rooms

    class Slow(Letters):
        def encode(self, texts):
            print(len(texts), flush=True)
            time.sleep(0.02)
            return super().encode(texts)

    TeacherCache(Slow(), Path(sys.argv[1])).ensure(rooms(int(sys.argv[2])))
"""


def start(folder, count):
    paths = (
        f"import sys; sys.path[:0] = {[str(REPOSITORY), str(Path(__file__).parent)]}"
    )
    program = f"{paths}\n{textwrap.dedent(PROGRAM)}"
    return subprocess.Popen(
        [sys.executable, "-c", program, str(folder), str(count)],
        stdout=subprocess.PIPE,
        text=True,
    )


def test_a_killed_run_continues_to_the_same_bits(tmp_path):
    """Other chunks after the kill would give vectors that differ in the last bits."""
    texts = rooms(6 * CHUNK + 50)
    process = start(tmp_path / "killed", len(texts))
    for _ in range(3):
        process.stdout.readline()
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    teacher = Letters()
    cache = TeacherCache(teacher, tmp_path / "killed")
    done = len(cache)
    assert 2 * CHUNK <= done < len(texts)
    killed = cache.encode(texts)
    assert sum(map(len, teacher.calls)) == len(texts) - done
    np.testing.assert_array_equal(
        killed, TeacherCache(Letters(), tmp_path / "whole").encode(texts)
    )
    assert files(tmp_path / "killed") == files(tmp_path / "whole")


@pytest.mark.parametrize("name", ["vectors", "keys", "commits"])
@pytest.mark.parametrize("harm", ["torn", "tail", "flipped"])
def test_a_damaged_end_is_encoded_again(tmp_path, name, harm):
    """Half a chunk taken for a whole one would shift every later row."""
    texts = rooms(2 * CHUNK)
    expected = TeacherCache(Letters(), tmp_path).encode(texts)
    intact = files(tmp_path)
    (path,) = tmp_path.glob(f"*/{name}")
    content = bytearray(path.read_bytes())
    if harm == "flipped":
        content[-3] ^= 1
    path.write_bytes(content[:-5] if harm == "torn" else content + b"?" * 9)
    teacher = Letters()
    cache = TeacherCache(teacher, tmp_path)
    np.testing.assert_array_equal(cache.encode(texts), expected)
    again = [] if harm == "tail" else [texts[CHUNK:]]
    assert teacher.calls == again
    cache.ensure(["One more"])
    for file in ("vectors", "keys", "commits"):
        assert files(tmp_path)[file].startswith(intact[file])


def test_two_processes_do_not_append_at_once(tmp_path):
    """Two writers would interleave their rows; a reader is not disturbed."""
    cached = rooms(CHUNK)
    TeacherCache(Letters(), tmp_path).ensure(cached)
    process = start(tmp_path, 100 * CHUNK)
    process.stdout.readline()
    other = TeacherCache(Letters(), tmp_path)
    with pytest.raises(BabeletError, match=r"Another process.*Remedy: wait"):
        other.encode(["Attic"])
    assert other.encode(cached).shape == (CHUNK, 8)
    process.kill()
    process.communicate()
    # The lock dies with its holder, and the other's rows are taken in.
    assert other.encode(["Attic"]).shape == (1, 8)
    assert len(other) % CHUNK == 1
    np.testing.assert_allclose(
        other.encode(rooms(len(other) - 1)[-3:]),
        Letters().encode(rooms(len(other) - 1)[-3:]),
        atol=1e-4,
    )


def test_a_full_disk_leaves_the_cache_readable(tmp_path):
    """Vectors without keys would be taken for the rows of the next texts."""
    program = """
        import sys
        from pathlib import Path
        from babelet.core.errors import BabeletError
        from test_teacher_cache import CHUNK, Letters, TeacherCache, rooms

        folder = Path(sys.argv[1])
        cache = TeacherCache(Letters(), folder)
        try:
            cache.ensure(rooms(10 * CHUNK))
        except BabeletError as error:
            print(error)
        done = len(cache)
        assert done and done % CHUNK == 0, done
        teacher = Letters()
        again = TeacherCache(teacher, folder)
        assert again.encode(rooms(done)).shape == (done, 8) and not teacher.calls
        size = sum(path.stat().st_size for path in folder.glob("*/*s"))
        assert size == done * 48 + done // CHUNK * 16, size
    """
    paths = (
        f"import sys; sys.path[:0] = {[str(REPOSITORY), str(Path(__file__).parent)]}"
    )
    script = tmp_path / "script.py"
    script.write_text(f"{paths}\n{textwrap.dedent(program)}")
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = f"mount -t tmpfs -o size=300k none {disk}"
    namespace = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c"]
    try:
        subprocess.run([*namespace, mount], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"cannot mount a small disk here: {error}")
    run = subprocess.run(
        [*namespace, f"{mount} && {sys.executable} {script} {disk}"],
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    assert "No space left on the disk" in run.stdout


def test_another_teachers_folder_is_refused(tmp_path):
    """A cache copied under a wrong name would train on a foreign teacher's vectors."""
    TeacherCache(Letters(), tmp_path).ensure(["Hall"])
    teacher = Letters()
    teacher.fingerprint = teacher.fingerprint[:16] + "0" * 48
    with pytest.raises(BabeletError, match=r"not a cache of this teacher.*delete"):
        TeacherCache(teacher, tmp_path)


def test_a_vector_that_is_not_finite_is_named_and_not_kept(tmp_path):
    """One NaN in the cache makes the loss NaN much later, at an unrelated step."""

    class Broken(Letters):
        def encode(self, texts):
            vectors = super().encode(texts)
            vectors[1, 0] = np.nan
            return vectors

    cache = TeacherCache(Broken(), tmp_path)
    with pytest.raises(BabeletError, match="'Cellar door'"):
        cache.ensure(["Kitchen", "Cellar door", "Hall"])
    assert len(TeacherCache(Letters(), tmp_path)) == 0


@pytest.mark.parametrize("name", ["vectors", "keys"])
def test_a_damaged_chunk_costs_its_own_texts_alone(tmp_path, name):
    """One flipped bit would cost all vectors after it, or be taught to the student."""
    texts = rooms(3 * CHUNK)
    expected = TeacherCache(Letters(), tmp_path).encode(texts)
    (path,) = tmp_path.glob(f"*/{name}")
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    teacher = Letters()
    cache = TeacherCache(teacher, tmp_path)
    assert (len(cache), cache.missing(texts)) == (2 * CHUNK, CHUNK)
    np.testing.assert_array_equal(cache.encode(texts), expected)
    assert teacher.calls == [texts[CHUNK : 2 * CHUNK]]
    assert len(TeacherCache(Letters(), tmp_path)) == 3 * CHUNK
