"""What libraries written in C++ tell the standard error, kept from the user.

TensorFlow and LiteRT write a dozen lines about missing GPUs, rounding and delegates,
before they heed any setting of theirs. They would bury the one line that an error is.
"""

import contextlib
import os
import re
import sys
import tempfile
from collections.abc import Iterator

# As absl writes in C++ before it is initialised, and LiteRT always.
NOISE = re.compile(
    rb"WARNING: All log messages before absl::InitializeLog"
    rb"|[IWE]\d{4} \d\d:\d\d:"
    rb"|[IWE]0000 00:00:"
    rb"|To enable the following instructions"
    rb"|INFO: (?:Created|Initialized|Replacing|Applying) "
)


@contextlib.contextmanager
def without_noise() -> Iterator[None]:
    """Lets no line of `NOISE` reach the standard error; all of it if this fails."""
    try:
        sys.stderr.flush()
        shown = os.dup(2)
    except (AttributeError, OSError, ValueError):  # There is no standard error.
        yield
        return
    with tempfile.TemporaryFile() as hidden:
        os.dup2(hidden.fileno(), 2)
        failed = True
        try:
            yield
            failed = False
        finally:
            os.dup2(shown, 2)
            os.close(shown)
            hidden.seek(0)
            for line in hidden:
                if failed or not NOISE.match(line):
                    os.write(2, line)
