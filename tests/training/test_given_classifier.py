"""Whole runs whose teacher is a classifier of the user's own."""

import json
import shutil

import pytest

from babelet.core.errors import BabeletError
from tests.classifier_writer import bert_classifier, save_keywords, trained
from tests.training.conftest import LABELS, LANGUAGES, labelled_rows, train

# Words that tell the classes apart, in the order of LABELS; the corpus sorts them. Of
# a word that is there twice, the score is double: Finnish asks "Missä … on".
WORDS = [
    "on ein Enciende päälle".split(),
    "off aus Apaga Sammuta".split(),
    "Clean Reinige Limpia Puhdista".split(),
    "Where Wo Dónde Missä Missä".split(),
    "Remove Entferne Quita Poista".split(),
]
GIVEN = ("tuning.scope=none", "vocabulary.method=train", "student.init_layers=")


def read(path):
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A SavedModel of scores, with its labels.txt inside."""
    folder = save_keywords(tmp_path_factory.mktemp("given") / "rule", WORDS)
    (folder / "labels.txt").write_text("\n".join(LABELS) + "\n")
    return folder


@pytest.fixture(scope="module")
def finished(home, labelled, saved):
    """A whole run taught by the SavedModel."""
    settings = (*GIVEN, "teacher.kind=saved_model", f"teacher.path={saved}")
    return train(labelled, home.folder / "given", *settings)


def test_the_student_learns_from_a_saved_model(finished):
    """Outputs in the SavedModel's order under the names of the corpus's."""
    metrics = read(finished / "metrics.json")
    assert metrics["teacher"]["mean"]["accuracy"] > 0.95
    assert metrics["student"]["mean"]["accuracy"] > 0.6
    assert set(metrics["teacher"]["languages"]) == {"en", *LANGUAGES}


def test_the_manifest_names_the_teacher_and_nothing_is_tuned(finished, labelled):
    """A run that cannot be told from one with another teacher is not repeated."""
    steps = read(finished / "manifest.json")["steps"]
    assert steps["classes"]["facts"]["outputs"] == LABELS
    name = steps["classes"]["facts"]["teacher"]
    assert len(name) == 64 and "tuning" not in steps
    assert not (finished / "tuning").exists()
    facts = steps["teacher"]["facts"]
    assert 0 <= facts["calibration_error"]["calibrated"] < 0.2
    before = (finished / "manifest.json").read_text()
    config = finished / "config.json"
    train(config, finished)
    assert (finished / "manifest.json").read_text() == before


def test_the_report_tells_of_the_teacher(finished):
    """Soft labels are only as good as a teacher that nobody looked at."""
    page = (finished / "report.html").read_text("utf-8")
    assert "Calibration error" in page and "saved_model, as it was given" in page
    assert (finished / "export" / "student_mediapipe_int8.tflite").is_file()


def test_the_report_shows_latency_and_precision_of_the_files(finished):
    """A classifier that nobody timed is believed to be as fast as the encoder."""
    rows = read(finished / "export" / "quantisation.json")["tiers"]
    assert set(rows) == {"fp32", "fp16", "int8"}
    page = (finished / "report.html").read_text("utf-8")
    assert "<h2>Files</h2>" in page and "<h3>Precision</h3>" in page
    for name, row in rows.items():
        assert f"student_{name}.tflite" in page and f"{row['median_ms']:.2f}" in page
        assert row["bytes"] == (
            (finished / "export" / f"student_{name}.tflite").stat().st_size
        )


def test_latency_beside_the_teacher_renews_the_report(finished, tmp_path):
    """Measured after the run, it would stay unseen in a file."""
    folder = shutil.copytree(finished, tmp_path / "run", symlinks=True)
    names = {"teacher_fp32": 8.0, "student_int8": 0.5}
    models = {name: {"median_ms": value} for name, value in names.items()}
    (folder / "latency.json").write_text(json.dumps({"models": models}))
    train(folder / "config.json", folder)
    page = (folder / "report.html").read_text("utf-8")
    assert "16.0<small> × faster" in page and "teacher_fp32.tflite" in page
    assert "16.0 × faster" in (folder / "MODEL_CARD.md").read_text("utf-8")


def test_a_kerashub_classifier_teaches_a_trimmed_student(home, labelled, tmp_path):
    """Ids of the classifier's vocabulary would start the student from other pieces."""
    rows = labelled_rows()
    texts, labels = [row[0] for row in rows], [LABELS.index(row[1]) for row in rows]
    model = trained(bert_classifier(texts, len(LABELS)), texts, labels)
    model.save_to_preset(tmp_path / "mine")
    (tmp_path / "labels.txt").write_text("\n".join(LABELS) + "\n")
    folder = train(
        labelled,
        tmp_path / "run",
        "tuning.scope=none",
        "teacher.kind=kerashub",
        f"teacher.path={tmp_path / 'mine'}",
        f"student.init_from=packaged_e5:{home.teacher}",
        "labels.setting=zero_shot",
        "objective.alpha=0",
        until="evaluation",
    )
    metrics = read(folder / "metrics.json")
    assert metrics["teacher"]["mean"]["accuracy"] > 0.9
    assert metrics["student"]["mean"]["accuracy"] > 0.5
    assert (folder / "teacher_ids.npy").exists()


def test_wrong_classes_end_the_run_before_the_long_steps(labelled, saved, tmp_path):
    """A labels.txt of another model teaches other classes, and all looks well."""
    labels = saved.parent / "labels.txt"
    inside = (saved / "labels.txt").rename(labels)
    settings = (*GIVEN, "teacher.kind=saved_model", f"teacher.path={saved}")
    options = {"until": "preparation"}
    try:
        for names, match in (
            (LABELS[:4], "Expected: 5 names.*Received: 4"),
            ([*LABELS[:4], "dim"], "missing: remove.*not in the text: dim"),
        ):
            labels.write_text("\n".join(names) + "\n")
            with pytest.raises(BabeletError, match=match):
                train(labelled, tmp_path, *settings, **options)
        steps = read(tmp_path / "manifest.json")["steps"]
        assert set(steps) == {"corpus"}
        labels.write_text("\n".join([LABELS[1], LABELS[0], *LABELS[2:]]) + "\n")
        with pytest.raises(BabeletError, match=r"another order.*off for on"):
            train(labelled, tmp_path, *settings, **options)
    finally:
        labels.write_text("\n".join(LABELS) + "\n")
        inside.rename(saved / "labels.txt")
