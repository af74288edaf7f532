"""What an exported file says of itself, and that it is whole."""

import json
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from babelet.core.errors import BabeletError
from babelet.export.metadata import (
    attach_metadata,
    attach_saved_metadata,
    read_metadata,
    read_saved_metadata,
    require_whole,
    require_whole_saved_model,
    split_model,
)

MODEL = bytes(range(256)) * 8
SAID = {"name": "lamps", "labels": ["on", "off"], "threshold": 0.5}


def file_of(folder, content=MODEL, metadata=SAID):
    path = folder / "student_int8.tflite"
    path.write_bytes(content)
    attach_metadata(path, metadata)
    return path


def read(path):
    """Reads a file as the runtime does."""
    metadata = read_metadata(path)
    require_whole(path)
    return metadata, split_model(path)[0]


def test_a_whole_file_gives_its_model_and_metadata(tmp_path):
    """A digest over the archive too could not be inside it."""
    metadata, model = read(file_of(tmp_path))
    assert model == MODEL and metadata.items() >= SAID.items()
    again = file_of(tmp_path, *read(file_of(tmp_path))[::-1])
    assert read(again) == (metadata, model)


@settings(max_examples=120)
@given(st.floats(0, 1, exclude_max=True), st.integers(0, 7), st.booleans())
def test_a_flipped_bit_is_noticed_or_changes_nothing(
    tmp_path_factory, place, bit, archive
):
    """A weight with another sign gives vectors that nobody can tell from right ones."""
    path = file_of(tmp_path_factory.mktemp("flipped"))
    expected, content = read(path), bytearray(path.read_bytes())
    start = len(MODEL) if archive else 0
    content[start + int(place * (len(content) - start))] ^= 1 << bit
    path.write_bytes(content)
    try:
        found = read(path)
    except BabeletError as error:
        assert "\n" not in str(error) and "Remedy: " in str(error)
    else:
        assert found == expected


def test_another_weight_is_an_error_that_names_the_file(tmp_path):
    """LiteRT runs it, and says nothing."""
    path = file_of(tmp_path)
    content = bytearray(path.read_bytes())
    content[1000] ^= 4
    path.write_bytes(content)
    with pytest.raises(BabeletError, match=r"student_int8\.tflite is damaged"):
        require_whole(path)


def test_files_of_others_and_of_earlier_versions_pass(tmp_path):
    """They have no digest, and benchmarks measure them."""
    path = tmp_path / "bare.tflite"
    path.write_bytes(MODEL)
    require_whole(path)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("babelet.json", json.dumps(SAID))
    require_whole(path)
    assert read_metadata(path) == SAID


@pytest.mark.parametrize("said", ["[]", "3", "{", "[" * 100_000, "\udcff"])
def test_metadata_of_another_kind_is_one_line(tmp_path, said):
    """A hostile file ends a program that only wanted its name."""
    path = tmp_path / "student.tflite"
    path.write_bytes(MODEL)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("babelet.json", said.encode("utf-8", "surrogateescape"))
    with pytest.raises(BabeletError, match="no model of Babelet, or is damaged"):
        read_metadata(path)


def test_metadata_that_unpacks_without_end_is_refused(tmp_path):
    """A thousandth of the size in the file, it takes the memory of the machine."""
    path = tmp_path / "student.tflite"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("babelet.json", b" " * 65_000_000)
    with pytest.raises(BabeletError, match="more than 64,000,000 bytes"):
        read_metadata(path)


def saved_model(folder):
    (folder / "variables").mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes(MODEL)
    (folder / "variables" / "variables.index").write_bytes(MODEL[::-1])
    attach_saved_metadata(folder, SAID)
    return folder


def test_a_flipped_bit_in_any_file_of_a_saved_model_is_noticed(tmp_path):
    """TensorFlow loads other weights without a word."""
    folder = saved_model(tmp_path / "saved_model")
    require_whole_saved_model(folder)
    assert read_saved_metadata(folder) == SAID
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        content = path.read_bytes()
        for place in range(0, len(content), 97):
            flipped = bytearray(content)
            flipped[place] ^= 1
            path.write_bytes(flipped)
            if path.name == "checksums.json" and not json_differs(content, flipped):
                continue
            with pytest.raises(BabeletError, match="Remedy: "):
                require_whole_saved_model(folder)
        path.write_bytes(content)


def json_differs(content, flipped):
    """Tells whether a flip changed more than the layout."""
    try:
        return json.loads(content) != json.loads(flipped)
    except ValueError:
        return True
