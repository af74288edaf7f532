"""`import babelet`: quick, and with everything that the documentation names."""

import subprocess
import sys

import pytest

import babelet
from babelet.core.errors import BabeletError
from babelet.run import Run


def test_the_import_is_quick_and_needs_no_tensorflow():
    """Two seconds and 600 MB for a script that wants the version."""
    code = (
        "import sys, time; began = time.process_time(); import babelet;"
        "print(time.process_time() - began, len(set(sys.modules) & "
        "{'tensorflow', 'keras', 'numpy', 'absl', 'ai_edge_litert'}))"
    )
    line = [sys.executable, "-c", code]
    times = []
    for _ in range(3):
        seconds, heavy = subprocess.check_output(line, text=True).split()
        assert heavy == "0"
        times.append(float(seconds))
    assert min(times) < 0.2


def test_every_public_name_is_there():
    """A name in __all__ whose module moved fails only at the user's."""
    for name in babelet.__all__:
        assert getattr(babelet, name).__doc__
        assert name in dir(babelet)
    with pytest.raises(AttributeError, match="no attribute 'Embeder'"):
        _ = babelet.Embeder


def test_another_programs_signals_and_logs_are_its_own():
    """A web server that imports babelet must still end as it wants to."""
    code = (
        "import os, signal; before = [signal.getsignal(n) for n in (2, 15)];"
        "variables = dict(os.environ); import babelet;"
        "print(before == [signal.getsignal(n) for n in (2, 15)],"
        "variables == dict(os.environ))"
    )
    done = subprocess.check_output([sys.executable, "-c", code], text=True)
    assert done.split() == ["True", "True"]


def test_settings_are_groups_or_names():
    """A change that is dropped trains an hour for another student."""
    with pytest.raises(BabeletError, match="did you mean training.steps"):
        babelet.distill("smart_home", "/nowhere", training={"step": 3})
    with pytest.raises(BabeletError, match="did you mean seed"):
        babelet.distill("smart_home", "/nowhere", sed=3)


def test_a_run_without_a_report_says_so(tmp_path):
    """A path to nothing would fail later, somewhere else."""
    with pytest.raises(BabeletError, match="no report yet.*Remedy"):
        _ = Run(tmp_path).report
    assert Run(tmp_path).files == {}
    with pytest.raises(BabeletError):
        _ = Run(tmp_path).metrics
