"""SIGKILL in every step: the same command then leaves what one run leaves."""

import itertools
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from benchmarks.torture.bench import (
    Bench,
    Command,
    last_words,
    step_of,
    wait_for_step,
)
from benchmarks.torture.commands import wait_until
from benchmarks.torture.snapshot import differences, snapshot

# Kills of one run of a command that has no steps.
_IN_A_ROW = 4


class Kill(NamedTuple):
    """A moment."""

    step: str
    part: float  # Of the step's duration.
    whole: bool  # With all that it started, or alone.


def kills(bench: Bench, tasks: Sequence[str], count: int, seed: int) -> Iterator[dict]:
    """Kills and continues until there were `count` kills.

    Yields:
        One row a run that was killed: `command`, the kills, `files` (those that
        differ from an undisturbed run's, why) and `failed` (commands that did not end
        with status 0).
    """
    random = np.random.default_rng(seed)
    done = 0
    for command in itertools.cycle(list(_commands(bench, tasks))):
        row = _run(bench, command, list(_plan(bench, command, random)), count - done)
        done += len(row["kills"])
        print(f"{done:4} {command.name}: {_verdict(row)}", flush=True)
        yield row
        if done >= count:
            return


def _commands(bench: Bench, tasks: Sequence[str]) -> Iterator[Command]:
    for task in tasks:
        yield bench.distill(task)
        yield bench.export(task)
    if "embedding" in tasks:
        yield bench.build()
        yield bench.update()


def _plan(
    bench: Bench, command: Command, random: np.random.Generator
) -> Iterator[Kill]:
    """Yields a kill in each step, in the longest two, in their order."""
    steps = bench.reference(command).steps
    longest = max(seconds for _, seconds in steps)
    for name, seconds in steps:
        times = 2 if seconds > longest / 4 else 1
        for _ in range(_IN_A_ROW if len(steps) == 1 else times):
            yield Kill(name, float(random.random()), bool(random.integers(2)))


def _run(bench: Bench, command: Command, plan: list[Kill], left: int) -> dict[str, Any]:
    """Runs a command through these kills and to its end."""
    reference = bench.reference(command)
    seconds = dict(reference.steps)
    bench.prepare(command)
    row: dict[str, Any] = {"command": command.name, "kills": [], "failed": []}
    turns = itertools.cycle(bench.servers)
    for kill in plan[:left]:
        started = next(turns).start(command.arguments)
        if wait_for_step(started, kill.step) and wait_until(
            kill.part * seconds[kill.step], started
        ):
            started.kill(kill.whole)
            # Faster than the reference, it may be in a later step.
            row["kills"].append(kill._replace(step=step_of(started))._asdict())
            continue
        ended = started.wait()
        if ended.status:
            row["failed"].append(last_words(ended))
            break
    ended = next(turns).run(command.arguments)
    if ended.status:
        row["failed"].append(last_words(ended))
    row["files"] = differences(reference.content, snapshot(command.folder))
    return row


def _verdict(row: dict) -> str:
    if row["failed"]:
        return f"FAILED {row['failed']}"
    return f"DIFFERS {row['files']}" if row["files"] else "equal"


def table(rows: list[dict]) -> list[list[str]]:
    """Returns the rows of a table: for each command and step what came of its kills."""
    head = ["command", "step", "kills", "equal files", "equal arrays", "not continued"]
    counts: dict[tuple[str, str], list[int]] = {}
    for row in rows:
        wrong = ("arrays differ", "missing", "left over")
        only_bytes = not any(each.endswith(wrong) for each in row["files"])
        outcome = [
            not row["files"],
            only_bytes and not row["failed"],
            bool(row["failed"]),
        ]
        for kill in row["kills"]:
            count = counts.setdefault((row["command"], kill["step"]), [0, 0, 0, 0])
            for place, value in enumerate([True, *outcome]):
                count[place] += value
    lines = [[*key, *map(str, count)] for key, count in sorted(counts.items())]
    sums = [str(sum(count[place] for count in counts.values())) for place in range(4)]
    return [head, *lines, ["all", "", *sums]]


def failed(row: dict) -> bool:
    """Says whether a run was not survived."""
    return bool(row["failed"] or row["files"])
