"""Sections that the report of every task has, from the files of a run's folder."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from babelet.core.boundary import boundary
from babelet.evaluation import charts, formatting, scatter
from babelet.evaluation.finished_run import (
    LATENCY,
    PARITY,
    QUANTISATION,
    SAMPLES,
    FinishedRun,
    Metric,
)
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
    language,
    prose,
    table_of,
)

SPLITS = ("train", "validation", "test")
# Sentences and their translations shown side by side.
EXAMPLES = 24
Points = list[tuple[float, float]]


def models(run: FinishedRun) -> list[dict[str, Any]]:
    """Returns a row for each file whose size or latency is known, teachers first.

    Each has `model` ("teacher" or "student"), `file`, `precision`, and `parameters`,
    `bytes` and `milliseconds`, None where not known.
    """
    sizes, parameters = {}, parameters_of(run)
    if parameters["teacher"] is not None:
        sizes["teacher_fp32"] = 4 * parameters["teacher"]
    for file in sorted((run.path / "export").glob("student_*.tflite")):
        sizes[file.stem] = file.stat().st_size
    tiers = run.read(QUANTISATION).get("tiers", {})
    # Exports of earlier versions were not timed.
    times = {f"student_{k}": v for k, v in tiers.items() if v["kept"]}
    times |= run.read(LATENCY).get("models", {})
    rows = []
    for name in sorted({*sizes, *times}, key=lambda n: (not n.startswith("t"), n)):
        model, _, precision = name.partition("_")
        known = times.get(name, {})
        exported = model == "student" or known
        rows.append(
            {
                "model": model,
                "file": f"{name}.tflite" if exported else "weights as float32",
                "precision": precision,
                "parameters": parameters[model],
                "bytes": sizes.get(name) or known.get("bytes"),
                "milliseconds": known.get("median_ms"),
            }
        )
    return rows


def parameters_of(run: FinishedRun) -> dict[str, int | None]:
    """Returns the parameters of teacher and student, None where not known."""
    teacher = run.facts("evaluation").get("teacher_parameters")
    if teacher is None:
        teacher = run.facts("teacher").get("parameters")
    return {"teacher": teacher, "student": run.facts("training").get("parameters")}


def smaller_and_faster(run: FinishedRun) -> list[Figure]:
    """Returns how the student's int8 compares with what else a user would take.

    That is the teacher in int8; where it was not measured, float32, and so it says.
    """
    figures = []
    for title, unit, key, write in (
        ("Size", "× smaller", "bytes", formatting.size),
        ("Latency", "× faster", "milliseconds", formatting.milliseconds),
    ):
        # An int8 file before others, of either model.
        best: dict[str, dict] = {}
        for row in sorted(models(run), key=lambda r: r["precision"] == "int8"):
            if row[key] and row["precision"] in ("fp32", "fp16", "int8"):
                best[row["model"]] = row
        # A teacher that is a rule is smaller and faster than any student.
        if len(best) == 2 and best["teacher"][key] > best["student"][key]:
            teacher, student = best["teacher"], best["student"]
            times = formatting.decimal(teacher[key] / student[key], 1)
            note = f"{student['precision']} {write(student[key])}, teacher's "
            if teacher["precision"] == "int8":
                note += f"int8 {write(teacher[key])}"
            else:
                note += f"float32 {write(teacher[key])}; its int8 was not measured"
            figures.append(Figure(title, times, unit, note))
    return figures


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


def series(rows: Iterable[Mapping[str, float | None]]) -> dict[str, Points]:
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


def exports(run: FinishedRun, figures: Sequence[Metric]) -> Section:
    """Returns sizes, latency, precision and parity of the exported files.

    Args:
        run: The run.
        figures: Of a row of parity.json, or of a tier in quantisation.json, what
            compares it with the Keras student; those that no row has are left out.
    """
    found = models(run)
    known = "not measured"
    rows = [
        [
            row["file"],
            row["model"],
            formatting.count(row["parameters"]),
            formatting.size(row["bytes"]),
            formatting.milliseconds(row["milliseconds"])
            if row["milliseconds"]
            else known,
        ]
        for row in found
    ]
    columns = ["file", "model", "parameters", "size", "latency"]
    latency = run.read(LATENCY)
    note = "One sentence in LiteRT, batch 1, 16 tokens, one thread, XNNPACK on. "
    note += (
        "Teacher and student in one process, in the order A-B-B-A."
        if latency
        else "For the teacher beside it: `python -m benchmarks.latency`."
    )
    parts: list[Part] = [Table(columns, rows, "Size and latency", note)]
    parts += _precision(run, figures) + [_parity(run, figures)] + _onnx_runtime(latency)
    return Section("Exports", parts)


def files(run: FinishedRun) -> Section:
    """Returns the exported files with their sizes, for the model card."""
    rows = [
        [row["file"], row["model"], formatting.count(row["parameters"]), size]
        for row in models(run)
        if (size := formatting.size(row["bytes"]))
    ]
    told = "`export/golden.jsonl` holds texts with what the student makes of them, to "
    told += "check a port against; `export/parity.json` how near each file is to it."
    table = Table(["file", "model", "parameters", "size"], rows)
    return Section("Files", [table, Text(told)], report=False, card=True)


def _parity(run: FinishedRun, figures: Sequence[Metric]) -> Table:
    artefacts = run.read(PARITY)["artefacts"]
    note = "Each file, loaded in a new process, against the Keras student in float32."
    names = {
        name: f"{name} (not kept)" if row.get("kept") is False else name
        for name, row in artefacts.items()
    }
    return _compared(artefacts, names, figures, "Parity", note)


def _compared(
    rows: Mapping[str, Mapping[str, Any]],
    names: Mapping[str, str],
    figures: Sequence[Metric],
    title: str,
    note: str,
) -> Table:
    """Returns files as rows and the figures that some of them has as columns."""
    used = [f for f in figures if any(f.values(row) for row in rows.values())]
    written = [
        [names[name], *(figure.write(figure.value(row)) for figure in used)]
        for name, row in rows.items()
    ]
    return Table(["file", *(figure.name for figure in used)], written, title, note)


def _precision(run: FinishedRun, figures: Sequence[Metric]) -> list[Part]:
    found = run.read(QUANTISATION)
    if not found:
        return [Text("Quantised files were not scored.", "missing")]
    note = f"The student in each precision on {formatting.count(found['texts'])} test "
    note += "texts, against the student in float32. A file below the gate is not kept."
    measured = (
        Metric("size", ("bytes",), formatting.size),
        Metric("latency", ("median_ms",), formatting.milliseconds),
        *figures,
    )
    tiers = found["tiers"]
    table = _compared(tiers, {n: n for n in tiers}, measured, "Precision", note)
    rows = [
        [*row, prose(_verdict(tier))]
        for row, tier in zip(table.rows, tiers.values(), strict=True)
    ]
    parts: list[Part] = [Table([*table.columns, "kept"], rows, "Precision", note)]
    scored = [f for f in figures if f.primary]
    points = [
        scatter.Point(
            name, tier["median_ms"], scored[0].value(tier), tier["bytes"], tier["kept"]
        )
        for name, tier in tiers.items()
        if scored and "median_ms" in tier and scored[0].value(tier) is not None
    ]
    if points:
        caption = f"{scored[0].name} by milliseconds; the area is the size of the file"
        parts.append(
            Charts([(caption, scatter.scatter(points, label=caption))], "", "wide")
        )
    return parts


def _verdict(tier: Mapping[str, Any]) -> str:
    kept = "yes" if tier["kept"] else "no"
    if tier["kept"] and tier["failures"]:
        kept += ", by force"
    return ": ".join([kept, "; ".join(tier["failures"])]).rstrip(": ")


def _onnx_runtime(latency: Mapping[str, Any]) -> list[Part]:
    result = latency.get("onnx_runtime")
    if not result:
        return []
    versions = {"litert": "ai-edge-litert", "onnxruntime": "onnxruntime"}
    note = f"One sentence of {result['tokens']} tokens, one thread, in turns in one "
    note += f"process: ONNX Runtime takes {result['ratio']:.2f} times as long. Cosines "
    note += "are with the student in float32, on the texts of the parity gate."
    rows = [
        [
            f"{versions[name]} {result['versions'][versions[name]]}",
            formatting.size(row["bytes"]),
            formatting.milliseconds(row["median_ms"]),
            row["min_cosine"],
            row["mean_cosine"],
        ]
        for name, row in result["models"].items()
    ]
    columns = ["runtime", "size", "latency", "smallest cosine", "mean cosine"]
    return [Table(columns, rows, "int8 in LiteRT and in ONNX Runtime", note)]


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


def reproduce(run: FinishedRun) -> Section:
    """Returns command, versions, hashes, time and memory by step, and settings."""
    steps = run.steps
    rows: list[list[Any]] = [
        [_spaced(n), formatting.duration(s["seconds"]), f"{s['peak_gb']:.2f} GB"]
        for n, s in steps.items()
        if "seconds" in s
    ]
    total = sum(step["seconds"] for step in steps.values() if "seconds" in step)
    rows.append(["all", formatting.duration(total), ""])
    versions = [[name, v] for name, v in run.manifest.get("versions", {}).items()]
    versions += [["configuration", run.manifest.get("config_hash", "–")]]
    parts: list[Part] = [
        Code(formatting.repeat(run.path), "sh"),
        Table(
            ["step", "time", "peak memory"],
            rows,
            "Time and memory",
            "Peak memory is the largest of this process so far.",
            total=True,
        ),
        Table(
            ["package", "version"], versions, f"Versions; seed {run.config.get('seed')}"
        ),
        Code(formatting.settings(run.config), title="Configuration"),
    ]
    return Section("How to reproduce", parts)


def reproduce_card(run: FinishedRun) -> Section:
    """Returns command and versions, for the model card."""
    versions = run.manifest.get("versions", {})
    told = ", ".join(f"{name} {version}" for name, version in versions.items())
    command = Code(formatting.repeat(run.path), "sh")
    text = Text(f"{told}; seed {run.config.get('seed')}." if told else "Not recorded.")
    return Section("How to reproduce", [command, text], report=False, card=True)


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
