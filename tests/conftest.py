"""Settings of every test."""

import gc
import subprocess

import pytest
from hypothesis import settings

# A deadline of milliseconds measures the machine's other work, not the code.
settings.register_profile("babelet", deadline=None)
settings.load_profile("babelet")

# What the tests import stays: see babelet.core.startup.
gc.disable()


def pytest_collection_finish():
    gc.freeze()
    gc.enable()


@pytest.fixture
def small_disk(tmp_path):
    """Yields a folder on a file system of 64 kB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)]
    try:
        mounted = subprocess.run(mount, capture_output=True, text=True)
    except FileNotFoundError:
        pytest.skip("there is no mount command")
    if mounted.returncode:
        pytest.skip(f"a tmpfs cannot be mounted here: {mounted.stderr.strip()}")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)
