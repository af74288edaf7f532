"""Tortures tiny runs of each task, and counts what they do not survive.

    python -m benchmarks.torture kills --workdir=/tmp/torture --count=200
    python -m benchmarks.torture flips --workdir=/tmp/torture --count=300
    python -m benchmarks.torture disk --workdir=/tmp/torture --count=12
    python -m benchmarks.torture together --workdir=/tmp/torture
    python -m benchmarks.torture strings --workdir=/tmp/torture --count=100000

kills: SIGKILL in every step of training, export and index; then the same command, whose
files are compared with those of a run that nothing disturbed.
flips: one bit of a stored file; every reader of it then notices, or gives the same.
disk: a run on disks of so many sizes, for each task; full, then enlarged (as root).
together: two commands at once on one folder or index.
strings: random strings through the four tokenizers.

Prints a table and writes <workdir>/<measurement>.json, with the seed. Exit status 1 if
anything was not survived. What is made once (references, states of runs) stays in the
workdir and serves the next measurement; delete it after the code has changed.
"""

import functools
import importlib
import json
import sys
from pathlib import Path

from absl import flags

from babelet.core import command
from benchmarks.torture.bench import Bench
from benchmarks.torture.commands import servers
from benchmarks.torture.inputs import TASKS

# What they count to.
MEASUREMENTS = {
    "kills": 200,
    "flips": 300,
    "disk": 12,
    "together": 1,
    "strings": 100_000,
}


def main(argv: list[str]) -> None:
    """Runs one measurement."""
    if len(argv) != 2 or argv[1] not in MEASUREMENTS:
        sys.exit(f"One of {', '.join(MEASUREMENTS)}, received {argv[1:]}.")
    name, given = argv[1], flags.FLAGS
    # Imported here: strings imports TensorFlow, which the others leave to servers.
    module = importlib.import_module(f"benchmarks.torture.{name}")
    count, workdir = given.count or MEASUREMENTS[name], Path(given.workdir)
    workdir.mkdir(parents=True, exist_ok=True)
    tasks = [given.task] if given.task else list(TASKS)
    rows = []
    note = functools.partial(_note, workdir / f"{name}.json", name, given.seed)
    try:
        if name == "strings":
            rows += module.strings(workdir / "strings", count, given.seed)
        else:
            with servers(2) as warm:
                bench = Bench(workdir, warm)
                for row in getattr(module, name)(bench, tasks, count, given.seed):
                    rows.append(row)
                    note(rows, module.table(rows))
    finally:  # Stopped half-way, what was measured counts.
        if rows:
            note(rows, lines := module.table(rows))
            _print(lines)
    sys.exit(1 if any(map(module.failed, rows)) else 0)


def _print(lines: list[list[str]]) -> None:
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = zip(line, widths, strict=True)
        print("  ".join(cell.ljust(width) for cell, width in cells).rstrip())


def _note(
    path: Path, name: str, seed: int, rows: list[dict], lines: list[list[str]]
) -> None:
    noted = {"measurement": name, "seed": seed, "table": lines, "rows": rows}
    path.write_text(json.dumps(noted, indent=1, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    command.path_flag("workdir", "", "For runs and results.", required=True)
    flags.DEFINE_integer("count", 0, "Kills, flips, sizes, rounds or strings.")
    flags.DEFINE_enum("task", "", ["", *TASKS], "One task; else all of them.")
    flags.DEFINE_integer("seed", 0, "Of moments, bits and strings.")
    command.run(main)
