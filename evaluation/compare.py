"""One table across runs: what they were set to, and what came of it.

babelet compare RUN... [--markdown=FILE] [--html=FILE]
babelet compare runs/* --html=runs.html

Settings that are the same in all runs are left out. Folders that are no finished run
are named and skipped. Nothing is computed anew: the figures are those of each run's
metrics.json and manifest.json.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

import jinja2
from absl import flags

from babelet.core import command
from babelet.core.atomic import atomic_path
from babelet.evaluation import charts, runs
from babelet.evaluation.translation_map import hue
from babelet.evaluation.wording import cell

TEMPLATES = Path(__file__).parent / "templates"


def text(table: runs.Table) -> str:
    """Returns the table for a terminal: a first column to the left, others right."""
    lines = [table.columns, *table.rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(
            value.rjust(width) if i else value.ljust(width)
            for i, (value, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def markdown(table: runs.Table) -> str:
    """Returns the table in Markdown."""
    marks = ["---", *("---:" for _ in table.columns[1:])]
    lines = [table.columns, marks, *table.rows]
    return "\n".join(f"| {' | '.join(map(cell, line))} |" for line in lines) + "\n"


def html(table: runs.Table, found: Sequence[runs.Run]) -> str:
    """Returns a page that needs no network: table, bars, and validation curves.

    Args:
        table: Of all runs.
        found: The runs, best first.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    lines = {f"run{i}": points for i, points in enumerate(runs.curves(found).values())}
    scores = [runs.score(run) or 0.0 for run in found]
    return environment.get_template("compare.html.jinja").render(
        table=table,
        runs=found,
        scores=scores,
        hues=[hue(i, len(found)) for i in range(len(found))],
        bars=charts.bars,
        chart=charts.line_chart(lines, label="Validation by step", percent=True),
    )


def compare(folders: Sequence[Path], files: dict[str, str]) -> str:
    """Writes the files asked for, and returns the table for a terminal.

    Args:
        folders: Of runs.
        files: "markdown" and "html" to a path, "" for none.

    Raises:
        BabeletError: No finished run, or a file that cannot be read or written.
    """
    found, skipped = runs.read_runs(folders)
    for reason in skipped:
        print(f"skipped: {reason}", file=sys.stderr)
    table = runs.table(found)
    contents = {"markdown": lambda: markdown(table), "html": lambda: html(table, found)}
    for kind, path in files.items():
        if path:
            with atomic_path(Path(path)) as file:
                file.write_text(contents[kind](), "utf-8")
    return text(table)


def main(argv: list[str]) -> None:
    """Runs the command line."""
    files = {"markdown": flags.FLAGS.markdown, "html": flags.FLAGS.html}
    print(compare([Path(name) for name in argv[1:]], files))


if __name__ == "__main__":
    command.path_flag("markdown", "", "File to write the table to, in Markdown.")
    command.path_flag("html", "", "File to write table and curves to.")
    command.run(main)
