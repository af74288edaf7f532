"""The wheel, and virtual environments that have it and no clone."""

import shutil
import subprocess
import sys
from pathlib import Path

import keras
import pytest

ROOT = Path(__file__).resolve().parents[1]


def build_wheel(folder):
    """Returns the wheel, built from what git has: what lies about here is not in it."""
    line = ["git", "ls-files", "-co", "--exclude-standard"]
    named = subprocess.check_output(line, cwd=ROOT, text=True)
    source = folder / "source"
    for name in named.splitlines():
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, source / name)
    line = [sys.executable, "-m", "build", "--wheel", "--no-isolation"]
    line.append(f"--outdir={folder}")
    done = subprocess.run(line, cwd=source, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    (made,) = folder.glob("*.whl")
    return made


def install(wheel, folder, *options):
    """Returns a new environment in `folder` with the wheel installed."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    line = [sys.executable, "-m", "pip", f"--python={folder}", "install", "-q"]
    line += ["--disable-pip-version-check", "-c", "constraints.txt", *options]
    done = subprocess.run([*line, str(wheel)], cwd=ROOT, capture_output=True, text=True)
    if "NewConnectionError" in done.stderr:
        pytest.skip("there is no package index to install from")
    assert done.returncode == 0, done.stderr
    return folder


def install_for_training(wheel, folder):
    """As `pip install 'babelet[train]'`, from the packages that the tests run on.

    They are on the path after the wheel. The clone is not: a path file that is found
    through another one is not read.
    """
    install(wheel, folder, "--no-deps")
    (packages,) = folder.glob("lib/python*/site-packages")
    shared = Path(keras.__file__).parents[1]
    (packages / "shared.pth").write_text(f"{shared}\n")
    return folder
