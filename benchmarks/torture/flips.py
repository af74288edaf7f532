"""One bit of a stored file is another: its readers notice, or give what they gave."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.torture import readers
from benchmarks.torture.bench import Bench, last_words, lay, one_line
from benchmarks.torture.commands import Done

# Worst last: a flip has the worst outcome of its readers.
# What a run says of a page that is not as it wrote it.
KEPT = "was changed since it was written and is kept"
OUTCOMES = ("harmless", "repaired", "noticed", "unnoticed", "traceback", "SILENT")
_HEAD = 256  # A third of the flips are among so many first bytes.


class Place(NamedTuple):
    """A file of a state, and one bit of it."""

    case: readers.Case
    name: str
    byte: int
    bit: int


def flips(bench: Bench, tasks: Sequence[str], count: int, seed: int) -> Iterator[dict]:
    """Flips `count` bits, one at a time, over every file of every state.

    Yields:
        One row a flip: `state`, `file`, `byte`, `bit`, `outcome`, and `readers`, what
        each of them did.
    """
    random = np.random.default_rng(seed)
    cases = [readers.of_index(bench)] if "embedding" in tasks else []
    for task in tasks:
        cases += readers.of_task(bench, task)
    for number, place in enumerate(itertools.islice(_places(cases, random), count)):
        row = flip(bench, place)
        what = f"{place.case.name}/{place.name} byte {place.byte} bit {place.bit}"
        worst = row["readers"] if row["outcome"] in OUTCOMES[3:] else ""
        print(f"{number + 1:4} {what}: {row['outcome']} {worst}", flush=True)
        yield row


def _places(cases: list[readers.Case], random: np.random.Generator) -> Iterator[Place]:
    """Yields a bit of each file in turn, the cases interleaved, for ever."""
    turns = []
    for case in cases:
        names = [name for name in sorted(_files(case.state)) if case.stored(name)]
        turns.append(
            itertools.cycle([(case, str(x)) for x in random.permutation(names)])
        )
    for case, name in itertools.chain.from_iterable(zip(*turns, strict=True)):
        size = (case.state / name).stat().st_size
        end = min(size, _HEAD) if random.random() < 1 / 3 else size
        yield Place(case, name, int(random.integers(end)), int(random.integers(8)))


def _files(folder: Path) -> Iterator[str]:
    for path in folder.rglob("*"):
        if path.is_file() and path.stat().st_size and "tfevents" not in path.name:
            yield path.relative_to(folder).as_posix()


def flip(bench: Bench, place: Place) -> dict[str, Any]:
    """Flips one bit, runs the readers, each on a fresh copy; returns the row."""
    case, found, outcomes = place.case, {}, []
    for reader in case.readers(place.name):
        expected = case.expected(bench, reader)
        lay(case.state, case.folder)
        damaged = _invert(case.folder / place.name, place.byte, place.bit)
        done = bench.servers[0].run(reader.arguments)
        outcome, words = judge(done, lambda r=reader: r.outputs(case.folder), expected)
        left = (case.folder / place.name).exists() and reader.mends
        if left and outcome == "harmless":
            same = (case.folder / place.name).read_bytes() == damaged
            outcome = "unnoticed" if same and case.handed_over(place.name) else outcome
        if reader.mends and outcome == "harmless" and "started" in done.stdout:
            outcome = "repaired"
        found[reader.name] = f"{outcome} {words}".strip()
        outcomes.append(outcome)
    # A file that a reader proved equal, or refused, is not unnoticed.
    others = [each for each in outcomes if each != "unnoticed"]
    judged = others if len(others) and case.proved(place.name) else outcomes
    outcome = max(judged, key=OUTCOMES.index, default="harmless")
    return {
        "state": case.name,
        "file": place.name,
        "byte": place.byte,
        "bit": place.bit,
        "outcome": outcome,
        "readers": found,
    }


def judge(done: Done, outputs: Callable[[], Any], expected: Any) -> tuple[str, str]:
    """Returns the outcome of one reader, and its words if it failed.

    Args:
        done: How it ended.
        outputs: Gives what it left, to be compared.
        expected: What it leaves without a flip.
    """
    if done.status == 0 and "Traceback" not in done.stderr:
        # Of a page that people may edit: it is kept, and they are told.
        if KEPT in done.stdout:
            return "noticed", KEPT
        found = (
            (outputs(), done.stdout) if expected[1] is not None else (outputs(), None)
        )
        if found == expected:
            return "harmless", ""
        return "SILENT", readers.described(expected, found)
    if one_line(done) or "PROBLEM" in done.stdout:
        return "noticed", last_words(done)
    return "traceback", last_words(done)


def _invert(path: Path, byte: int, bit: int) -> bytes:
    content = bytearray(path.read_bytes())
    content[byte] ^= 1 << bit
    path.write_bytes(content)
    return bytes(content)


def table(rows: list[dict]) -> list[list[str]]:
    """Returns the rows of a table: for each state how many flips had which outcome."""
    lines = [["state", "flips", *OUTCOMES]]
    for state in [*sorted({row["state"] for row in rows}), "all"]:
        own = [row["outcome"] for row in rows if state in ("all", row["state"])]
        counts = [own.count(outcome) for outcome in OUTCOMES]
        lines.append([state, *map(str, [len(own), *counts])])
    return lines


def failed(row: dict) -> bool:
    """Says whether a flip was neither noticed nor harmless."""
    return row["outcome"] in OUTCOMES[3:]
