"""Arrays on disk whose place there is certain before they are written."""

from pathlib import Path

import numpy as np

from babelet.core.atomic import reserve


def reserved_array(path: Path, dtype: type, shape: tuple[int, ...]) -> np.memmap:
    """Returns a new .npy file as a writable array.

    On a full disk this raises; the writing of a mapped page would end the process with
    SIGBUS.

    Args:
        path: Replaced if it is there.
        dtype: Of its numbers.
        shape: Of the array.

    Raises:
        OSError: The disk is full.
    """
    array = np.lib.format.open_memmap(path, "w+", dtype, shape)
    reserve(path, path.stat().st_size)
    return array
