"""Peak memory of a command and all it starts, taken together.

python -m benchmarks.peak_memory make distill

A parent and its child that are both large count twice in memory, and in neither's own
peak. Shared pages count once (Linux's proportional set size). The processes are looked
at every quarter of a second: a shorter peak may be missed.
"""

import subprocess
import sys
import time
from pathlib import Path

INTERVAL = 0.25


def memory(process: int) -> int:
    """Returns the bytes that a process and its descendants hold now."""
    folder = Path(f"/proc/{process}")
    try:
        rollup = (folder / "smaps_rollup").read_text()
        own = next(line for line in rollup.splitlines() if line.startswith("Pss:"))
        children = [
            int(child)
            for thread in (folder / "task").iterdir()
            for child in (thread / "children").read_text().split()
        ]
    except (OSError, StopIteration):
        # It ended between one look and the next.
        return 0
    # In kilobytes.
    return 1024 * int(own.split()[1]) + sum(memory(child) for child in children)


def measure(command: list[str]) -> tuple[int, float, int]:
    """Runs a command; returns peak bytes, its second in the run, and exit status."""
    start, peak, moment = time.monotonic(), 0, 0.0
    process = subprocess.Popen(command)
    while process.poll() is None:
        held = memory(process.pid)
        if held > peak:
            peak, moment = held, time.monotonic() - start
        time.sleep(INTERVAL)
    return peak, moment, process.returncode


def main(command: list[str]) -> None:
    """Runs the rest of the command line and prints its peak."""
    if not command or command[0] in ("-h", "--help", "--helpfull"):
        sys.exit(__doc__)
    peak, moment, status = measure(command)
    print(f"Peak memory, all processes: {peak / 1e9:.2f} GB after {moment:.0f} s.")
    sys.exit(status)


if __name__ == "__main__":
    main(sys.argv[1:])
