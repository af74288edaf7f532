"""Translators that were not trained here, as teachers."""

import pytest
import tensorflow as tf

from babelet.core.errors import BabeletError
from babelet.tasks.given_translations import (
    fingerprint,
    given_translate,
    read_translations,
)


def save(folder, name="text", answer="translation"):
    """Saves a program that puts a sign before each text."""
    module = tf.Module()
    spec = tf.TensorSpec([None], tf.string, name=name)
    function = tf.function(
        lambda texts: {answer: tf.strings.join(["+", texts])}, input_signature=[spec]
    )
    tf.saved_model.save(module, str(folder), {"serving_default": function})
    return folder


def test_a_program_translates_and_warns_once(tmp_path, capfd):
    """A user who takes it for data opens his files to a stranger."""
    folder = save(tmp_path / "program")
    assert given_translate(folder)(["lamp", "on"]) == ["+lamp", "+on"]
    assert "is a program" in capfd.readouterr().err
    given_translate(folder)
    assert "is a program" not in capfd.readouterr().err


@pytest.mark.parametrize(
    "ends",
    [
        {"name": "source"},
        {"answer": "target"},
    ],
)
def test_another_signature_is_one_clear_error(tmp_path, ends):
    """TensorFlow's own names neither folder nor remedy, after the corpus is built."""
    folder = save(tmp_path / "program", **ends)
    with pytest.raises(BabeletError, match=r"program does not translate.*Remedy"):
        given_translate(folder)


def test_a_damaged_or_other_folder_is_one_clear_error(tmp_path):
    """All of a home folder was read, and then TensorFlow's traceback shown."""
    folder = save(tmp_path / "program")
    (folder / "saved_model.pb").write_bytes(b"not a graph")
    with pytest.raises(BabeletError, match=r"Cannot load the model .*program.*Remedy"):
        given_translate(folder)
    (folder / "saved_model.pb").unlink()
    for use in (given_translate, fingerprint):
        with pytest.raises(BabeletError, match="There is no SavedModel"):
            use(folder)


def test_a_source_with_two_translations_is_refused(tmp_path):
    """The later one was learned, whichever that was."""
    file = tmp_path / "known.tsv"
    file.write_text("\ufefflamp\tLampe\nlamp\tLampe\non\tan\n", "utf-8")
    assert read_translations(file) == {"lamp": "Lampe", "on": "an"}
    file.write_text("lamp\tLampe\nlamp\tLicht\n", "utf-8")
    with pytest.raises(BabeletError, match=r"line 2.*'Lampe' and 'Licht'"):
        read_translations(file)


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (b"", "no translations"),
        (b"\n\n", "no translations"),
        (b"lamp\n", "line 1 is no translation"),
        (b"a\tb\nlamp\ta\tb", "line 2 is no translation.*3 columns"),
        (b"\xff\xfel\0", r"Cannot read .*known\.tsv"),
    ],
)
def test_a_file_of_another_kind_is_one_clear_error(tmp_path, content, match):
    file = tmp_path / "known.tsv"
    file.write_bytes(content)
    with pytest.raises(BabeletError, match=rf"{match}.*Remedy"):
        read_translations(file)
