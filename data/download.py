"""Files that come inside wheels on PyPI: fetched as data, verified, cached."""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from platformdirs import user_cache_path

from babelet.core.atomic import atomic_path
from babelet.core.child import run_child
from babelet.core.errors import BabeletError


def cache_folder() -> Path:
    """Returns where downloads are kept: $BABELET_CACHE, or the user's cache folder."""
    given = os.environ.get("BABELET_CACHE", "")
    return Path(given).expanduser() if given else user_cache_path("babelet")


def fetch_wheel(
    requirement: str,
    filename: str,
    sha256: str,
    cache: Path,
    python_version: str | None = None,
) -> Path:
    """Returns the verified wheel in `cache`, downloaded by pip if it is not there.

    The wheel is a zip to be read, never installed, so it may be one for another
    platform (taken from `filename`) or a newer Python than ours.

    Args:
        requirement: The pinned package, "homeassistant==2026.2.3".
        filename: The wheel's file name on PyPI.
        sha256: Hex digest that the file must have; checked at every call.
        cache: Folder that keeps downloads; created if absent.
        python_version: Python the wheel is for, "3.13.2"; None for ours.

    Returns:
        Path of the wheel, `<cache>/<filename>`.

    Raises:
        BabeletError: The file has another hash (and was removed), or is neither in
            the cache nor to be had from the package index.
    """
    path = Path(cache) / filename
    if not path.is_file():
        with tempfile.TemporaryDirectory() as folder:
            downloaded = _download(requirement, path, Path(folder), python_version)
            verify(downloaded, sha256)
            with atomic_path(path) as temporary:
                shutil.copyfile(downloaded, temporary)
    verify(path, sha256)
    return path


def verify(path: Path, sha256: str) -> None:
    """Raises a BabeletError and removes `path` unless its SHA-256 is `sha256`."""
    with open(path, "rb") as file:
        received = hashlib.file_digest(file, "sha256").hexdigest()
    if received != sha256:
        path.unlink()
        raise BabeletError(
            f"{path.name} is not the file this version was made for",
            expected=f"SHA-256 {sha256}",
            received=received,
            consequence="The file was removed",
            remedy="run the same command again to download it afresh",
        )


def _download(
    requirement: str, path: Path, folder: Path, python_version: str | None
) -> Path:
    """Returns the wheel that `path` is to hold, downloaded into `folder`."""
    command = [sys.executable, "-m", "pip", "download", requirement]
    command += ["--no-deps", "--only-binary=:all:", "--dest", str(folder)]
    command += ["--disable-pip-version-check", "--retries=2", "--timeout=20"]
    if python_version:
        command += ["--python-version", python_version]
    # The last part of a wheel's name lists its platforms, separated by dots.
    for platform in path.stem.rpartition("-")[2].split("."):
        if platform != "any":
            command += ["--platform", platform]
    print(f"Downloading {path.name}", file=sys.stderr)
    # pip shows its progress on its standard output, which here is for results.
    result = run_child(
        command, stdout=2, stderr=subprocess.PIPE, text=True, errors="replace"
    )
    downloaded = folder / path.name
    if result.returncode or not downloaded.is_file():
        others = ", ".join(file.name for file in folder.iterdir())
        raise BabeletError(
            f"Could not download {requirement}",
            received=f"pip: {_reason(result.stderr)}" if not others else others,
            remedy="connect to the network once and run the same command again, or "
            f"put the file at {path}",
        )
    return downloaded


def _reason(stderr: str) -> str:
    """Returns the line of pip's output that tells why it failed."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    causes = ("No space left", "NameResolution", "NewConnection", "Timeout")
    telling = [line for line in lines if any(cause in line for cause in causes)]
    errors = [line for line in lines if line.startswith("ERROR:")]
    return (telling or errors or lines or ["no reason given"])[-1][:300]
