"""How TensorFlow is started, in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NAME = "TF_CPU_ALLOCATOR_USE_BFC"
# Where it computes with oneDNN, on processors with AVX-512, TensorFlow keeps memory
# whatever it is told.
PLAIN = {"TF_ENABLE_ONEDNN_OPTS": "0"}
# Only an allocator that keeps what it has can say how much that is.
PROGRAM = """
from configs.startup import import_quietly
tensorflow = import_quietly("tensorflow")
tensor = tensorflow.ones((1000, 1000))
print(tensorflow.config.experimental.get_memory_info("CPU:0")["current"])
"""


def started(**given):
    environment = {name: os.environ[name] for name in os.environ if name != NAME}
    return subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=ROOT,
        env=environment | PLAIN | given,
        capture_output=True,
        text=True,
    )


def test_memory_of_tensors_is_kept():
    """Asking the system for every tensor anew makes training a third slower.

    A variable that is set too late changes nothing, and nothing says so.
    """
    done = started()
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= 4_000_000
    # Nothing of what TensorFlow says while it starts.
    assert not done.stderr


def test_what_the_user_sets_stays():
    """Who has to do with little memory could not give it back otherwise."""
    assert "Allocator stats not available" in started(**{NAME: "false"}).stderr
