"""Latency by length and threads, load time and memory of exported .tflite files.

    babelet benchmark FILE... [--tokens=8,16,32,64] [--threads=1,2]

Each row is measured in a process of its own, batch 1, XNNPACK on. "peak MB" is that
whole process at the longest length, "model MB" the same without Python and LiteRT.
"""

import multiprocessing
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import NamedTuple

from absl import flags
from tqdm import tqdm

from babelet.core import command
from babelet.core.child import blocked
from babelet.core.errors import BabeletError
from babelet.core.signals import Stopped
from babelet.export.latency import Figures, measure_file
from babelet.export.metadata import read_metadata, require_whole


class Row(NamedTuple):
    """A file on a number of threads."""

    path: Path
    threads: int
    figures: Figures


def benchmark(
    files: Sequence[Path], tokens: Sequence[int], threads: Sequence[int]
) -> list[Row]:
    """Measures every file on every number of threads.

    Args:
        files: LiteRT files of exports.
        tokens: Lengths; a file is measured at those it has positions for.
        threads: Numbers of threads.

    Raises:
        BabeletError: A file is missing, foreign, damaged, or too short for all lengths.
    """
    lengths = {path: _lengths(path, tokens) for path in files}
    cases = [(path, count) for path in files for count in threads]
    return [
        Row(path, count, _in_new_process(path, lengths[path], count))
        for path, count in tqdm(cases, desc="Benchmark", unit=" rows")
    ]


def _lengths(path: Path, tokens: Sequence[int]) -> list[int]:
    require_whole(path)
    limit = read_metadata(path).get("max_length", max(tokens))
    fitting = [count for count in tokens if count <= limit]
    if not fitting:
        raise BabeletError(
            f"{path} has no positions for such texts",
            expected=f"at least one length of {limit} tokens or fewer",
            received=", ".join(map(str, tokens)),
            remedy="give smaller --tokens",
        )
    return fitting


def _in_new_process(path: Path, tokens: list[int], threads: int) -> Figures:
    try:
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(1, mp_context=context) as pool:
            try:
                with blocked():
                    measured = pool.submit(measure_file, path, tokens, threads)
                return measured.result()
            except Stopped:
                for child in multiprocessing.active_children():
                    child.kill()
                raise
    # LiteRT's own errors, and the pool's for a process that crashed.
    except (ValueError, RuntimeError, KeyError) as error:
        raise BabeletError(
            f"LiteRT cannot run {path}",
            expected="a student file from token ids to vectors",
            received=str(error),
            remedy="copy it anew from the export folder of the run",
        ) from error


def table(rows: Sequence[Row], tokens: Sequence[int]) -> str:
    """Returns one line for each row under a heading; "–" where a length is too long."""
    width = max(len("file"), *(len(str(row.path)) for row in rows))
    heading = f"{'file':{width}}  threads  file MB  load ms  peak MB  model MB"
    lines = [heading + "".join(f"{f'{n} tokens':>11}" for n in tokens)]
    for path, threads, figures in rows:
        line = (
            f"{str(path):{width}}{threads:9}{path.stat().st_size / 1e6:9.1f}"
            f"{figures.load_ms:9.1f}{figures.peak_bytes / 1e6:9.0f}"
            f"{figures.model_bytes / 1e6:10.0f}"
        )
        for count in tokens:
            milliseconds = figures.median_ms.get(count)
            line += f"{'–' if milliseconds is None else f'{milliseconds:.2f} ms':>11}"
        lines.append(line)
    return "\n".join(lines)


def _numbers(flag: str) -> list[int]:
    values, usual = flags.FLAGS[flag].value or [], flags.FLAGS[flag].default or []
    if not values or not all(value.isdecimal() and int(value) > 0 for value in values):
        raise BabeletError(
            f"--{flag} is not a list of whole numbers above 0",
            received=",".join(values) or "nothing",
            remedy=f"write it like --{flag}={','.join(usual)}",
        )
    return [int(value) for value in values]


def main(argv: list[str]) -> None:
    """Prints the table."""
    if len(argv) < 2:
        sys.exit("No FILE: give the .tflite files of an export folder.")
    tokens = _numbers("tokens")
    rows = benchmark([Path(name) for name in argv[1:]], tokens, _numbers("threads"))
    print(table(rows, tokens))


if __name__ == "__main__":
    flags.DEFINE_list("tokens", "8,16,32,64", "Lengths, start and end tokens included.")
    flags.DEFINE_list("threads", "1,2", "Numbers of threads.")
    command.run(main)
