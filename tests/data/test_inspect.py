"""babelet.data.inspect shows what a run would use, before an hour is spent on it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from babelet.configs import embedding, translation
from babelet.configs.classification import (
    ClassificationConfig,
    DataConfig,
    LabelsConfig,
)
from babelet.core.errors import BabeletError
from babelet.data.inspect import inspect

ROOT = Path(__file__).resolve().parents[2]
ROOMS = {
    "kitchen": "Küche",
    "bedroom": "Schlafzimmer",
    "cellar": "Keller",
    "garden": "Garten",
    "garage": "Garage",
    "attic": "Dachboden",
    "hallway": "Flur",
    "office": "Büro",
}
ROWS = [
    (f"{english} the lamp in the {room}", f"Lampe {german}: {raum}")
    for english, german in (("Turn on", "an"), ("Switch off", "aus"))
    for room, raum in ROOMS.items()
]
LONG = (" and ".join(f"the {room}" for room in ROOMS), ", ".join(ROOMS.values()))


@pytest.fixture
def file(tmp_path):
    lines = ["\t".join(row) for row in (*ROWS, LONG)]
    lines += ["Lamp\tLampe", "a stray line", "Office\tBüro", lines[0]]
    path = tmp_path / "home.tsv"
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


def report(file, languages=("de",)):
    data = embedding.DataConfig(
        source="parallel_files",
        files=(str(file),),
        languages=languages,
        validation_fraction=0.1,
        test_fraction=0.2,
    )
    return inspect(embedding.EmbeddingConfig(name="test", data=data))


def test_rows_kept_and_rejected_are_counted_with_an_example(file):
    """A filter that takes most of the text is found after training."""
    text = report(file)
    assert "17 pairs of 17 sentences in 'en' are used, 4 rows are rejected" in text
    assert "Rejected: short 2, columns 1, duplicate 1" in text
    assert f"short       {file}, line 18: Lamp  =  Lampe" in text
    assert f"columns     {file}, line 19:   =  a stray line" in text
    assert "Office" not in text


@pytest.mark.parametrize(
    ("module", "kind"),
    [(embedding, "EmbeddingConfig"), (translation, "TranslationConfig")],
)
def test_text_too_little_for_a_run_is_said(tmp_path, module, kind):
    """A run ends after its teacher, and the look at its text showed "400 0 0"."""
    rows = "".join(f"Set the heating to {i}\tHeizung auf {i}\n" for i in range(400))
    (tmp_path / "a.tsv").write_text(rows, "utf-8")
    data = module.DataConfig(
        source="parallel_files", files=(str(tmp_path / "a.tsv"),), languages=("de",)
    )
    text = inspect(getattr(module, kind)(name="test", data=data))
    assert "400 pairs of 400 sentences" in text
    last = text.splitlines()[-1]
    assert last.startswith("warning: A run ends at once. There is too little text")
    assert "1 different" in last and last.endswith("Remedy: give more text.")


def test_lengths_are_drawn_for_both_sides(file):
    """Truncation at 64 tokens surprises who never saw the lengths."""
    bars = {
        line.split()[0]: line.split()[1:]
        for line in report(file).splitlines()
        if line.strip()[:1].isdigit() and "#" in line
    }
    assert bars["1-25"][-1] == "#" * 20
    assert bars["101-125"] == ["#"]
    assert bars["51-75"] == ["#"]


def test_text_without_translations_is_shown_as_such(tmp_path):
    """Sentences counted as pairs, or left out of the report, and no one knows."""
    path = tmp_path / "en.txt"
    path.write_text("".join(f"{english}\n" for english, _ in ROWS), "utf-8")
    with pytest.raises(BabeletError, match=r"pivot language 'en' alone.*languages="):
        report(path)
    text = report(path, languages=())
    assert "0 pairs and 16 sentences without a translation are used" in text
    assert "en alone" in text
    samples = [line for line in text.splitlines() if line.startswith("en        ")]
    assert len(samples) == 3
    assert {line[10:] for line in samples} <= {english for english, _ in ROWS}


def test_samples_of_each_language_are_shown_in_full(file):
    """Columns that were swapped, or a language that is another one."""
    samples = [line for line in report(file).splitlines() if line.startswith("de  ")]
    pairs = {tuple(line[10:].split("  =  ")) for line in samples if "=" in line}
    assert len(pairs) == 3
    shown = {english for english, _ in ROWS} | {LONG[0][:69] + "…"}
    assert {english for english, _ in pairs} <= shown


def run(file, tmp_path, *settings):
    """Runs the command where TensorFlow cannot be imported."""
    blocked = tmp_path / "blocked"
    blocked.mkdir()
    (blocked / "tensorflow.py").write_text("raise SystemExit('TensorFlow imported')")
    arguments = [f"--set=data.files={file}", *(f"--set={item}" for item in settings)]
    return subprocess.run(
        [sys.executable, "-m", "babelet.data.inspect", *arguments],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(blocked)},
        capture_output=True,
        text=True,
    )


def test_the_command_reports_without_tensorflow(file, tmp_path):
    """A look at a file takes half a minute, most of it an import."""
    fractions = ("data.validation_fraction=0.1", "data.test_fraction=0.2")
    done = run(file, tmp_path, *fractions)
    assert done.returncode == 0, done.stderr
    assert "17 pairs of 17 sentences" in done.stdout
    assert "Memory: 4.1 GB at the peak" in done.stdout


def test_an_error_is_one_line(file, tmp_path):
    done = run(file, tmp_path, "data.columns=en=source,de=target")
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith(f"error: {file}, line 1 does not")
    assert "Traceback" not in done.stderr


def test_labelled_text_is_shown_with_its_classes_and_warnings(tmp_path):
    """A class too small to be tested, or hidden by the setting, found after hours."""
    rows = ["text,label,language"]
    for (english, german), label in zip(ROWS, ["on"] * 8 + ["off"] * 8, strict=True):
        rows += [f"{english},{label},en", f"{german},{label},de"]
    rows += ["Was ist das,what,de", ",on,de", "Turn on the lamp in the attic,off,en"]
    path = tmp_path / "home.csv"
    path.write_text("\n".join(rows) + "\n", "utf-8")
    data = DataConfig(source="labelled_files", files=(str(path),), languages=("de",))
    labels = LabelsConfig(setting="zero_shot")
    config = ClassificationConfig(name="home", data=data, labels=labels)
    text = inspect(config)
    assert text.startswith("32 sentences are used, 0 of them without a label; 3 rows")
    assert "ambiguous 2, empty 1" in text
    assert "what 1" in text.split("by class: ")[1]
    assert "1 of 3 classes have one labelled training sentence" in text
    assert "1 of 3 classes have no label that this setting may use" in text


def test_labelled_text_too_little_for_a_run_is_said(tmp_path):
    """No class can be validated, and the table of scores has no row."""
    path = tmp_path / "home.csv"
    path.write_text("text,label,language\nLicht an,on,de\nLicht aus,off,de\n", "utf-8")
    data = DataConfig(source="labelled_files", files=(str(path),), pivot="de")
    text = inspect(ClassificationConfig(name="home", data=data))
    assert "warning: A run ends at once. There is too little labelled text" in text
