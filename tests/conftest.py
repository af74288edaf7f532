"""Settings of every test."""

import gc
import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import settings

# A deadline of milliseconds measures the machine's other work, not the code.
settings.register_profile("babelet", deadline=None)
settings.load_profile("babelet")

# What the tests import stays: see babelet.core.startup.
gc.disable()


TESTS = Path(__file__).parent
# What `make check` leaves out: tests that start runs, train, export, load a teacher or
# try very many inputs. Folders and files.
SLOW = (
    "benchmarks",
    "export",
    "search",
    "tasks",
    "training",
    "model/teachers",
    "model/test_decoding.py",
    "model/test_distiller_in_keras.py",
    "model/test_encoder_decoder.py",
    "model/test_gradients.py",
    "model/test_initialisation.py",
    "model/test_linear_head.py",
    "model/test_packaged_e5.py",
    "model/test_student.py",
    "model/test_translator_initialisation.py",
    "configs/test_every_setting_is_read.py",
    "core/test_command.py",
    "core/test_startup.py",
    "docs",
    "data/sources/test_any_bytes.py",
    "data/sources/test_opening.py",
    "data/sources/test_slot_values.py",
    "data/test_build_corpus.py",
    "test_cli.py",
    "test_makefile.py",
    "test_public_names.py",
    "test_types.py",
)
# With two workers, a file of minutes that comes last leaves one of them idle.
FIRST = ("training/test_every_recipe.py", "training", "search", "export", "benchmarks")
# Seconds of processor time that one test of the others may take.
FAST = 4


def pytest_collection_modifyitems(items):
    for item in items:
        place = item.path.relative_to(TESTS).as_posix()
        if any(f"{place}/".startswith(f"{slow}/") for slow in SLOW):
            item.add_marker(pytest.mark.slow)
    items.sort(key=_turn)


def _turn(item):
    """Returns the place of a test's file in the order; the rest stays as it is."""
    place = item.path.relative_to(TESTS).as_posix()
    turns = [i for i, first in enumerate(FIRST) if f"{place}/".startswith(f"{first}/")]
    return min(turns, default=len(FIRST))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    before = sum(os.times()[:4])
    result = yield
    spent = sum(os.times()[:4]) - before
    if item.config.option.markexpr == "not slow" and spent > FAST:
        pytest.fail(f"it took {spent:.1f} s and is not marked as slow in {__file__}")
    return result


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
