"""A translator's whole run in miniature: teacher, student, files and report."""

import json
import re

import numpy as np
import pytest

from babelet.configs import overrides
from babelet.core.errors import BabeletError
from babelet.tasks.given_translations import read_translations
from babelet.tasks.translation import TranslationTask
from babelet.tasks.translation_targets import merged, translate_all
from babelet.training.workdir import Workdir
from tests.training.conftest import sentences
from tests.training.settings_recorder import recording, unread
from tests.training.test_hparams import sessions

FILE = "translation.teacher.path=none.tsv objective.alpha=1"
START = "student.init_from_teacher=true"
DEEPER = "student.num_layers=2 student.hidden_dim=48 student.intermediate_dim=96"


@pytest.fixture(scope="module")
def recipe(translation_recipe):
    return translation_recipe


@pytest.fixture(scope="module")
def run(recipe, command):
    line = command(recipe.parent / "run", config=recipe)
    return line.workdir, line.succeed(**recording(recipe.parent / "noted"))


def read(path):
    return json.loads(path.read_text("utf-8"))


def test_the_run_learns_and_leaves_everything(run):
    """A pipeline that trains on nothing also ends with every file in place."""
    workdir, output = run
    steps = read(workdir / "manifest.json")["steps"]
    for name in ("teacher", "training"):
        curve = steps[name]["facts"]["curve"]
        losses = [p["train/hard_label"] for p in curve if "train/hard_label" in p]
        assert losses[-1] < 0.7 * losses[0], name
    # Recombined sentences are targets too, and have beliefs like all others.
    facts = steps["targets"]["facts"]
    pairs, numbers = np.load(workdir / "target_pairs.npy"), steps["tokens"]["facts"]
    assert 20 < facts["recombined"] <= 30
    assert 20 < (pairs[:, 0] >= numbers["sentences"]).sum() <= facts["recombined"]
    metrics = read(workdir / "metrics.json")
    assert list(metrics) == [
        f"{model}, {search}"
        for model in ("teacher", "student")
        for search in ("greedy", "beam 2")
    ]
    # Every template has words of its own: saying nothing of the source scores less.
    assert metrics["teacher, beam 2"]["chrf"] > 30
    assert metrics["student, greedy"]["chrf"] > 25
    assert re.search(r"Test BLEU: teacher, greedy \d", output)
    for name in ("report.html", "MODEL_CARD.md", "student.keras", "export/parity.json"):
        assert (workdir / name).is_file()


def test_what_the_teacher_said_of_the_test_is_kept(run):
    """Each run of a comparison would wait for the same beam search again."""
    workdir, _ = run
    translations = read(workdir / "translations.json")
    files = workdir.glob("teacher_translations/*/00000.json")
    # Behind a line with the checksum.
    kept = [json.loads(file.read_text("utf-8").partition("\n")[2]) for file in files]
    # And those of the training sentences, and of the recombined ones.
    assert len(kept) == 4
    assert translations["teacher, greedy"] in kept
    assert translations["teacher, beam 2"] in kept


def test_the_report_shows_models_examples_and_files(run):
    """A report that renders from nothing looks finished at a glance."""
    workdir, _ = run
    page = (workdir / "report.html").read_text("utf-8")
    translations = read(workdir / "translations.json")
    assert "student_int8.tflite" in page and "nrefs:1" in page
    assert "student, greedy" in page and translations["source"][0] in page
    card = (workdir / "MODEL_CARD.md").read_text("utf-8")
    for text in (page, card):
        assert "what the teacher says of 30 recombined sentences" in text
        assert "started as its teacher" not in text
    assert "http" not in re.sub(r"<code>.*?</code>|xmlns=\S+", "", page)


def test_tensorboard_tells_translators_apart(run):
    """Only encoders had settings and scores in HParams."""
    workdir, _ = run
    ((settings, scores),) = sessions({None: workdir / "logs"}).values()
    assert settings["translation.targets"] and settings["training.steps"]
    bleu = read(workdir / "metrics.json")["student, greedy"]["bleu"]
    assert scores["test/BLEU"] == pytest.approx(bleu)


def test_done_steps_are_not_done_again(run, recipe, command):
    """Minutes of teaching repeated at every change of the report."""
    workdir, _ = run
    output = command(workdir, config=recipe).succeed()
    for step in ("teacher", "targets", "beliefs", "training", "export"):
        assert f"{step}: done before" in output


def test_other_students_share_the_teacher(run, recipe, command, tmp_path):
    """A teacher for every student would be compared with another in each row."""
    workdir, _ = run
    line = command(
        tmp_path / "run",
        "translation.targets=teacher",
        "objective.alpha=1",
        "training.steps=4",
        "seed=1",
        config=recipe,
        flags=(f"--prepared={workdir}", "--until=training"),
    )
    output = line.succeed()
    assert "teacher: done before" in output and "beliefs" not in output
    targets = read(line.workdir / "manifest.json")["steps"]["targets"]["facts"]
    assert targets["references"] == 0 and targets["targets"] > 50
    kept = read(workdir / "manifest.json")["steps"]["targets"]["facts"]["targets"]
    assert len(np.load(workdir / "target_pairs.npy")) == kept > targets["targets"]


def losses(workdir):
    """Returns the hard label's part at every point of the student's curve."""
    curve = read(workdir / "manifest.json")["steps"]["training"]["facts"]["curve"]
    return [point["train/hard_label"] for point in curve if "train/hard_label" in point]


def test_a_margin_is_what_the_student_learns(run, recipe, command, tmp_path):
    """A setting that no loss reads, and cross-entropy under its name."""
    line = command(
        tmp_path / "run",
        "objective.margin=1000",
        # The curve has every twentieth step.
        "training.steps=20",
        "training.warmup_steps=1",
        config=recipe,
        flags=(f"--prepared={run[0]}", "--until=training"),
    )
    line.succeed()
    assert min(losses(line.workdir)) > 500 > 20 > max(losses(run[0]))


def test_another_training_shares_what_the_teacher_said(run, recipe, command, tmp_path):
    """Minutes of beam search, or of teaching, for every run of a comparison."""
    workdir, _ = run
    line = command(
        tmp_path / "run",
        "training.steps=4",
        "training.warmup_steps=1",
        "training.learning_rate=1e-3",
        "seed=1",
        config=recipe,
        flags=(f"--prepared={workdir}", "--until=training"),
    )
    output = line.succeed()
    for step in ("teacher", "targets", "beliefs"):
        assert f"{step}: done before" in output


def test_a_student_begins_where_its_teacher_is(recipe, command, tmp_path):
    """A start that is lost on the way costs a run all that its teacher learned."""
    line = command(
        tmp_path / "run",
        "student.init_from_teacher=true",
        "translation.teacher.decoder_layers=1",
        "translation.teacher.hidden_dim=32",
        "translation.teacher.intermediate_dim=64",
        "translation.targets=reference",
        "training.steps=1",
        "training.warmup_steps=0",
        "training.learning_rate=1e-9",
        config=recipe,
        flags=("--until=training",),
    )
    line.succeed()
    steps = read(line.workdir / "manifest.json")["steps"]
    learned = steps["teacher"]["facts"]["best"]
    assert learned > 20
    assert steps["training"]["facts"]["best"] == pytest.approx(learned, abs=1e-6)
    # Of sentences the references alone, of recombined ones what the teacher says.
    facts = steps["targets"]["facts"]
    assert 20 < facts["targets"] - facts["references"] <= facts["recombined"]
    assert len(list((line.workdir / "teacher_translations").iterdir())) == 1


def test_translations_from_a_file_replace_the_teacher(recipe, command, tmp_path):
    """Users' own translations are worth as much as a teacher's."""
    file = tmp_path / "teacher.tsv"
    rows = [
        line.split("\t")[1:]
        for line in (recipe.parent / "text.tsv").read_text("utf-8").splitlines()
    ]
    file.write_text("".join(f"{en}\t{de.upper()}\n" for en, de in rows), "utf-8")
    line = command(
        tmp_path / "run",
        f"translation.teacher.path={file}",
        "objective.alpha=1",
        "training.steps=2",
        config=recipe,
        flags=("--until=training",),
    )
    assert "teacher:" not in line.succeed()
    facts = read(line.workdir / "manifest.json")["steps"]["targets"]["facts"]
    assert facts["targets"] == 2 * facts["references"]


def test_a_teacher_reads_what_another_encoder_knows(
    run, home, recipe, command, tmp_path
):
    """A context that does not reach the teacher costs minutes and teaches nothing.

    Nor is there a setting that neither this run reads, nor one without the encoder.
    """
    read_by_it = (
        f"translation.encoder.path={home.teacher}",
        "translation.encoder.max_length=24",
    )
    settings = ("translation.teacher.reads_encoder=true", *read_by_it)
    first, second = (tmp_path / name for name in ("first", "second"))
    flags = ("--until=evaluation",)
    noted = recording(tmp_path / "noted")
    command(first, *settings, config=recipe, flags=flags).succeed(**noted)
    assert not unread("translation", recipe.parent / "noted", tmp_path / "noted")
    assert len(list((first / "context").iterdir())) == 1
    steps = read(first / "manifest.json")["steps"]
    losses = [
        point["train/hard_label"]
        for point in steps["teacher"]["facts"]["curve"]
        if "train/hard_label" in point
    ]
    assert losses[-1] < 0.7 * losses[0]
    assert read(first / "metrics.json")["teacher, greedy"]["chrf"] > 20
    # It takes part in what the teacher says of texts that are in no store.
    config = overrides.load(str(recipe), settings)
    teacher = TranslationTask(Workdir(first, config)).teacher
    # Many: a beginner says the same of some, whatever it reads.
    texts = [row[0] for row in sentences()]
    said = teacher.translate(1)(texts)
    teacher.reader.encode_tokens = lambda texts: [
        np.ones((9, teacher.reader.token_dim), np.float16) for _ in texts
    ]
    assert teacher.translate(1)(texts) != said
    flags = (f"--prepared={first}", "--until=training")
    again = ("training.steps=2", "training.warmup_steps=1", *settings)
    output = command(second, *again, config=recipe, flags=flags).succeed()
    for step in ("teacher", "targets", "beliefs"):
        assert f"{step}: done before" in output
    assert (second / "context").is_symlink()
    assert len(list((second / "context").iterdir())) == 1


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("objective.temperature=2", "embedding and classification, not of transl"),
        ("data.weights=1", "embedding, not of translation"),
        ("folds.count=3", "embedding and classification, not of translation"),
        ("training.metric=retrieval", "one of bleu, chrf"),
        ("data.languages=de,fi", "one language"),
        ("student.init_layers=0", "not of translation"),
        ("translation.teacher.path=none.tsv", "only the translations are known"),
        (f"{FILE} translation.teacher.reads_encoder=true", "is not trained here"),
        ("translation.teacher.hidden_dim=50", r"multiple of translation\.teacher\.num"),
        (START, r"translation\.teacher\.hidden_dim \(48\)"),
        (f"{FILE} {START}", r"false with translation\.teacher\.path"),
        (f"{DEEPER} {START}", r"at most translation\.teacher\.encoder_layers"),
    ],
)
def test_settings_that_cannot_be_are_refused_first(recipe, settings, message):
    """Found after minutes of preparation, or never."""
    with pytest.raises(BabeletError, match=message):
        overrides.load(str(recipe), settings.split())


def test_a_killed_translation_goes_on_where_it_was(tmp_path):
    """Half an hour of beam search must not start again."""
    asked = []

    def translate(texts):
        asked.extend(texts)
        if len(asked) > 1500:
            raise KeyboardInterrupt
        return [text.upper() for text in texts]

    texts = [f"lamp {i}" for i in range(1500)]
    with pytest.raises(KeyboardInterrupt):
        translate_all(translate, [*texts, "more"], tmp_path)
    asked.clear()
    found = translate_all(translate, [*texts, "more"], tmp_path)
    assert found == [text.upper() for text in [*texts, "more"]]
    assert len(asked) < 500


def test_each_pair_of_texts_is_one_target():
    """A translation that is also the reference would weigh twice."""
    references = [(3, "Aus"), (4, "An"), (3, "Aus")]
    pairs, texts = merged(references, [(3, "Aus"), (4, "Ein"), (5, " ")])
    assert texts == ["Aus", "An", "Ein"]
    assert pairs.tolist() == [[3, 0], [4, 1], [4, 2]]


def test_a_file_of_translations_has_two_columns(tmp_path):
    """A third column, or none, is another file."""
    path = tmp_path / "t.tsv"
    path.write_text("a\tb\n\nc\td\n", "utf-8")
    assert read_translations(path) == {"a": "b", "c": "d"}
    path.write_text("a\tb\nc d\n", "utf-8")
    with pytest.raises(Exception, match="line 2 is no translation"):
        read_translations(path)
