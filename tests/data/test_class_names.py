import pytest

from babelet.core.errors import BabeletError
from babelet.data.class_names import read_labels


def test_names_are_read_in_their_order(tmp_path):
    """The order is what ties a name to a score."""
    path = tmp_path / "labels.txt"
    path.write_text("turn on\nausschalten\n打开\n", "utf-8")
    assert read_labels(path) == ["turn on", "ausschalten", "打开"]


def test_a_name_is_kept_as_it_is(tmp_path):
    """Folded here and not in the text, or there and not here, names never match.

    Only what cannot be seen is left out: a BOM, and white space around the name.
    """
    path = tmp_path / "labels.txt"
    path.write_bytes("\ufeffH₂O\r\n其他（咨询） \r\nÉté".encode())
    assert read_labels(path) == ["H₂O", "其他（咨询）", "Été"]


@pytest.mark.parametrize(
    ("text", "received"), [("on\noff\non\n", "'on' twice"), ("on\n\noff\n", "empty")]
)
def test_a_wrong_labels_file_is_an_error(tmp_path, text, received):
    """A line too many names every later class wrongly."""
    path = tmp_path / "labels.txt"
    path.write_text(text)
    with pytest.raises(BabeletError, match=received):
        read_labels(path)


def test_a_missing_or_foreign_file_is_one_line(tmp_path):
    """A picture given as labels.txt ends in a traceback."""
    with pytest.raises(BabeletError, match="Cannot read the labels"):
        read_labels(tmp_path / "labels.txt")
    (tmp_path / "labels.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BabeletError, match="UTF-8"):
        read_labels(tmp_path / "labels.txt")
