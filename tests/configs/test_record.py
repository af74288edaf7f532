"""Settings, manifest and files of a run belong together, or nobody reads them."""

import dataclasses

import pytest

from babelet.configs import embedding, parsing, record
from babelet.core.errors import BabeletError
from tests import run_record


def config(**student):
    shape = dataclasses.replace(embedding.StudentConfig(), **student)
    return embedding.EmbeddingConfig(
        "home", embedding.DataConfig(languages=("de",)), student=shape
    )


@pytest.fixture
def run(tmp_path):
    """A folder whose student is finished."""
    (tmp_path / "student.weights.h5").write_bytes(b"weights")
    (tmp_path / "tokenizer.model").write_bytes(b"pieces")
    run_record.write(tmp_path, config())
    return tmp_path


def begin(run, other):
    """Does what a start with other settings does before it is stopped."""
    record.write_config(run, other)
    manifest = record.read_manifest(run)
    manifest["config_hash"] = record.digest(parsing.to_json(other))
    record.write_manifest(run, manifest)


def test_a_finished_student_is_read(run):
    """The check that follows must not refuse what is right."""
    assert record.require_student(run) == config()


def test_an_aborted_start_is_not_taken_for_the_run(run):
    """Exported with pooling=cls, a student of mean pooling retrieved 6%, not 62%."""
    begin(run, config(pooling="cls"))
    with pytest.raises(
        BabeletError,
        match=r"student\.pooling=mean.*student\.pooling=cls.*Remedy: finish",
    ):
        record.require_student(run)
    # Back to the former settings it is itself again.
    begin(run, config())
    record.require_student(run)


def test_text_of_other_languages_is_another_student(run):
    """The student shares its shape; the text that it learned is not the config's."""
    begin(
        run, embedding.EmbeddingConfig("home", embedding.DataConfig(languages=("fi",)))
    )
    with pytest.raises(BabeletError, match=r"data\.languages=\['de'\]"):
        record.require_student(run)


def test_settings_that_training_does_not_read_may_change(run):
    """Another gate for the export must not cost a training."""
    other = dataclasses.replace(
        config(), export=embedding.ExportConfig(min_cosine=0.5), licence="MIT"
    )
    begin(run, other)
    assert record.require_student(run) == other


def test_a_config_changed_by_hand_is_told(run):
    """It would describe a student that nobody trained."""
    file = run / "config.json"
    file.write_text(file.read_text().replace('"mean"', '"max"'))
    with pytest.raises(BabeletError, match="not what the run .* wrote"):
        record.require_student(run)


@pytest.mark.parametrize("name", ["student.weights.h5", "tokenizer.model"])
def test_a_file_of_another_student_is_told(run, name):
    """Weights with another run's pieces give vectors without meaning."""
    (run / name).write_bytes(b"another")
    with pytest.raises(BabeletError, match=f"{name} is damaged.*Remedy: run"):
        record.require_student(run)


def test_an_unfinished_training_is_told(tmp_path):
    """A checkpoint is no student."""
    run_record.write(tmp_path, config(), steps=("corpus",))
    with pytest.raises(BabeletError, match="no trained student"):
        record.require_student(tmp_path)


def test_every_bit_of_a_manifest_counts(run):
    """A flipped digit in it makes another step done, or another seed recorded."""
    file = run / "manifest.json"
    content = file.read_bytes()
    for place in range(0, len(content), 11):
        flipped = bytearray(content)
        flipped[place] ^= 1 << place % 8
        file.write_bytes(flipped)
        try:
            same = record.read_manifest(run) == expected(content, file)
        except BabeletError as error:
            assert "Remedy: delete it" in str(error), place
        else:
            assert same, (place, chr(flipped[place]))


def expected(content, file):
    """Returns the manifest that `content` is; `file` is left as it was."""
    now = file.read_bytes()
    file.write_bytes(content)
    manifest = record.read_manifest(file.parent)
    file.write_bytes(now)
    return manifest
