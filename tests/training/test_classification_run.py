"""A classifier's whole run, from labelled text to exported files."""

import json

import numpy as np
import pytest

from babelet.core.errors import BabeletError
from babelet.export import infer as infer_module
from babelet.export.runtime import Classifier, Embedder
from tests.training.conftest import LABELS, LANGUAGES, train
from tests.training.test_hparams import sessions


@pytest.fixture(scope="module")
def finished(home, labelled):
    """A whole run in which every label is seen."""
    return train(labelled, home.folder / "intents")


def read(path):
    return json.loads(path.read_text(encoding="utf-8"))


def test_the_workdir_holds_all_that_a_run_promises(finished):
    """A step that quietly writes elsewhere is missed by the next tool only."""
    names = "labels.txt calibration.json metrics.json report.html MODEL_CARD.md"
    names += " student.keras tuning/teacher.weights.h5 corpus/rejected.tsv"
    names += " export/labels.txt export/student_int8.tflite export/golden.jsonl"
    names += " export/saved_model/saved_model.pb export/student_mediapipe_int8.tflite"
    for name in names.split():
        assert (finished / name).stat().st_size, name
    assert (finished / "labels.txt").read_text().split() == sorted(LABELS)


def test_teacher_and_student_learn_the_classes(finished):
    """Labels shifted against their texts give chance, and files all the same."""
    metrics = read(finished / "metrics.json")
    assert set(metrics["student"]["languages"]) == {"en", *LANGUAGES}
    assert metrics["teacher"]["mean"]["accuracy"] > 0.6
    assert metrics["student"]["mean"]["accuracy"] > 0.6
    total = sum(map(sum, metrics["student"]["confusion"]))
    assert total == sum(r["count"] for r in metrics["student"]["languages"].values())


def test_the_report_names_classes_and_languages(finished):
    """A table without its names cannot be read."""
    page = (finished / "report.html").read_text("utf-8")
    for name in (*LABELS, "German", "Spanish", "Finnish", "English"):
        assert name in page
    assert "Confusion matrix" in page and "nan" not in page.casefold()


def test_tensorboard_tells_classifiers_apart(finished):
    """Only encoders had settings and scores in HParams."""
    ((settings, scores),) = sessions({None: finished / "logs"}).values()
    assert settings["labels.setting"] and settings["training.steps"]
    accuracy = read(finished / "metrics.json")["student"]["mean"]["accuracy"]
    assert scores["test/accuracy"] == pytest.approx(accuracy)
    rows = read(finished / "samples.json")["examples"]["rows"]
    assert {row[2] for row in rows} <= set(LABELS) and len(rows[0]) == 5


def infer(model, folder):
    texts = folder / "texts.txt"
    texts.write_text("Turn on the lamp in the kitchen\n\nReinige das Radio bitte\n")
    infer_module.infer(model, texts, folder / "answers.tsv")
    lines = (folder / "answers.tsv").read_text().splitlines()
    return [line.split("\t") for line in lines]


def test_infer_writes_a_label_and_a_score_for_each_line(finished, tmp_path):
    """Files and SavedModel that name different classes for one text."""
    answers = infer(finished, tmp_path)
    again = infer(finished / "export" / "saved_model", tmp_path)
    assert [len(answer) for answer in answers] == [2, 2, 2]
    for (label, score), (other, other_score) in zip(answers, again, strict=True):
        assert label in {*LABELS, ""} and 0 <= float(score) <= 1
        assert abs(float(score) - float(other_score)) < 0.05
        assert label == other or min(float(score), float(other_score)) < 0.5


def test_the_classifier_answers_as_its_labels_say(finished, tmp_path):
    """A labels.txt of another model gives wrong names without an error."""
    model = finished / "export" / "student_fp32.tflite"
    classifier = Classifier(model)
    text = "Turn on the lamp in the kitchen"
    (answer,) = classifier.classify([text], threshold=0.0)
    scores = classifier.scores([text])
    assert answer.label == classifier.labels[scores.argmax()]
    assert answer.score == pytest.approx(scores.max())
    assert classifier.classify([text], threshold=1.1)[0].label == ""
    names = tmp_path / "labels.txt"
    names.write_text("\n".join(name.upper() for name in classifier.labels) + "\n")
    (renamed,) = Classifier(model, labels=names).classify([text], threshold=0.0)
    assert renamed.label == answer.label.upper()
    names.write_text("one\ntwo\n")
    with pytest.raises(BabeletError, match="Expected: 5 labels. Received: 2"):
        Classifier(model, labels=names)
    with pytest.raises(BabeletError, match="use babelet.Classifier"):
        Embedder(model)


def test_zero_shot_sees_the_pivots_labels_alone(finished, labelled, tmp_path):
    """Target labels that slip into the teacher make its transfer look easy."""
    folder = train(
        labelled,
        tmp_path / "zero",
        "labels.setting=zero_shot",
        prepared=str(finished),
        until="evaluation",
    )
    steps = read(folder / "manifest.json")["steps"]
    split = np.load(finished / "corpus" / "split.npy")
    language = np.load(finished / "corpus" / "sentence_language.npy")
    english = int(((split == 0) & (language == 0)).sum())
    assert steps["tuning"]["facts"]["labels"] == english
    assert steps["corpus"] == read(finished / "manifest.json")["steps"]["corpus"]


def test_a_teachers_head_alone(finished, labelled, tmp_path):
    """The quick way, whose weights and logits have another path through the code."""
    folder = train(
        labelled,
        tmp_path / "head",
        "tuning.scope=head",
        "objective.alpha=0",
        "labels.class_weights=balanced",
        prepared=str(finished),
        until="evaluation",
    )
    metrics = read(folder / "metrics.json")
    chance = 1 / len(LABELS)
    assert metrics["teacher"]["mean"]["accuracy"] > 1.5 * chance
    assert metrics["student"]["mean"]["accuracy"] > 1.5 * chance


def test_without_a_teacher_there_is_no_soft_label(finished, labelled, tmp_path):
    """A baseline that learns from the teacher after all shows no difference."""
    folder = train(
        labelled,
        tmp_path / "alone",
        "objective.alpha=1",
        # Far above any cross-entropy: is it what is learned?
        "objective.margin=100",
        # Read by few-shot runs alone: the teacher is the same.
        "labels.per_class=9",
        prepared=str(finished),
        until="evaluation",
    )
    steps = read(folder / "manifest.json")["steps"]
    curve = steps["training"]["facts"]["curve"]
    names = {name for point in curve for name in point}
    assert "train/hard_label" in names and "train/soft_label" not in names
    assert max(point.get("train/hard_label", 0) for point in curve) > 50
    # The finished run's teacher serves.
    assert steps["tuning"] == read(finished / "manifest.json")["steps"]["tuning"]
    assert read(folder / "metrics.json")["student"]["mean"]["accuracy"] > 0.5


def test_a_label_that_is_in_no_column_is_named(labelled, tmp_path):
    """A misspelt column would be taken for a file without labels."""
    with pytest.raises(BabeletError, match="data.columns"):
        train(labelled, tmp_path, "data.columns=text=Sentence,label=Intent")
