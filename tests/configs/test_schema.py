"""Settings are checked when they are made, and say what is wrong."""

import dataclasses
import json

import pytest

from babelet.configs import classification, embedding, intents, parsing
from babelet.configs import translate_smart_home as translator
from babelet.core.errors import BabeletError

CONFIG = embedding.EmbeddingConfig(
    name="lamp", data=embedding.DataConfig(languages=("cs", "de", "hu"))
)


def test_json_round_trip_gives_the_same_config(tmp_path):
    """A run repeated from its config.json would silently be another run."""
    changes = {
        "student.init_layers": "0,1,2,3,10,11",
        "training.learning_rate": "3.1e-4",
    }
    config = parsing.replace(CONFIG, changes)
    file = tmp_path / "config.json"
    file.write_text(parsing.to_json(config), encoding="utf-8")
    assert parsing.from_json(file) == config


@pytest.mark.parametrize(
    ("key", "near"),
    [
        ("trainning.steps", "training.steps"),
        ("training.step", "training.steps"),
        ("student.hiden_dim", "student.hidden_dim"),
        ("objective.temprature", "objective.temperature"),
        ("sede", "seed"),
    ],
)
def test_an_unknown_key_names_the_nearest(key, near):
    """A mistyped key must not be ignored, and the user should not have to search."""
    with pytest.raises(BabeletError, match=rf"{key.partition('.')[0]}.*did you mean"):
        parsing.replace(CONFIG, {key: "1"})
    with pytest.raises(BabeletError, match=rf"did you mean {near}\?"):
        parsing.replace(CONFIG, {key: "1"})


def test_an_unknown_key_in_a_file_names_the_nearest(tmp_path):
    """A config.json edited by hand gets the same check as --set."""
    values = json.loads(parsing.to_json(CONFIG))
    values["training"]["stepps"] = 7
    file = tmp_path / "config.json"
    file.write_text(json.dumps(values))
    with pytest.raises(BabeletError, match="did you mean training.steps?"):
        parsing.from_json(file)


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("training.steps", "200", 200),
        ("data.check_language", "true", True),
        ("data.check_language", "False", False),
        ("training.learning_rate", "3e-4", 3e-4),
        ("training.learning_rate", "1", 1.0),
        ("student.pooling", "cls", "cls"),
        ("training.steps", " 200 ", 200),
        ("data.check_language", " True", True),
        ("student.pooling", " cls", "cls"),
        ("teacher.prefix", "query: ", "query: "),
        ("labels.classes", "other (billing), \ufeffH₂O", ("other (billing)", "H₂O")),
        ("student.init_layers", "()", ()),
        ("student.init_layers", "0,1,2,3,10,11", (0, 1, 2, 3, 10, 11)),
        ("data.languages", "cs, de", ("cs", "de")),
        ("teacher.path", "", ""),
    ],
)
def test_text_becomes_the_type_of_its_setting(key, text, value):
    """A number left as text compares and multiplies in surprising ways later."""
    config = intents.get_config() if key.startswith("labels.") else CONFIG
    got = parsing.value_of(parsing.replace(config, {key: text}), key)
    assert got == value and type(got) is type(value)


@pytest.mark.parametrize(
    ("key", "text", "expected"),
    [
        ("training.steps", "two hundred", "int"),
        ("training.steps", "1.5", "int"),
        ("student.pooling", "average", "one of mean, cls, max"),
        ("student.init_layers", "0,one", "int"),
        ("training.learning_rate", 10**400, "float"),
        ("training.learning_rate", "9" * 5000 + "x", "float"),
        ("training.steps", "9" * 5000, "int"),
    ],
)
def test_a_value_of_another_type_says_which_is_wanted(key, text, expected):
    """A traceback from deep inside Keras would not name the setting."""
    with pytest.raises(BabeletError, match=f"{key}.*Expected: .*{expected}"):
        parsing.replace(CONFIG, {key: text})


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("student.num_heads", "7"),
        ("student.num_layers", "0"),
        ("student.dropout", "1"),
        ("objective.alpha", "1.5"),
        ("objective.margin", "-1"),
        ("objective.temperature", "0.5"),
        ("objective.scale", "0"),
        ("training.steps", "0"),
        ("data.test_fraction", "0.99"),
        ("data.languages", ""),
        ("data.languages", "de,de"),
        ("data.pivot", "de"),
        ("data.min_characters", "301"),
        ("training.validation_pairs", "0"),
        ("training.clip_norm", "nan"),
        ("training.leave_out", "de,de"),
    ],
)
def test_a_value_out_of_range_is_refused_when_it_is_set(key, text):
    """Found only after the teacher has run for minutes, or never."""
    with pytest.raises(BabeletError, match="Remedy: "):
        parsing.replace(CONFIG, {key: text})


def test_initial_layers_are_one_for_each_student_layer():
    """Six layers from four would leave two at random without a word."""
    with pytest.raises(BabeletError, match="one teacher layer for each of the 6"):
        parsing.replace(CONFIG, {"student.init_layers": "0,1,2,3"})


def test_settings_that_depend_on_each_other_change_together():
    """Checked one by one, neither the layers nor their number could ever be changed."""
    six = parsing.replace(CONFIG, {"student.init_layers": "0,1,2,3,10,11"})
    changes = {"student.num_layers": "4", "student.init_layers": "0,1,10,11"}
    assert parsing.replace(six, changes).student.init_layers == (0, 1, 10, 11)
    reverse = dict(reversed(changes.items()))
    assert parsing.replace(six, reverse).student.num_layers == 4


@pytest.mark.parametrize(
    ("key", "message"),
    [("training", "training is a group"), ("seed.first", "no settings inside")],
)
def test_a_path_that_stops_early_or_late_is_an_error(key, message):
    """--set training=fast must not replace the whole group."""
    with pytest.raises(BabeletError, match=message):
        parsing.replace(CONFIG, {key: "1"})


@pytest.mark.parametrize(
    "key", ["teacher.path", "teacher.cache_dir", "evaluation.sts", "student.init_from"]
)
def test_a_path_may_begin_at_home(key, monkeypatch):
    """The shell leaves ~ as it is behind a "="; a folder of that name was made."""
    monkeypatch.setenv("HOME", "/home/eva")
    start = "kerashub:" if key == "student.init_from" else ""
    changed = parsing.replace(CONFIG, {key: f"{start}~/models"})
    value = parsing.value_of(changed, key)
    whole = value[0] if isinstance(value, tuple) else value
    assert whole == f"{start}/home/eva/models"


def test_errors_are_one_line():
    """An entry point prints them as they are."""
    with pytest.raises(BabeletError) as caught:
        parsing.replace(CONFIG, {"student.num_heads": "7"})
    assert "\n" not in str(caught.value)


def test_a_config_cannot_be_changed_in_place():
    """Settings changed halfway would not be those that config.json records."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        CONFIG.seed = 1


@pytest.mark.parametrize(
    ("task", "message"),
    [("", "does not name a task"), ("translaton", "Unknown task 'translaton'.*one of")],
)
def test_a_file_of_no_task_that_there_is_names_the_tasks(tmp_path, task, message):
    """Read as another task's, its settings would seem to be mistyped."""
    values = json.loads(parsing.to_json(CONFIG))
    values["task"] = task or None
    file = tmp_path / "config.json"
    file.write_text(json.dumps(values))
    with pytest.raises(BabeletError, match=f"{message}.*translation"):
        parsing.from_json(file)


def test_a_file_of_an_earlier_version_is_told_as_one(tmp_path):
    """Its first setting of another task would be called a mistake of the user's."""
    values = json.loads(parsing.to_json(CONFIG))
    values |= {"translation": {"teacher_steps": 7}, "labels": {}, "tuning": {}}
    file = tmp_path / "config.json"
    file.write_text(json.dumps(values))
    with pytest.raises(BabeletError, match=r"earlier version .*Remedy: give babelet"):
        parsing.from_json(file)


@pytest.mark.parametrize(
    ("recipe", "key", "message"),
    [
        (intents, "export.min_cosine", "of embedding, not of classification"),
        (intents, "translation", "a setting of translation, not of classification"),
        (translator, "objective.temperature", "of embedding and classification, not"),
        (translator, "translation.teacher_steps", r"mean translation\.teacher\.steps"),
    ],
)
def test_a_setting_of_another_task_is_said_to_be_one(recipe, key, message):
    """It was accepted, recorded, and had no effect."""
    with pytest.raises(BabeletError, match=f"{key}.*{message}"):
        parsing.replace(recipe.get_config(), {key: "1"})


def test_a_section_of_another_task_is_refused():
    """Its missing settings would be found one by one, as tracebacks."""
    expected = r"babelet\.configs\.embedding\.StudentConfig.*EncoderStudentConfig"
    with pytest.raises(BabeletError, match=f"Invalid student.*{expected}"):
        dataclasses.replace(CONFIG, student=classification.StudentConfig())


@pytest.mark.parametrize(
    ("key", "value"),
    [("translation.teacher.hidden_dim", 50), ("translation.teacher.steps", 0)],
)
def test_a_section_in_a_section_is_checked(key, value):
    """A check that stops at the first dot lets a teacher of no steps through."""
    with pytest.raises(BabeletError, match=f"Invalid {key}"):
        parsing.replace(translator.get_config(), {key: value})


def test_a_missing_setting_is_named(tmp_path):
    """A config.json of another version must not be completed by guesswork."""
    file = tmp_path / "config.json"
    file.write_text('{"name": "lamp", "task": "embedding"}')
    with pytest.raises(BabeletError, match="lacks data"):
        parsing.from_json(file)


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        ((1.0,), "each of the 2 entries"),
        ((1.0, 0.0), "above 0"),
        ((1.0, 1.0, 1.0), "each of the 2 entries"),
    ],
)
def test_weights_belong_to_files(weights, expected):
    """A weight too few shifts the others to the wrong files."""
    files = {"source": "parallel_files", "files": ("a.tsv", "b.tsv")}
    with pytest.raises(BabeletError, match=rf"data\.weights.*{expected}"):
        embedding.DataConfig(languages=("de",), weights=weights, **files)


def test_languages_may_be_missing_where_there_are_files():
    """Text in the pivot language alone needs a language that it does not have."""
    embedding.DataConfig(source="parallel_files", files=("en.txt",))
    with pytest.raises(BabeletError, match=r"data\.languages.*at least one language"):
        embedding.DataConfig()


def test_a_truth_value_is_one_of_two_words():
    """Any text is true in Python, "false" and "no" among them."""
    with pytest.raises(BabeletError, match=r"check_language.*true or false.*'no'"):
        parsing.replace(CONFIG, {"data.check_language": "no"})


def damaged_config(tmp_path, old, new):
    text = parsing.to_json(CONFIG)
    assert old in text
    file = tmp_path / "config.json"
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("old", "new", "match"),
    [
        ('"seed": 0', '"seed": 0, "seed": 1', r"'seed' is there twice"),
        ('"seed": 0', f'"seed": {"[" * 9999}{"]" * 9999}', r"not valid JSON|seed"),
        ('"seed": 0', f'"seed": {"[" * 200_000}', "not valid JSON"),
        ('"seed": 0', '"seed": NaN', "seed.*int"),
        ('"alpha": 0.5', '"alpha": NaN', r"objective\.alpha.*nan"),
        ('"alpha": 0.5', '"alpha": Infinity', r"objective\.alpha.*inf"),
        ('"seed": 0', f'"seed": {"9" * 4000}', "Invalid seed"),
        ('"seed": 0', f'"seed": {"9" * 9000}', "not valid JSON"),
        ('"alpha": 0.5', f'"alpha": {"9" * 400}', r"objective\.alpha"),
        ('"path": ""', '"path": "a\\u0000b"', r"teacher\.path.*NUL"),
        ('"name": "lamp"', '"name": "\\ud800"', "Invalid name"),
        ('"name": "lamp"', '"name": ["lamp"]', "name.*str"),
        ('"pooling": "mean"', '"pooling": {"mean": 1}', r"student\.pooling.*one of"),
    ],
)
def test_a_hostile_config_json_is_one_error(tmp_path, old, new, match):
    """A traceback, or a value of two that nobody chose."""
    with pytest.raises(BabeletError, match=match) as caught:
        parsing.from_json(damaged_config(tmp_path, old, new))
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 5000


def test_a_config_json_with_a_bom_is_read(tmp_path):
    """Windows editors write one, and it cannot be seen."""
    file = tmp_path / "config.json"
    file.write_text(parsing.to_json(CONFIG), encoding="utf-8-sig")
    assert parsing.from_json(file) == CONFIG
