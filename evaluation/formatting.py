"""Figures as a reader would write them; what is not known is an en dash."""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


def percent(share: float | None) -> str:
    """Returns "92.1" for .921; an en dash for None."""
    return "–" if share is None else f"{100 * share:.1f}"


def points(difference: float | None) -> str:
    """Returns "+9.2" for .092, with a true minus sign."""
    if difference is None:
        return "–"
    return f"{100 * difference:+.1f}".replace("-", "−")


def decimal(value: float | None, places: int = 3) -> str:
    """Returns a plain number with a true minus sign; an en dash for None."""
    return "–" if value is None else f"{value:.{places}f}".replace("-", "−")


def millions(value: float | None) -> str:
    """Returns "23.0" for 22,960,128."""
    return decimal(None if value is None else value / 1e6, 1)


def size(count: int | None) -> str:
    """Returns bytes as "27.1 MB" (10^6 bytes)."""
    if count is None:
        return "–"
    return f"{count / 1e6:.1f} MB" if count >= 1e5 else f"{count / 1e3:.1f} kB"


def milliseconds(value: float | None) -> str:
    """Returns "3.20 ms"."""
    return "–" if value is None else f"{value:.2f} ms"


def duration(seconds: float | None) -> str:
    """Returns "9 min 41 s"."""
    if seconds is None:
        return "–"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{seconds:.1f} s"


def count(value: float | None) -> str:
    """Returns an integer with thin spaces between thousands."""
    return "–" if value is None else f"{value:,.0f}".replace(",", "\u202f")


def figure(value: Any) -> str:
    """Returns a figure of unknown kind as a reader would write it."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return count(value)
    if isinstance(value, float):
        return f"{value:.7g}".replace("-", "−")
    return str(value)


def aligned(rows: Sequence[Sequence[Any]]) -> list[list[Any]]:
    """Writes the figures of a table, each column's with the same decimals.

    Cells that are neither numbers nor None stay as they are.
    """
    columns = []
    for column in zip(*rows, strict=True):
        decimals = [
            len(f"{value:.4f}".rstrip("0").partition(".")[2])
            for value in column
            if isinstance(value, float)
        ]
        places = max(decimals, default=0)
        columns.append(
            [
                decimal(value, places)
                if isinstance(value, float)
                else figure(value)
                if value is None or isinstance(value, int)
                else value
                for value in column
            ]
        )
    return [list(row) for row in zip(*columns, strict=True)]


def cell(value: Any) -> str:
    """Returns text that cannot break out of a Markdown table or become HTML."""
    text = " ".join(str(value).split()).replace("\\", "\\\\")
    return text.replace("|", "\\|").replace("&", "&amp;").replace("<", "&lt;")


def markdown_table(columns: Sequence[Any], rows: Sequence[Sequence[Any]]) -> str:
    """Returns a table in Markdown, the first column to the left."""
    marks = ["---", *("---:" for _ in columns[1:])]
    lines = [columns, marks, *rows]
    return "\n".join(f"| {' | '.join(map(cell, line))} |" for line in lines) + "\n"


def without_folders(value: Any) -> Any:
    """Returns a value of settings with absolute paths cut to their last part.

    What is published should not tell the names and folders of who made it.
    """
    if isinstance(value, Mapping):
        return {key: without_folders(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [without_folders(each) for each in value]
    if isinstance(value, str) and (os.path.isabs(value) or value.startswith("~")):
        return f"…/{Path(value).name}"
    return value


def settings(config: Mapping[str, Any]) -> str:
    """Returns the settings of a run as JSON to read."""
    return json.dumps(without_folders(config), indent=2, ensure_ascii=False)


def repeat(workdir: Path) -> str:
    """Returns the command that repeats a run, without the folders above its own."""
    outside = workdir.is_absolute() or ".." in workdir.parts
    place = workdir.resolve().name if outside else workdir.as_posix()
    return f"babelet distill --config={place}/config.json --workdir={place}"
