"""Scores of several runs as one table: mean and spread over seeds."""

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

# Column title, and the path of its share or correlation in evaluation's metrics.
COLUMNS = {
    "test retrieval": ("retrieval", "mean", "mean"),
    "no near neighbour": ("retrieval", "mean", "without_near", "mean"),
    "agreement": ("agreement", "cross_lingual"),
    "STS": ("sts", "mean"),
}


def scores(
    metrics: Mapping[str, Any], languages: Sequence[str] = ()
) -> dict[str, float]:
    """Returns the figures of one model in percent, by column; absent parts left out.

    Args:
        metrics: What `evaluation.evaluate` returned for a model.
        languages: Those whose test retrieval gets columns of their own.
    """
    paths = dict(COLUMNS)
    for language in languages:
        paths[language] = ("retrieval", "languages", language, "mean")
    for folder in metrics.get("tatoeba") or {}:
        for direction, arrow in (("to_pivot", "xx→en"), ("from_pivot", "en→xx")):
            paths[f"{folder} {arrow}"] = ("tatoeba", folder, "mean", direction)
    found = {title: _follow(metrics, path) for title, path in paths.items()}
    return {title: 100 * value for title, value in found.items() if value is not None}


def summary(runs: Sequence[Mapping[str, float]]) -> dict[str, dict[str, float | None]]:
    """Returns mean and spread over runs by column.

    Args:
        runs: One dict of figures for each seed, with the same columns.

    Returns:
        By column `mean`, and `spread`, the sample standard deviation (None for one).
    """
    columns = {}
    for title in runs[0]:
        values = [run[title] for run in runs]
        spread = statistics.stdev(values) if len(values) > 1 else None
        columns[title] = {"mean": statistics.fmean(values), "spread": spread}
    return columns


def markdown(rows: Mapping[str, Mapping[str, Mapping[str, float]]]) -> str:
    """Returns a Markdown table of summaries by row name, in percent.

    >>> print(markdown({"student": {"STS": {"mean": 71.94, "spread": 0.31}}}))
    |  | STS |
    |---|---|
    | student | 71.9 ± 0.3 |
    """
    titles = list(dict.fromkeys(title for row in rows.values() for title in row))
    lines = [
        ["", *titles],
        *([name, *_cells(row, titles)] for name, row in rows.items()),
    ]
    text = [f"| {' | '.join(line)} |" for line in lines]
    return "\n".join([text[0], "|---" * (len(titles) + 1) + "|", *text[1:]])


def _cells(row: Mapping[str, Mapping[str, float]], titles: Sequence[str]) -> list[str]:
    cells = []
    for title in titles:
        if title not in row:
            cells.append("")
        elif row[title]["spread"] is None:
            cells.append(f"{row[title]['mean']:.1f}")
        else:
            cells.append(f"{row[title]['mean']:.1f} ± {row[title]['spread']:.1f}")
    return cells


def _follow(metrics: Mapping[str, Any] | None, path: Sequence[str]) -> float | None:
    value: Any = metrics
    for key in path:
        value = (value or {}).get(key)
    return value
