"""Disks of many sizes: full, a command says so in one line; enlarged, it goes on."""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from babelet.core.errors import BabeletError
from benchmarks.torture.bench import Bench, last_words, one_line
from benchmarks.torture.snapshot import differences, snapshot

_ENOUGH = 512 * 1024 * 1024


def disk(bench: Bench, tasks: Sequence[str], count: int, seed: int) -> Iterator[dict]:
    """Trains each task on disks of `count` sizes, from almost nothing to almost enough.

    Args:
        bench: Where.
        tasks: Which.
        count: Sizes for each.
        seed: Shifts the sizes by less than their distance.

    Yields:
        One row a disk: `task`, `bytes`, `status` and `words` of the full disk, `then`
        the failure after enlarging, `files` that differ in the end.

    Raises:
        BabeletError: No such disk can be made here.
    """
    random = np.random.default_rng(seed)
    for task in tasks:
        command = bench.distill(task)
        reference = bench.reference(command)
        shares = (np.arange(count) + random.random(count)) / count
        for share in shares:
            size = int(share * reference.bytes * 1.1) // 4096 * 4096 + 4096
            with small_disk(command.folder, size):
                full = bench.servers[0].run(command.arguments)
                enlarge(command.folder, _ENOUGH)
                again = bench.servers[-1].run(command.arguments)
                row: dict[str, Any] = {
                    "task": task,
                    "bytes": size,
                    "status": full.status,
                    "words": "" if full.status == 0 else last_words(full),
                    "clean": full.status == 0 or one_line(full),
                    "then": last_words(again) if again.status else "",
                    "files": differences(reference.content, snapshot(command.folder)),
                }
            end = row["then"] or row["files"] or "completed, equal"
            print(
                f"{task} {size:9,} bytes: {row['words'] or 'fits'} | {end}", flush=True
            )
            yield row


@contextlib.contextmanager
def small_disk(folder: Path, size: int) -> Iterator[None]:
    """Mounts a file system of so many bytes in memory at `folder`.

    Raises:
        BabeletError: This user or machine cannot mount one.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    options = ["-t", "tmpfs", "-o", f"size={size}"]
    done = subprocess.run(
        ["mount", *options, "tmpfs", str(folder)], capture_output=True, text=True
    )
    if done.returncode:
        raise BabeletError(
            f"No small disk can be mounted at {folder}",
            expected="Linux, and the rights of root",
            received=done.stderr,
            remedy="run this measurement as root, outside a container without rights",
        )
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def enlarge(folder: Path, size: int) -> None:
    """Gives the file system at `folder` so many bytes."""
    options = f"remount,size={size}"
    subprocess.run(["mount", "-o", options, str(folder)], check=True)


def can_mount() -> bool:
    """Says whether small disks can be made here."""
    return os.geteuid() == 0 and shutil.which("mount") is not None


def table(rows: list[dict]) -> list[list[str]]:
    """Returns the rows of a table: for each disk what happened on it."""
    lines = [["task", "bytes", "status", "one line", "then", "equal files"]]
    for row in rows:
        then = row["then"] or "completed"
        cells = [row["task"], f"{row['bytes']:,}", str(row["status"])]
        equal = "yes" if not row["files"] else "; ".join(row["files"])[:80]
        lines.append([*cells, "yes" if row["clean"] else row["words"], then, equal])
    return lines


def failed(row: dict) -> bool:
    """Says whether a full disk was not survived."""
    return bool(not row["clean"] or row["then"] or row["files"])
