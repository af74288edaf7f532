"""What the reports of all tasks have in common, from the files of a run's folder."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from babelet.core.boundary import boundary
from babelet.evaluation import charts, formatting
from babelet.evaluation.finished_run import SAMPLES, FinishedRun, Metric
from babelet.evaluation.languages import name_of
from babelet.evaluation.sections import (
    Charts,
    Code,
    Figure,
    Part,
    Section,
    Table,
    Text,
    bars,
    gain,
    language,
    prose,
    table_of,
)

SPLITS = ("train", "validation", "test")
# Sentences and their translations shown side by side.
EXAMPLES = 24
Points = list[tuple[float, float]]


def beside_teacher(run: FinishedRun, named: Mapping[str, Metric]) -> list[Figure]:
    """Returns shares of the student beside its teacher's, by title, where known."""
    figures = []
    for title, metric in named.items():
        ours, theirs = (metric.value(run.metrics, m) for m in ("student", "teacher"))
        if ours is not None:
            note = "mean over languages"
            if theirs is not None:
                note += f"; teacher {formatting.percent(theirs)} %, "
                note += f"{formatting.points(ours - theirs)} points"
            figures.append(Figure(title, formatting.percent(ours), "%", note))
    return figures


def gains(run: FinishedRun, where: Sequence[str], measure: Metric) -> dict[str, float]:
    """Returns the student's measure less its teacher's by language, the most first."""
    ours, theirs = (
        _scored(run, model, where)["languages"] for model in ("student", "teacher")
    )
    found = {
        code: measure.value(row) - measure.value(theirs[code])
        for code, row in ours.items()
        if None not in (measure.value(row), measure.value(theirs.get(code, {})))
    }
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))


def by_language(
    run: FinishedRun,
    where: Sequence[str],
    measures: Sequence[Metric],
    note: str,
    folded: str = "",
) -> Table:
    """Returns scores of teacher and student by language, the largest gain first.

    Args:
        run: The run.
        where: Keys of a model's metrics down to `languages` and `mean`.
        measures: Shares of a language's row; of the first there are bars and the gain.
        note: Above the table.
        folded: The table's title where it is folded, and has no bars.
    """
    first = measures[0]
    models = {model: _scored(run, model, where) for model in ("teacher", "student")}
    gained = gains(run, where, first)
    codes = [*gained, *(c for c in models["student"]["languages"] if c not in gained)]
    rows: list[list[Any]] = []
    for code in [*codes, ""]:
        found = {
            model: each["languages"].get(code, {}) if code else each["mean"]
            for model, each in models.items()
        }
        shares = {m: first.value(row) for m, row in found.items()}
        known = None not in shares.values()
        row: list[Any] = [language(code) if code else "mean"]
        row.append(formatting.count(found["student"].get("count")))
        row += [] if folded else [bars(shares)]
        row += [m.write(m.value(each)) for m in measures for each in found.values()]
        if not folded:
            row.append(gain(shares["student"] - shares["teacher"] if known else None))
        rows.append(row)
    columns = ["language", "texts", *([] if folded else ["0 to 100 %"])]
    columns += [f"{m}, {x.name}".rstrip(", ") for x in measures for m in models]
    columns += [] if folded else ["gain"]
    key = {} if folded else {model: model for model in models}
    return Table(columns, rows, folded, note, bool(folded), total=True, key=key)


def _scored(run: FinishedRun, model: str, where: Sequence[str]) -> Mapping[str, Any]:
    found: Any = run.metrics.get(model, {})
    for key in where:
        found = (found or {}).get(key)
    return found or {"languages": {}, "mean": {}}


def split_counts(
    counts: Mapping[str, Mapping[str, int]], unit: str, note: str
) -> Table:
    """Returns sentences or pairs by language and split, the most first."""
    order = sorted(counts, key=lambda name: (-counts[name]["train"], name))
    most = max((row["train"] for row in counts.values()), default=0)
    rows: list[list[Any]] = [
        [
            language(name),
            bars({"plain": counts[name]["train"]}, most),
            *(formatting.count(counts[name][split]) for split in SPLITS),
        ]
        for name in order
    ]
    totals = [sum(row[split] for row in counts.values()) for split in SPLITS]
    rows.append(["all", "", *map(formatting.count, totals)])
    columns = ["language", f"training {unit}", *SPLITS]
    return Table(columns, rows, note=note, total=True)


def rejected(run: FinishedRun) -> Section:
    """Returns how many rows cleaning left out, by reason."""
    found = run.facts("corpus").get("rejected", {})
    if not found:
        return Section("Rejected rows", [Text("No row was rejected.", "missing")])
    order = sorted(found.items(), key=lambda item: (-item[1], item[0]))
    rows = [
        [_spaced(reason), bars({"plain": n}, order[0][1]), formatting.count(n)]
        for reason, n in order
    ]
    note = f"{formatting.count(sum(found.values()))} rows were left out by cleaning; "
    note += "each is in `corpus/rejected.tsv` with its file, line and reason."
    return Section("Rejected rows", [Table(["reason", "", "rows"], rows, note=note)])


def curves(
    run: FinishedRun, steps: Mapping[str, str], shares: Sequence[str] = ()
) -> Section:
    """Returns the curves of trainings, and the teacher's scores as lines.

    Args:
        run: The run.
        steps: Heading by step of the manifest; "" for none.
        shares: Validation metrics that are shares, shown in percent.
    """
    teacher = run.read("logs/teacher.json")
    parts: list[Part] = []
    for step, title in steps.items():
        lines = series(run.facts(step).get("curve", ()))
        if lines:
            parts += _curve_charts(lines, teacher, title, shares)
    return Section(
        "Training", parts or [Text("No training curves were recorded.", "missing")]
    )


def _curve_charts(
    lines: Mapping[str, Points],
    teacher: Mapping[str, float],
    title: str,
    shares: Sequence[str],
) -> list[Part]:
    whole, single = [], {}
    for name in sorted(lines, key=lambda n: (n.startswith("train/"), n)):
        metric = name.removeprefix("validation/")
        percent = metric.partition("/")[0] in shares
        if metric.count("/") and metric != name:
            single[metric] = lines[name]
            continue
        caption = _spaced(name).replace("/", ": ") + ", %" * percent
        drawn = charts.line_chart(
            {"student": lines[name]},
            label=f"{name} by step",
            reference=teacher.get(metric) if metric != name else None,
            percent=percent,
        )
        whole.append((caption, drawn))
    key = {"student": "student"} | ({"line": "teacher"} if teacher else {})
    parts: list[Part] = [Charts(whole, title, key=key if teacher else {})]
    if single:
        parts.append(_by_language(single, teacher, shares))
    return parts


def _by_language(
    lines: Mapping[str, Points], teacher: Mapping[str, float], shares: Sequence[str]
) -> Charts:
    """Returns small charts of single languages on one scale."""
    values = [y for line in lines.values() for _, y in line if math.isfinite(y)]
    values += [teacher[name] for name in lines if name in teacher]
    span = (min(values), max(values)) if values else None
    metric = next(iter(lines)).partition("/")[0]
    percent = metric in shares
    drawings = [
        (
            name_of(name.rpartition("/")[2]),
            charts.line_chart(
                {"student": line},
                label=f"Validation {name} by step",
                reference=teacher.get(name),
                span=span,
                percent=percent,
                steps=2,
            ),
        )
        for name, line in sorted(lines.items())
    ]
    unit = ", %" * percent
    title = f"Validation {_spaced(metric)} by language{unit}, on one scale"
    return Charts(drawings, title, "small")


def series(rows: Iterable[Mapping[str, Any]]) -> dict[str, Points]:
    """Turns {"step": 200, "train/loss": 1.5, ...} rows into (step, value) by name."""
    found: dict[str, Points] = {}
    for row in rows:
        for name, value in row.items():
            if name != "step" and value is not None:
                found.setdefault(name, []).append((float(row["step"]), float(value)))
    return {name: sorted(points) for name, points in found.items()}


def examples(run: FinishedRun, note: str) -> Section:
    """Returns a few test sentences with what the models made of them."""
    found = run.read(SAMPLES).get("examples") or {"columns": [], "rows": []}
    rows = [[prose(text) for text in row] for row in found["rows"][:EXAMPLES]]
    parts: list[Part] = [Table(found["columns"], rows, note=note)]
    if not rows:
        parts = [Text("No example was kept.", "missing")]
    return Section("Examples", parts)


def comparisons(tables: Sequence[Mapping[str, Any]]) -> list[Section]:
    """Returns a section of what benchmarks found, none for nothing."""
    parts = [table_of(table) for table in tables]
    return [Section("Comparisons", parts, card=True)] if parts else []


def origins(rows: Sequence[Sequence[str]]) -> Section:
    """Returns where text and models come from, under which licences.

    Args:
        rows: What, from where, its licence.
    """
    table = Table(
        ["what", "from", "licence"], [[r[0], *map(prose, r[1:])] for r in rows]
    )
    return Section("Training data and licences", [table], report=False, card=True)


def limits(run: FinishedRun, lines: Sequence[str]) -> Section:
    """Returns what the student is not good for, for the model card."""
    length = run.config.get("student", {}).get("max_length")
    common = [f"Text beyond {length} tokens is cut off."] if length else []
    common.append(
        "It was measured on held-out text of its training data's domain. On "
        "other text its teacher may well be better: measure it there first."
    )
    common.append("Biases of the teacher and of the training text were not studied.")
    parts = [Text(line) for line in (*common, *lines)]
    return Section("Limitations", parts, report=False, card=True)


def reproduce(run: FinishedRun) -> list[Section]:
    """Returns command and versions; then time and memory by step, and settings."""
    rows: list[list[Any]] = [
        [
            _spaced(name),
            formatting.duration(step["seconds"]),
            f"{step['peak_gb']:.2f} GB",
        ]
        for name, step in run.steps.items()
    ]
    total = sum(step["seconds"] for step in run.steps.values())
    rows.append(["all", formatting.duration(total), ""])
    versions = run.manifest.get("versions", {})
    told = ", ".join(f"{name} {version}" for name, version in versions.items())
    hashed = run.manifest.get("config_hash", "–")
    told += f"; seed {run.config.get('seed')}; hash of the settings `{hashed}`."
    command = Code(formatting.repeat(run.path), "sh")
    note = "Peak memory is the largest of this process so far."
    return [
        Section("How to reproduce", [command, Text(told)], card=True),
        Section(
            "Time, memory and settings",
            [
                Table(["step", "time", "peak memory"], rows, note=note, total=True),
                Code(formatting.settings(run.config), title="Configuration"),
            ],
        ),
    ]


def _spaced(name: str) -> str:
    return str(name).replace("_", " ")


def reading(run_path: Any) -> Any:
    """Returns the boundary of all the files that a report is made from."""
    return boundary(
        f"Cannot make the report of {run_path}",
        expected="metrics.json, parity.json and the others as the run wrote them",
        consequence="One of them is damaged; the student and its files are kept",
        remedy=f"delete {run_path / 'metrics.json'} and {run_path / 'export'}, and run "
        "the same command again: only evaluation, export and report are done again",
    )
