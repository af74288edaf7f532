"""One run: prepares, trains, evaluates, exports and reports, each step once."""

import errno
import os
from pathlib import Path

import keras
import tensorflow as tf

from babelet.configs.registry import module_of
from babelet.configs.schema import Config
from babelet.export.published import require_own
from babelet.model.precision import described_device, resolved_precision
from babelet.training.steps import do
from babelet.training.workdir import Workdir, explain_os_error, opened, peak_memory

# In their order; `--until` names one of them.
STEPS = ("preparation", "training", "evaluation", "export", "report")


def run(config: Config, path: Path, prepared: str = "", until: str = STEPS[-1]) -> None:
    """Does every step of the run in `path` that is not done yet.

    Args:
        config: The resolved settings.
        path: The workdir.
        prepared: Another workdir whose preparation serves here; "" for none.
        until: The last of `STEPS` to do.

    Raises:
        BabeletError: Something the user can mend.
    """
    try:
        with opened(path, config) as workdir:
            require_own(path / "export")
            _steps(workdir, prepared, until)
    except OSError as error:
        raise explain_os_error(error, path) or error from error
    except tf.errors.ResourceExhaustedError as error:
        # TensorFlow's own writers, of logs above all; else it is memory.
        if os.strerror(errno.ENOSPC) not in str(error):
            raise
        full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        raise explain_os_error(full, path) or full from error


def _steps(workdir: Workdir, prepared: str, until: str) -> None:
    policy = resolved_precision(workdir.config.training.precision)
    print(f"Device: {described_device(policy)}", flush=True)
    tf.config.experimental.enable_op_determinism()
    keras.utils.set_random_seed(workdir.config.seed)
    steps = module_of(workdir.config.task).TASK(workdir).steps()
    names = [step.name for step in steps]
    last = names.index("training") - 1 if until == STEPS[0] else names.index(until)
    do(workdir, steps[: last + 1], Path(prepared) if prepared else None)
    if until == STEPS[-1]:
        facts = workdir.manifest["steps"]["evaluation"]["facts"]
        print(
            f"{facts['headline']}. Peak memory {peak_memory() / 1e9:.1f} GB. "
            f"Report: {workdir.path / 'report.html'}"
        )
