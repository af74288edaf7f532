"""One process at a time."""

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path

from babelet.core.atomic import explain
from babelet.core.errors import BabeletError


@contextlib.contextmanager
def exclusive(file: Path, busy: BabeletError) -> Iterator[None]:
    """Keeps other processes out of the block.

    Args:
        file: An empty file that is the lock; made, with its folder, if not there.
        busy: Raised if another process is in the block.

    Raises:
        BabeletError: `busy`, or the folder cannot be written.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        lock = file.open("w")
    except OSError as error:
        raise explain(error, file.parent) from error
    with lock:
        try:
            # Held by the process: the system releases it even after a kill.
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise busy from None
        yield


def run_lock(workdir: Path) -> contextlib.AbstractContextManager[None]:
    """Returns the lock of a run's folder, which all that write into it take."""
    busy = BabeletError(
        f"Another run is working in {workdir}",
        consequence="Two at once would overwrite each other",
        remedy="wait for it, or choose another --workdir",
    )
    return exclusive(workdir / ".lock", busy)
