"""Runs side by side: what differs, who is best, and which folders are no runs."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from babelet.core.errors import BabeletError
from babelet.evaluation.compare import compare, read_runs
from babelet.evaluation.compare import table as table_of
from babelet.evaluation.formatting import markdown_table

ROOT = Path(__file__).resolve().parents[2]


def scores(mean):
    return {
        "retrieval": {"languages": {}, "mean": {"mean": mean, "without_near": None}},
        "tatoeba": None,
        "sts": {"files": {}, "mean": 0.701},
        "agreement": None,
    }


def write_run(folder, mean, *, alpha=0.5, seed=0, teacher=0.721, **more):
    """Writes what a finished run leaves for others to read."""
    folder.mkdir()
    config = {"name": folder.name, "seed": seed, "objective": {"alpha": alpha} | more}
    points = [{"step": 10, "train/loss": 2.0}]
    points += [{"step": s, "validation/retrieval": mean - 1 / s} for s in (10, 20)]
    training = {"seconds": 271.7, "facts": {"parameters": 22_960_128, "curve": points}}
    contents = {
        "config": config,
        "manifest": {"steps": {"training": training}},
        "metrics": {"teacher": scores(teacher), "student": scores(mean)},
    }
    for name, content in contents.items():
        (folder / f"{name}.json").write_text(json.dumps(content), "utf-8")
    return folder


@pytest.fixture
def folders(tmp_path):
    return [
        write_run(tmp_path / "plain", 0.809, alpha=1.0),
        write_run(tmp_path / "taught", 0.814),
        write_run(tmp_path / "again", 0.812, seed=1),
    ]


def table(folders):
    return table_of(read_runs(folders)[0])


def test_the_table_has_what_differs_and_the_best_run_first(folders):
    """A setting that is missing in the table explains another run's score."""
    got = table(folders)
    assert got.columns == [
        "run",
        "seed",
        "alpha",
        "test retrieval",
        "STS",
        "parameters, million",
        "training",
    ]
    assert got.rows == [
        ["teacher", "", "", "72.1", "70.1", "–", "–"],
        ["taught", "0", "0.5", "81.4", "70.1", "23.0", "4 min 32 s"],
        ["again", "1", "0.5", "81.2", "70.1", "23.0", "4 min 32 s"],
        ["plain", "0", "1.0", "80.9", "70.1", "23.0", "4 min 32 s"],
    ]


def test_runs_of_other_teachers_share_no_row(folders, tmp_path):
    """One teacher's score beside the students of another."""
    rows = table([*folders, write_run(tmp_path / "other", 0.9, teacher=0.8)]).rows
    assert [row[0] for row in rows] == ["other", "taught", "again", "plain"]


def test_a_setting_that_an_older_version_lacks_is_no_difference(folders, tmp_path):
    """Each new setting would add a column to every table from then on."""
    newer = write_run(tmp_path / "newer", 0.81, scale=0.03)
    assert "scale" not in table([*folders, newer]).columns
    other = write_run(tmp_path / "other", 0.81, scale=0.05)
    assert "scale" in table([*folders, newer, other]).columns


def test_settings_of_one_name_in_two_groups_keep_their_groups(tmp_path):
    """Which of two max_length it is cannot be told."""
    folders = [
        write_run(tmp_path / n, 0.8, length=n, x=n, b={"length": n}) for n in "12"
    ]
    assert table(folders).columns[1:4] == [
        "objective.length",
        "x",
        "objective.b.length",
    ]


def test_runs_of_all_tasks_stand_in_one_table(folders, tmp_path):
    """A classifier without a score looks like a run that failed."""
    intents = write_run(tmp_path / "intents", 0.8)
    mean = {"mean": {"accuracy": 0.941, "macro_f1": 0.93}}
    change(intents, "config", task="classification")
    change(intents, "metrics", teacher=mean, student=mean)
    worse = write_run(tmp_path / "worse", 0.8)
    change(worse, "config", task="translation")
    change(worse, "metrics", **{"student, greedy": {"bleu": 29.3}})
    better = write_run(tmp_path / "better", 0.8)
    change(better, "config", task="translation")
    scored = {"student, greedy": {"bleu": 31.2}, "student, beam 4": {"bleu": 32.5}}
    change(better, "metrics", **scored)
    found = table([worse, *folders, intents, better])
    assert [row[0] for row in found.rows] == [
        "teacher, classification",
        "intents",
        "teacher, embedding",
        "taught",
        "again",
        "plain",
        "better",
        "worse",
    ]
    columns = {name: i for i, name in enumerate(found.columns)}
    by_name = {row[0]: row for row in found.rows}
    assert by_name["intents"][columns["test accuracy"]] == "94.1"
    assert by_name["better"][columns["BLEU, beam 4"]] == "32.5"
    assert by_name["taught"][columns["test retrieval"]] == "81.4"
    assert by_name["worse"][columns["test retrieval"]] == "–"
    page = str(tmp_path / "page.html")
    compare([worse, intents, *folders], {"markdown": "", "html": page})
    assert "<td>29.3</td>" in Path(page).read_text("utf-8")


def change(folder, name, **changes):
    file = folder / f"{name}.json"
    found = json.loads(file.read_text("utf-8"))
    if name == "metrics":
        found = {}
    file.write_text(json.dumps(found | changes), "utf-8")


def test_what_is_no_run_is_named_and_skipped(folders, tmp_path):
    """A glob names logs and half runs as well, and must not end in a KeyError."""
    (tmp_path / "half").mkdir()
    (tmp_path / "a.log").write_text("")
    found, skipped = read_runs([*folders, tmp_path / "half", tmp_path / "a.log"])
    assert len(found) == 3
    assert skipped == [f"{tmp_path / 'half'} is no finished run: it lacks config.json"]
    with pytest.raises(BabeletError, match="no finished run to compare.*half"):
        read_runs([tmp_path / "half"])
    (folders[0] / "metrics.json").write_text("{")
    with pytest.raises(BabeletError, match=r"plain.metrics\.json"):
        read_runs(folders)


def test_markdown_and_page_show_the_same_figures(folders, tmp_path):
    """A page that was made from other runs than the table."""
    files = {"markdown": str(tmp_path / "r.md"), "html": str(tmp_path / "r.html")}
    shown = compare(folders, files)
    found = table(folders)
    written = markdown_table(found.columns, found.rows)
    assert (tmp_path / "r.md").read_text("utf-8") == written
    page = (tmp_path / "r.html").read_text("utf-8")
    for figure in ("81.4", "81.2", "80.9", "72.1"):
        assert figure in shown and f"<td>{figure}</td>" in page
    # Three curves of two points, drawn in the order of the table.
    assert re.findall(r'class="curve (run\d)"', page) == ["run0", "run1", "run2"]
    assert page.count("<circle") == 6
    assert not re.search(r'(src|href)="(http|//)', page)


def test_the_command_prints_the_table_or_one_line(folders, tmp_path):
    """An entry that needs TensorFlow to compare two numbers."""
    command = [sys.executable, "-m", "babelet.evaluation.compare"]
    done = subprocess.run(
        [*command, *map(str, folders)], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines] == [
        "run",
        "teacher",
        "taught",
        "again",
        "plain",
    ]
    done = subprocess.run(
        [*command, str(tmp_path)], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 2
    assert done.stderr.startswith("error: There is no finished run")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", ["config", "manifest", "metrics"])
@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[: len(text) // 2],
        lambda text: "[]",
        lambda text: "\0" * len(text),
        lambda text: re.sub(r"0\.\d+", "NaN", text),
        lambda text: re.sub(r"0\.\d+", '"0.8"', text),
        lambda text: text.replace("{", '{"x": ' + "[" * 100_000, 1),
        lambda text: re.sub(r"\{[^{}]*\}", "7", text),
        lambda text: re.sub(r"(\{|\[)", r"\1", text).replace('"step"', '"stop"'),
    ],
    ids=["cut", "list", "zeros", "NaN", "text", "deep", "numbers", "key"],
)
def test_a_damaged_run_is_named_or_compared(name, damage, folders):
    """Of fifty runs a traceback does not say which one is damaged."""
    file = folders[1] / f"{name}.json"
    file.write_text(damage(file.read_text("utf-8")), "utf-8")
    try:
        compare(folders, {"markdown": "", "html": str(folders[0] / "page.html")})
    except BabeletError as error:
        assert str(file) in str(error) and "\n" not in str(error)


def test_the_page_tells_no_folders_of_the_machine(tmp_path):
    """Published, it would tell the name of its author and of the employer's disk."""
    telltale = tmp_path / "jane_doe_at_acme"
    telltale.mkdir()
    folders = [
        write_run(telltale / str(i), 0.8, files=[str(telltale / f"text{i}.tsv")])
        for i in range(2)
    ]
    files = {kind: str(tmp_path / kind) for kind in ("markdown", "html")}
    shown = compare(folders, files)
    for text in (shown, *((tmp_path / kind).read_text("utf-8") for kind in files)):
        assert "text1.tsv" in text and "jane_doe" not in text
