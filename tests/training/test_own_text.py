"""Runs on text of one's own: in every format, weighted, without translations."""

import csv
import hashlib
import json
import subprocess
import sys
from xml.sax.saxutils import escape

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest

from babelet.data.corpus import Corpus
from tests.training.conftest import LANGUAGES, ROOT, environment, sentences, weights

# All in one process: a run in miniature takes a second, TensorFlow's start several.
RUNS = """
import json, sys
from pathlib import Path
import keras
from babelet.configs import overrides
from babelet.training.run import run
for recipe, workdir, until, *settings in json.loads(sys.stdin.read()):
    keras.backend.clear_session()
    run(overrides.load(recipe, settings), Path(workdir), until=until)
"""
SHORT = ["training.steps=6", "training.validate_every=6", "objective.bank_size=16"]


def units():
    return [dict(zip(("en", *LANGUAGES), row, strict=True)) for row in sentences()]


def pairs():
    """Yields (language, English, translation) in the order of the recipe's file."""
    for unit in units():
        for language in LANGUAGES:
            yield language, unit["en"], unit[language]


def tsv(path):
    path.write_text("".join("\t".join(row) + "\n" for row in pairs()), "utf-8")


def csv_file(path):
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, delimiter=";", quoting=csv.QUOTE_ALL)
        writer.writerow(["text", "id", "language", "en"])
        writer.writerows([t, i, la, en] for i, (la, en, t) in enumerate(pairs()))


def json_lines(path):
    path.write_text("".join(json.dumps(unit) + "\n" for unit in units()), "utf-8")


def parquet(path):
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(units()), path)


def tmx(path):
    body = "".join(
        "<tu>"
        + "".join(
            f'<tuv xml:lang="{code}"><seg>{escape(text)}</seg></tuv>'
            for code, text in unit.items()
        )
        + "</tu>\n"
        for unit in units()
    )
    path.write_text(f'<tmx version="1.4"><body>{body}</body></tmx>', "utf-8")


def moses(path):
    for code in ("en", *LANGUAGES):
        lines = "".join(unit[code] + "\n" for unit in units())
        path.with_suffix(f".{code}").write_text(lines, "utf-8")


def po(path):
    for code in LANGUAGES:
        entries = [("", f"Language: {code}\\n")]
        entries += [(unit["en"], unit[code]) for unit in units()]
        text = "".join(f'msgid "{a}"\nmsgstr "{b}"\n\n' for a, b in entries)
        (path.parent / f"{code}.po").write_text(text, "utf-8")


# By name of the file: how it is written, and how it is named in the settings.
FORMATS = {
    "home.tsv": (tsv, "home.tsv"),
    "home.csv": (csv_file, "home.csv"),
    "home.jsonl": (json_lines, "home.jsonl"),
    "home.parquet": (parquet, "home.parquet"),
    "home.tmx": (tmx, "home.tmx"),
    "home.moses": (moses, "home.{language}"),
    "home.po": (po, "{language}.po"),
}
# Read language by language, not unit by unit: the same pairs in another order.
BY_LANGUAGE = {"home.moses", "home.po"}


@pytest.fixture(scope="module")
def folder(home, tmp_path_factory):
    """The workdirs of all runs of this file, by name."""
    folder = tmp_path_factory.mktemp("own")
    runs = []
    for name, (write, pattern) in FORMATS.items():
        write(folder / name)
        files = f"data.files={folder / pattern}"
        runs.append([str(home.recipe), str(folder / f"run-{name}"), "training", files])
        runs[-1] += SHORT
    for code, column in (("en", 0), ("de", 1)):
        lines = "".join(row[column] + "\n" for row in sentences())
        (folder / f"{code}.txt").write_text(lines, "utf-8")
    alone = [str(home.recipe), str(folder / "alone"), "report"]
    alone += [f"data.files={folder / 'en.txt'},{folder / 'de.txt'}"]
    alone += ["data.languages=de", "data.weights=1,3", "training.steps=20"]
    mixed = [str(home.recipe), str(folder / "mixed"), "evaluation", *SHORT]
    mixed += [f"data.files={folder / 'home.jsonl'},{folder / 'en.txt'}"]
    mixed += ["data.pivot=fi", "data.languages=de,en", "data.weights=1,2"]
    done = subprocess.run(
        [sys.executable, "-c", RUNS],
        input=json.dumps([*runs, alone, mixed]),
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return folder


def rows(workdir):
    """Returns the SHA-256 of the training rows in whatever order."""
    corpus = Corpus(workdir / "corpus")
    found = sorted(
        (int(split), corpus.languages[language], *corpus.sentences.texts(pair))
        for pair, language, split in zip(
            corpus.pairs, corpus.pair_language, corpus.pair_split, strict=True
        )
    )
    return len(found), hashlib.sha256(repr(found).encode()).hexdigest()


@pytest.mark.parametrize("name", sorted({*FORMATS} - {"home.tsv"}))
def test_every_format_gives_the_same_rows_and_student(folder, name):
    """A column that moves, or an escape that stays, is seen in no score."""
    expected, got = folder / "run-home.tsv", folder / f"run-{name}"
    assert rows(got) == rows(expected)
    assert rows(got)[0] == 540
    if name in BY_LANGUAGE:
        expected = folder / f"run-{min(BY_LANGUAGE)}"
    fingerprints = {Corpus(x / "corpus").fingerprint for x in (expected, got)}
    assert len(fingerprints) == 1
    assert weights(got) == weights(expected)


def test_text_without_translations_is_enough(folder):
    """A run that needs pairs ends in an empty list after the corpus was built."""
    corpus = Corpus(folder / "alone" / "corpus")
    assert corpus.pairs_of(0, "de").size == 0
    assert set(corpus.report.monolingual) == {"en", "de"}
    metrics = json.loads((folder / "alone" / "metrics.json").read_text())
    assert metrics["student"]["retrieval"]["languages"] == {}
    agreement = metrics["student"]["agreement_alone"]
    assert set(agreement["languages"]) == {"en", "de"}
    assert agreement["mean"] > 0.3
    steps = json.loads((folder / "alone" / "manifest.json").read_text())["steps"]
    curve = steps["training"]["facts"]["curve"]
    scores = [row for row in curve if "validation/agreement" in row]
    assert scores and "validation/retrieval" not in scores[0]
    # The hard label weighs nothing, so alpha only scales the soft one.
    assert all(row["train/hard_label"] == 0 for row in curve if "train/loss" in row)
    parity = json.loads((folder / "alone" / "export" / "parity.json").read_text())
    assert parity["languages"] == 2 and parity["retrieval_keras"] is None
    page = (folder / "alone" / "report.html").read_text("utf-8")
    assert "Text without translations" in page


def test_another_pivot_with_text_mixed_in(folder):
    """English written into the code instead of the pivot: the wrong side is taught."""
    corpus = Corpus(folder / "mixed" / "corpus")
    assert corpus.languages == ("fi", "de", "en")
    pivots = {row[3] for row in sentences()}
    paired = corpus.pairs[:, 0] != corpus.pairs[:, 1]
    assert set(corpus.sentences.texts(corpus.pairs[paired][:, 0])) == pivots
    assert {*corpus.pair_entry[paired].tolist()} == {0}
    assert {*corpus.pair_entry[~paired].tolist()} == {1}
    assert {*corpus.pair_language[~paired].tolist()} == {2}
    metrics = json.loads((folder / "mixed" / "metrics.json").read_text())
    assert set(metrics["student"]["retrieval"]["languages"]) == {"de", "en"}
    assert np.isfinite(metrics["student"]["retrieval"]["mean"]["mean"])
    assert metrics["student"]["agreement_alone"] is None
