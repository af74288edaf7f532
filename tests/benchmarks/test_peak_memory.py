"""Memory of a command and all its children."""

import sys

from benchmarks.peak_memory import measure

HOLD = "import time; held = b'x' * 120_000_000; time.sleep(1.5)"
START = f"import subprocess, sys; held = b'x' * 120_000_000; \
subprocess.run([sys.executable, '-c', {HOLD!r}]); sys.exit(3)"


def test_a_child_counts_beside_its_parent():
    """The larger of both would pass for the sum."""
    peak, _, status = measure([sys.executable, "-c", START])
    assert 240e6 < peak < 320e6
    assert status == 3
