"""The torture itself can fail: planted faults are counted, by kind."""

import json
import shutil

import h5py
import numpy as np
import pytest

from benchmarks.torture import disk, flips, kills, strings, together
from benchmarks.torture.bench import Bench, Command, one_line
from benchmarks.torture.commands import Done, servers
from benchmarks.torture.flips import Place, judge
from benchmarks.torture.readers import Case, Reader
from benchmarks.torture.snapshot import differences, snapshot


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    """A bench with one warm server: a second takes another eight seconds."""
    with servers(1) as warm:
        yield Bench(tmp_path_factory.mktemp("torture"), warm)


@pytest.fixture
def preparing(bench):
    """The steps before training, which take a few seconds."""
    made = bench.distill("embedding", "--until=preparation")
    return made._replace(name="prepare embedding")


def test_kills_are_made_and_another_end_is_counted(bench, preparing):
    """Kills that come too late, or a content comparison, would prove nothing."""
    random = np.random.default_rng(0)
    plan = list(kills._plan(bench, preparing, random))[1:2]
    # As if it had ended as another: the comparison must say so.
    reference = bench.reference(preparing)
    files = dict(reference.content.files)
    files["corpus/corpus.json"] = b"another"
    content = reference.content._replace(files=files)
    bench._references[preparing.name] = reference._replace(content=content)
    row = kills._run(bench, preparing, plan, len(plan))
    bench._references[preparing.name] = reference
    assert row["kills"] and not row["failed"]
    assert row["files"] == ["corpus/corpus.json: differs"] and kills.failed(row)


def reading(folder, module, *arguments):
    """A case of one file, number.json, and one reader of it."""
    state, used = folder / "state", folder / "used"
    state.mkdir()
    (state / "number.json").write_text('{"n": 10}\n')
    command = [module, *arguments, str(used / "number.json")]
    reader = Reader("reader", command, lambda folder: None, printed=True)
    return Case("case", state, used, lambda name: True, lambda name: [reader], {})


@pytest.mark.parametrize(
    ("byte", "outcome"),
    [(7, "SILENT"), (0, "traceback")],
)
def test_flips_are_told_apart(bench, tmp_path, byte, outcome):
    """json.tool has no checksum: 10 is 11 for it, without a word."""
    case = reading(tmp_path, "json.tool")
    row = flips.flip(bench, Place(case, "number.json", byte, 0))
    assert row["outcome"] == outcome and flips.failed(row)
    assert (case.state / "number.json").read_text() == '{"n": 10}\n'


@pytest.mark.parametrize(
    ("done", "outcome"),
    [
        (Done(0, "", ""), "harmless"),
        (Done(2, "", "error: It is damaged. Remedy: none.\n"), "noticed"),
        (Done(2, "", "error: One.\nerror: Two.\n"), "traceback"),
        (Done(1, "", "Traceback (most recent call last):\n"), "traceback"),
        (Done(-7, "", ""), "traceback"),
        (Done(1, "PROBLEM    a page\n", ""), "noticed"),
    ],
)
def test_ends_are_judged_by_what_a_user_sees(done, outcome):
    """A bus error taken for a refusal would hide the worst of the ends."""
    assert judge(done, lambda: 1, (1, None))[0] == outcome


def test_another_output_with_status_0_is_silent():
    """The fault that the measurement is for."""
    assert judge(Done(0, "", ""), lambda: 2, ((1,), None))[0] == "SILENT"


def test_a_full_disk_is_told_and_the_enlarged_one_continues(bench, preparing):
    """A disk that was never full proves nothing."""
    if not disk.can_mount():
        pytest.skip("only root can mount small disks")
    bench.reference(preparing)
    with disk.small_disk(preparing.folder, 16384):
        full = bench.servers[0].run(preparing.arguments)
        disk.enlarge(preparing.folder, 1 << 26)
        again = bench.servers[0].run(preparing.arguments)
        found = snapshot(preparing.folder)
    assert one_line(full) and "No space left" in full.stderr
    assert again.status == 0
    assert differences(bench.reference(preparing).content, found) == []


def test_two_at_once_are_run_at_once(bench, preparing):
    """One after the other always succeeds."""
    twice, folder = preparing.arguments, preparing.folder
    pair = together.Pair("two preparations", twice, twice, None, folder)
    row = together.run_pair(bench, pair, 0.1)
    assert sorted(row["statuses"]) == [0, 2] and not together.failed(row)


def test_a_differing_tokenizer_is_counted():
    """Ids compared with themselves never differ."""
    row = {"differ": 0, "strings": 0, "examples": []}
    strings.compare(row, ["a", "b"], [[1], [2]], [[1], [3]])
    assert row["differ"] == 1 and row["examples"] == [["'b'", [2], [3]]]
    assert strings.failed(row)


def test_random_strings_are_of_every_kind_and_repeatable():
    """Strings of one script alone would leave the normaliser untried."""
    found = strings.random_strings(4000, seed=1)
    assert found == strings.random_strings(4000, seed=1)
    assert found != strings.random_strings(4000, seed=2)
    text = "".join(found)
    assert {"\0", "\u0301", "\u202e", "\U0010ffff", "<s>"} <= {*text, "<s>"}
    assert max(map(len, found)) > 1000 and "" in found
    text.encode("utf-8")


def test_arrays_are_compared_apart_from_bytes(tmp_path):
    """Names that Keras counts up make other files of equal weights: another fault."""
    for folder, name, value in (("a", "dropout_1", 1), ("b", "dropout_2", 1)):
        (tmp_path / folder).mkdir()
        with h5py.File(tmp_path / folder / "student.weights.h5", "w") as file:
            file[name] = np.full(3, value)
    equal = snapshot(tmp_path / "a"), snapshot(tmp_path / "b")
    told = "student.weights.h5: bytes differ, arrays are equal"
    assert differences(*equal) == [told]
    with h5py.File(tmp_path / "b" / "student.weights.h5", "w") as file:
        file["dropout_1"] = np.full(3, 2)
    found = differences(equal[0], snapshot(tmp_path / "b"))
    assert found == ["student.weights.h5: arrays differ"]


def test_times_may_differ_and_nothing_else(tmp_path):
    """A manifest left out altogether would hide another step or hash."""
    for folder, seconds, inputs in (("a", 1.0, "x"), ("b", 2.0, "x"), ("c", 1.0, "y")):
        (tmp_path / folder).mkdir()
        step = {"seconds": seconds, "inputs": inputs}
        manifest = json.dumps({"steps": {"corpus": step}})
        (tmp_path / folder / "manifest.json").write_text(manifest)
    a, b, c = (snapshot(tmp_path / name) for name in "abc")
    assert differences(a, b) == []
    assert differences(a, c) == ["manifest.json: differs"]


def test_left_over_and_missing_files_are_named(tmp_path):
    """A partial file that a kill leaves is no difference of any common file."""
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "whole").write_text("1")
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    (tmp_path / "b" / ".x.partial").write_text("1")
    (tmp_path / "b" / "whole").unlink()
    found = differences(snapshot(tmp_path / "a"), snapshot(tmp_path / "b"))
    assert found == [".x.partial: left over", "whole: missing"]


def test_every_command_has_a_name_of_its_own(bench):
    """References are kept by name: two commands of one name would share one."""
    names = [bench.distill(task).name for task in ("embedding", "translation")]
    assert len(set(names)) == 2 and isinstance(bench.distill("embedding"), Command)
