"""Two of everything at once: one gives way in one line, or both succeed."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.torture.bench import Bench, last_words, lay, one_line
from benchmarks.torture.commands import wait_until
from benchmarks.torture.snapshot import snapshot


class Pair(NamedTuple):
    """Two commands on one folder; the first, run again, has to be content."""

    name: str
    first: list[str]
    second: list[str]
    state: Path | None
    folder: Path
    # Whether one of them alone leaves the same as both.
    same: bool = True


def together(
    bench: Bench, tasks: Sequence[str], count: int, seed: int
) -> Iterator[dict]:
    """Starts each pair `count` times, the second up to two seconds after the first.

    Yields:
        One row a pair: `pair`, `delay`, how `first` and `second` ended, `after`, what
        is wrong with the folder when both have ended; all empty if nothing is.
    """
    random = np.random.default_rng(seed)
    for _ in range(count):
        for pair in _pairs(bench, tasks):
            row = run_pair(bench, pair, float(random.random() * 2))
            print(f"{pair.name}: {_verdict(row)}", flush=True)
            yield row


def run_pair(bench: Bench, pair: Pair, delay: float) -> dict:
    """Runs a pair, then the first again; returns the row."""
    expected = _alone(bench, pair)
    lay(pair.state, pair.folder)
    first = bench.servers[0].start(pair.first)
    wait_until(delay, first)
    second = bench.servers[-1].start(pair.second)
    ends = first.wait(), second.wait()
    words = ["" if e.status == 0 or one_line(e) else last_words(e) for e in ends]
    after = []
    if all(end.status for end in ends):
        after.append(f"neither succeeded: {[last_words(end) for end in ends]}")
    partial = [p for p in pair.folder.rglob("*") if ".partial" in p.name]
    after += [f"left over: {path.relative_to(pair.folder)}" for path in partial]
    again = bench.servers[0].run(pair.first)
    if again.status:
        after.append(f"again: {last_words(again)}")
    found = snapshot(pair.folder).files
    if pair.same:
        names = sorted(expected.keys() | found.keys())
        after += [f"{x} differs" for x in names if expected.get(x) != found.get(x)]
    statuses = [end.status for end in ends]
    row = {"pair": pair.name, "delay": round(delay, 2), "statuses": statuses}
    return row | {"first": words[0], "second": words[1], "after": after}


def _alone(bench: Bench, pair: Pair) -> dict[str, bytes]:
    """Returns what the first leaves by itself; pairs share it."""
    key = f"{pair.first} {pair.state}"
    if key not in bench.alone:
        lay(pair.state, pair.folder)
        done = bench.servers[0].run(pair.first)
        if done.status:
            raise RuntimeError(f"{pair.name}: the first alone failed: {done}")
        bench.alone[key] = snapshot(pair.folder).files
    return bench.alone[key]


def _pairs(bench: Bench, tasks: Sequence[str]) -> Iterator[Pair]:
    for task in tasks:
        yield from _runs(bench, task)
    if "embedding" in tasks:
        yield from _indexes(bench)


def _runs(bench: Bench, task: str) -> Iterator[Pair]:
    prepared, evaluated, finished = (
        bench.state(task, until) for until in ("preparation", "evaluation", "report")
    )
    distill, export = bench.distill(task), bench.export(task)
    folder, other = distill.folder, str(finished)
    until = bench.distill(task, "--until=preparation").arguments
    train = bench.distill(task, "--until=training").arguments
    page = folder / "page.html"
    compare = ["babelet.evaluation.compare", str(folder), other, f"--html={page}"]
    model = f"--model={folder / 'export' / 'student_int8.tflite'}"
    answers = f"--output={folder / 'answers'}"
    infer = ["babelet.export.infer", model, answers, str(bench.inputs.texts)]
    yield Pair(f"{task}: two preparations", until, until, None, folder)
    yield Pair(f"{task}: two trainings", train, train, prepared, folder)
    whole = distill.arguments
    yield Pair(
        f"{task}: export step, export", whole, export.arguments, evaluated, folder
    )
    twice = export.arguments
    yield Pair(f"{task}: two exports", twice, twice, finished, folder)
    yield Pair(f"{task}: export, training", twice, whole, finished, folder)
    yield Pair(f"{task}: two compare", compare, compare, finished, folder)
    yield Pair(f"{task}: two infer", infer, infer, finished, folder)
    # The model's files are away for a moment, or others: infer says so, or is right.
    yield Pair(f"{task}: export, infer", twice, infer, finished, folder, same=False)


def _indexes(bench: Bench) -> Iterator[Pair]:
    build, update = bench.build(), bench.update()
    index = f"--index={build.folder / 'my.db'}"
    query = ["babelet.search.query", index, "lamp"]
    inspect = ["babelet.search.inspect", index]
    folder, new, changed = build.folder, build.arguments, update.arguments
    yield Pair("index: two builds", new, new, None, folder)
    yield Pair("index: two updates", changed, changed, update.state, folder)
    yield Pair("index: update, query", changed, query, update.state, folder)
    yield Pair("index: update, inspect", changed, inspect, update.state, folder)
    repair = [*inspect, "--repair"]
    yield Pair("index: update, repair", changed, repair, update.state, folder)
    yield Pair("index: two repairs", repair, repair, update.state, folder)


def _verdict(row: dict) -> str:
    wrong = [row["first"], row["second"], *row["after"]]
    said = "; ".join(each for each in wrong if each) or "fine"
    return f"{row['statuses']} {said}"


def table(rows: list[dict]) -> list[list[str]]:
    """Returns the rows of a table: for each pair how it ended."""
    lines = [["pair", "statuses", "outcome"]]
    for row in rows:
        verdict = _verdict(row).partition("] ")[2][:120]
        lines.append([row["pair"], str(row["statuses"]), verdict])
    return lines


def failed(row: dict) -> bool:
    """Says whether something went wrong."""
    return bool(row["first"] or row["second"] or row["after"])
