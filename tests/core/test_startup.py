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
import gc
from babelet.core.startup import import_quietly
tensorflow = import_quietly("tensorflow")
tensor = tensorflow.ones((1000, 1000))
print(tensorflow.config.experimental.get_memory_info("CPU:0")["current"])
before = gc.get_freeze_count()
import_quietly("babelet.model.student")
print(gc.isenabled(), before, gc.get_freeze_count())
"""

LEFT_OVER = """
from babelet.core.startup import import_quietly
import_quietly("babelet.model.student")
import keras
layer = keras.layers.Dense(1)
layer.build((1, 2))
print(keras.backend.backend(), layer.kernel.dtype, keras.config.max_epochs())
"""


def started(program=PROGRAM, **given):
    environment = {name: os.environ[name] for name in os.environ if name != NAME}
    return subprocess.run(
        [sys.executable, "-c", program],
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
    assert int(done.stdout.split()[0]) >= 4_000_000
    # Nothing of what TensorFlow says while it starts.
    assert not done.stderr


def test_what_was_imported_is_not_searched_for_garbage():
    """Half of the start of every command is lost again; or memory is never freed."""
    collecting, before, after = started().stdout.split()[1:]
    assert collecting == "True" and int(before) > 100_000
    # A second import must not keep the garbage of the work in between.
    assert before == after


def test_what_the_user_sets_stays():
    """Who has to do with little memory could not give it back otherwise."""
    assert "Allocator stats not available" in started(**{NAME: "false"}).stderr


def test_settings_that_other_programs_left_change_nothing(tmp_path):
    """Every run ended in a traceback, or computed in 16 bits, after one with torch."""
    settings = '{"floatx": "float16", "backend": "torch", "epsilon": 0.1}'
    (tmp_path / "keras.json").write_text(settings)
    left = {"KERAS_BACKEND": "torch", "KERAS_MAX_EPOCHS": "1"}
    done = started(LEFT_OVER, KERAS_HOME=str(tmp_path), **left)
    assert done.stdout.split() == ["tensorflow", "float32", "None"], done.stderr
    assert (tmp_path / "keras.json").read_text() == settings
