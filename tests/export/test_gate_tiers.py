import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from babelet.configs import parsing, record
from babelet.core.errors import BabeletError
from babelet.export.gate import check
from babelet.export.litert_predict import litert_predict
from babelet.export.predict import keras_predict
from tests import run_record

TIERS = ("fp32", "fp16", "int8")
BYTES = {"fp32": 4, "fp16": 2, "int8": 1}
STORED = {
    "fp32": schema.TensorType.FLOAT32,
    "fp16": schema.TensorType.FLOAT16,
    "int8": schema.TensorType.INT8,
}


def tier_file(tier):
    return f"student_{tier}.tflite"


@pytest.fixture
def folder(artefacts, tmp_path):
    """A test's own files of all tiers."""
    for tier in TIERS:
        shutil.copy(artefacts / tier_file(tier), tmp_path)
    return tmp_path


@pytest.fixture
def gated(workdir, tmp_path_factory):
    """A function of settings of the gate that returns the run with them."""

    def make(**settings) -> Path:
        run = shutil.copytree(workdir, tmp_path_factory.mktemp("gated") / "run")
        changes = {f"export.{name}": value for name, value in settings.items()}
        run_record.write(run, parsing.replace(record.read_config(run), changes))
        return run

    return make


@pytest.fixture(scope="module")
def scored(workdir, artefacts, tmp_path_factory):
    """A folder that passed, and the report."""
    folder = tmp_path_factory.mktemp("scored")
    for tier in TIERS:
        shutil.copy(artefacts / tier_file(tier), folder)
    found = check(workdir, folder)
    found.write(folder)
    return folder, found.tiers


def test_each_tier_has_size_latency_parity_and_the_metrics_of_the_task(scored, pairs):
    """A figure that one tier lacks hides why another looks better."""
    folder, report = scored
    assert report == json.loads((folder / "quantisation.json").read_text())
    assert list(report["tiers"]) == list(TIERS)
    for tier, row in report["tiers"].items():
        assert row["kept"] and row["failures"] == []
        assert row["bytes"] == (folder / tier_file(tier)).stat().st_size
        assert row["median_ms"] > 0 and len(row["visits_ms"]) == 2
        assert set(row["metrics"]["retrieval"]["languages"]) == set(pairs)
        assert row["min_cosine"] <= row["mean_cosine"] <= 1 + 1e-6
    cosines = [report["tiers"][tier]["min_cosine"] for tier in TIERS]
    assert cosines[0] > 1 - 1e-6 > cosines[2] > 0.99
    assert report["tokens"] == 16 and report["threads"] == 1


def test_the_cosine_is_that_of_the_worst_text(scored, pairs, make_student, tokenizer):
    """A mean over texts, or the cosine of a tier with itself, is always good."""
    folder, report = scored
    texts = sorted({text for rows in pairs.values() for row in rows for text in row})
    student = keras_predict(make_student(), tokenizer)(texts)
    tier = litert_predict(folder / "student_int8.tflite", tokenizer)(texts)
    cosines = (student * tier).sum(axis=1)
    row = report["tiers"]["int8"]
    assert row["min_cosine"] == pytest.approx(cosines.min(), abs=1e-5)
    assert row["mean_cosine"] == pytest.approx(cosines.mean(), abs=1e-5)
    assert row["worst_text"] == texts[int(cosines.argmin())]


def test_a_new_process_reports_the_same_scores(scored, workdir, tmp_path):
    """Scores that depend on what ran before cannot be checked by anyone."""
    folder, report = scored
    command = [sys.executable, "-m", "babelet.export.gate", f"--workdir={workdir}"]
    command += [f"--folder={tmp_path}", f"--formats={','.join(TIERS)}", "--record"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    lines = [line.split()[0] for line in done.stdout.splitlines()]
    assert lines == [*TIERS, *map(tier_file, TIERS)]
    again = json.loads((tmp_path / "quantisation.json").read_text())
    assert again["metrics"] == report["metrics"]
    for tier in TIERS:
        for key in ("bytes", "min_cosine", "mean_cosine", "metrics", "worst_text"):
            assert again["tiers"][tier][key] == report["tiers"][tier][key], key
        written = (folder / tier_file(tier)).read_bytes()
        assert (tmp_path / tier_file(tier)).read_bytes() == written


def test_a_tier_below_the_gate_is_not_written(gated, folder):
    """A warning is scrolled past; a file that is there gets shipped."""
    found = check(gated(min_cosine=0.999999), folder)
    assert not found.tiers["tiers"]["int8"]["kept"]
    assert "int8 not written: cosine 0.99" in "\n".join(found.lines)
    assert list(found.refused) == ["student_int8.tflite"]
    # To leave it out is the export's; a check deletes nothing.
    assert (folder / "student_int8.tflite").exists()
    assert not (folder / "quantisation.json").exists()


def test_force_keeps_it_and_the_record_tells(gated, folder):
    """A file kept by force must not pass for one that is good."""
    found = check(gated(min_cosine=0.999999), folder, force=True)
    row = found.tiers["tiers"]["int8"]
    assert row["kept"] and row["failures"] and not found.refused
    assert "int8 kept by --force: cosine 0.99" in "\n".join(found.lines)


def test_what_quantisation_spoils_is_left_out_at_the_default_gate(
    make_workdir, make_student, tokenizer, tmp_path
):
    """One outlying row takes the whole range of 8 bits, and all else rounds to 0."""
    from babelet.export.run import write_artefacts

    student = make_student()
    table_of_tokens = student.get_layer("embedding").tokens
    values = table_of_tokens.numpy()
    values[tokenizer.unk_id] = 300
    table_of_tokens.assign(values)
    workdir = make_workdir(tmp_path / "run", student)
    write_artefacts(workdir, tmp_path, ("fp16", "int8"))
    rows = check(workdir, tmp_path).tiers["tiers"]
    assert rows["fp16"]["kept"] and rows["fp16"]["min_cosine"] > 0.9999
    assert not rows["int8"]["kept"] and rows["int8"]["min_cosine"] < 0.9


def test_a_folder_without_files_is_an_error(workdir, tmp_path):
    """An empty table reads as if all tiers had passed."""
    with pytest.raises(BabeletError, match="no file to check"):
        check(workdir, tmp_path)


@pytest.mark.parametrize("tier", TIERS)
def test_every_table_and_matrix_is_stored_in_the_precision_of_the_tier(
    artefacts, make_student, tier
):
    """A token table left in float32 is most of a "quantised" download."""
    content = (artefacts / tier_file(tier)).read_bytes()
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    stored = [
        tensor
        for tensor in model.subgraphs[0].tensors
        if model.buffers[tensor.buffer].data is not None and len(tensor.shape) == 2
    ]
    tokens = make_student().get_layer("embedding").tokens.shape
    (table_of_tokens,) = [t for t in stored if tuple(t.shape) == tuple(tokens)]
    assert table_of_tokens.type == STORED[tier]
    # Below 1,024 numbers the converter leaves a tensor as it is.
    large = [t for t in stored if np.prod(t.shape) >= 1024]
    assert len(large) >= 9  # The token table, and four matrices a layer.
    assert {t.type for t in large} == {STORED[tier]}


def test_no_constant_is_stored_twice(artefacts):
    """A tied or copied table doubles the download without a word."""
    for tier in TIERS:
        content = (artefacts / tier_file(tier)).read_bytes()
        model = schema.ModelT.InitFromPackedBuf(content, 0)
        buffers = [bytes(b.data) for b in model.buffers if b.data is not None]
        large = [data for data in buffers if len(data) >= 1024 * BYTES[tier]]
        assert len(large) == len(set(large))
