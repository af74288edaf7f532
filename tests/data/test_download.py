import hashlib
import zipfile

import pytest

from babelet.core.errors import BabeletError
from babelet.data.download import fetch_wheel

NAME = "lamp-1.0-py3-none-any.whl"


def write_wheel(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("lamp/words.txt", "Turn on the lamp")
    return hashlib.sha256(path.read_bytes()).hexdigest()


def forbid_network(monkeypatch):
    """Points pip at a port on which nothing listens."""
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_RETRIES", "0")


def test_a_cached_wheel_needs_no_network(tmp_path, monkeypatch):
    """A finished download is asked for again, so offline runs stop."""
    forbid_network(monkeypatch)
    digest = write_wheel(tmp_path / NAME)
    assert fetch_wheel("lamp==1.0", NAME, digest, tmp_path) == tmp_path / NAME


def test_a_wheel_with_another_hash_is_refused_and_removed(tmp_path):
    """A tampered or truncated wheel is read as if it were the pinned one."""
    received = write_wheel(tmp_path / NAME)
    with pytest.raises(BabeletError) as error:
        fetch_wheel("lamp==1.0", NAME, "0" * 64, tmp_path)
    assert "0" * 64 in str(error.value) and received in str(error.value)
    assert "removed" in str(error.value) and "\n" not in str(error.value)
    assert not (tmp_path / NAME).exists()


def test_without_network_and_cache_the_error_says_where_to_put_the_file(
    tmp_path, monkeypatch
):
    """An offline user gets pip's pages of retries instead of one line."""
    forbid_network(monkeypatch)
    with pytest.raises(BabeletError) as error:
        fetch_wheel("lamp==1.0", NAME, "0" * 64, tmp_path / "cache")
    assert "connect to the network" in str(error.value)
    assert str(tmp_path / "cache" / NAME) in str(error.value)
    assert "\n" not in str(error.value)


def test_pip_downloads_the_pinned_wheel_for_another_python(tmp_path, monkeypatch):
    """A wheel for a newer Python is refused although it is only read as data."""
    (tmp_path / "index").mkdir()
    name = "lamp-1.0-py3-none-any.whl"
    with zipfile.ZipFile(tmp_path / "index" / name, "w") as archive:
        archive.writestr("lamp/words.txt", "Turn on the lamp")
        archive.writestr(
            "lamp-1.0.dist-info/METADATA",
            "Metadata-Version: 2.1\nName: lamp\nVersion: 1.0\nRequires-Python: >=3.99",
        )
        archive.writestr("lamp-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\n")
    digest = hashlib.sha256((tmp_path / "index" / name).read_bytes()).hexdigest()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "index"))
    path = fetch_wheel("lamp==1.0", name, digest, tmp_path / "cache", "3.99.0")
    assert hashlib.sha256(path.read_bytes()).hexdigest() == digest
    assert [p.name for p in (tmp_path / "cache").iterdir()] == [name]
