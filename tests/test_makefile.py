"""What a fresh machine meets first: make, with Pythons that lack something."""

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# A python that answers the version, makes "virtual environments" whose python only
# counts its installs, and fails where the test asks it to.
STAND_IN = """#!/bin/sh
case "$*" in
  -c*) echo {version} ;;
  "-m venv"*) {venv} ;;
esac
"""
MAKE_VENV = """for folder; do :; done; mkdir -p "$folder/bin"
    printf '#!/bin/sh\\n%s\\n' 'case "$*" in
      *dry-run*) {probe};; *" install "*) {install};; esac' \\
      > "$folder/bin/python"; chmod +x "$folder/bin/python" """


def outside_make():
    """Returns the environment of a user's shell: `make test` runs these tests too.

    Below another make it would say in which folder it is, among other things.
    """
    own = ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "VENV", "PYTHON")
    return {name: value for name, value in os.environ.items() if name not in own}


def make(
    folder,
    target="install",
    version="3.12",
    venv=None,
    probe="true",
    install="echo x >>count",
):
    """Runs `make target` in `folder` with a stand-in for Python."""
    python = folder / "python3"
    venv = MAKE_VENV.format(probe=probe, install=install) if venv is None else venv
    python.write_text(STAND_IN.format(version=version, venv=venv))
    python.chmod(0o755)
    for name in (
        "requirements.txt",
        "requirements-dev.txt",
        "pyproject.toml",
        "constraints.txt",
        "hashes.txt",
    ):
        (folder / name).open("a").close()
    return subprocess.run(
        ["make", "-f", ROOT / "Makefile", target, f"PYTHON={python}"],
        cwd=folder,
        env=outside_make(),
        capture_output=True,
        text=True,
        timeout=60,
    )


def said(run):
    """Returns what the user reads on stderr, without make's own last line."""
    lines = run.stderr.splitlines()
    assert lines and lines[-1].startswith("make: ***"), run.stderr
    return lines[:-1]


def test_an_old_python_is_one_line_with_the_remedy(tmp_path):
    """Without it, pip fails minutes later with "no matching distribution"."""
    run = make(tmp_path, target="distill", version="3.9")
    assert run.returncode != 0
    (line,) = said(run)
    assert "3.11, 3.12 or 3.13" in line and "is 3.9" in line
    assert "Remedy: " in line and "PYTHON=python3.11 distill" in line


def test_a_missing_python_is_one_line_with_the_remedy(tmp_path):
    """A shell's "not found" names no remedy."""
    run = make(tmp_path, version="none; exit 127")
    assert run.returncode != 0
    (line,) = said(run)
    assert "is missing" in line and "Remedy: " in line


def test_a_python_without_venv_is_one_line_and_leaves_no_folder(tmp_path):
    """Debian's python3 has no ensurepip, and leaves half an environment behind."""
    run = make(tmp_path, venv='mkdir .venv; echo "ensurepip is not available"; exit 1')
    assert run.returncode != 0
    (line,) = said(run)
    assert "apt install python3-venv" in line
    assert not (tmp_path / ".venv").exists()
    assert "ensurepip" in (tmp_path / ".venv-install.log").read_text()


def test_a_failed_download_is_one_line_with_its_cause(tmp_path):
    """A half-installed environment must not pass for an installed one."""
    failing = (
        'echo "WARNING: Skipping a cache" >&2; '
        'echo "ERROR: No matching distribution found for tensorflow" >&2; exit 1'
    )
    run = make(tmp_path, install=failing)
    assert run.returncode != 0
    (line,) = said(run)
    assert "No matching distribution found for tensorflow" in line
    assert "Remedy: " in line
    assert not (tmp_path / ".venv" / "installed").exists()


def test_no_network_is_one_line(tmp_path):
    """Pip's own words are twenty lines about conflicting versions."""
    failing = (
        'echo "WARNING: Retrying after connection broken" >&2; '
        'echo "ERROR: Cannot install tensorflow: conflicting" >&2; exit 1'
    )
    run = make(tmp_path, target="distill", probe=failing)
    assert run.returncode != 0 and run.stdout == ""
    (line,) = said(run)
    assert "the package index cannot be reached" in line and "Remedy: " in line


def test_requirements_are_installed_once_and_again_when_they_change(tmp_path):
    """Neither a reinstallation at every run nor an environment that has gone stale."""
    assert make(tmp_path).returncode == 0
    assert make(tmp_path).returncode == 0
    assert (tmp_path / "count").read_text() == "x\n" * 2
    stamp = (tmp_path / ".venv" / "installed").stat().st_mtime
    os.utime(tmp_path / "constraints.txt", (stamp + 10, stamp + 10))
    assert make(tmp_path).returncode == 0
    assert (tmp_path / "count").read_text() == "x\n" * 4


def test_make_alone_lists_every_target(tmp_path):
    """A target that `make` does not show is a target nobody finds."""
    run = subprocess.run(
        ["make", "-f", ROOT / "Makefile"],
        cwd=tmp_path,
        env=outside_make(),
        capture_output=True,
        text=True,
    )
    listed = [line.split()[1] for line in run.stdout.splitlines()]
    phony = next(
        line
        for line in (ROOT / "Makefile").read_text().splitlines()
        if line.startswith(".PHONY:")
    )
    assert listed == phony.split()[1:]
