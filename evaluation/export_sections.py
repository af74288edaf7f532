"""What the report says of exported files: size, latency, and how right they are."""

from collections.abc import Mapping, Sequence
from typing import Any

from babelet.evaluation import formatting, scatter
from babelet.evaluation.finished_run import (
    LATENCY,
    PARITY,
    QUANTISATION,
    FinishedRun,
    Metric,
)
from babelet.evaluation.sections import (
    Charts,
    Figure,
    Part,
    Section,
    Table,
    Text,
    prose,
)


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


def files(run: FinishedRun) -> Section:
    """Returns the exported files with their sizes and latency."""
    found = models(run)
    rows = [
        [
            row["file"],
            row["model"],
            formatting.count(row["parameters"]),
            formatting.size(row["bytes"]),
            formatting.milliseconds(row["milliseconds"]),
        ]
        for row in found
    ]
    note = "Latency of one sentence in LiteRT, batch 1, 16 tokens, one thread, XNNPACK "
    note += "on. "
    note += (
        "Teacher and student in one process, in the order A-B-B-A."
        if run.read(LATENCY)
        else "For the teacher beside it: `python -m benchmarks.latency`."
    )
    timed = any(row["milliseconds"] for row in found)
    told = "`export/golden.jsonl` holds texts with what the student makes of them, to "
    told += "check a port against; `export/parity.json` how near each file is to it."
    columns = ["file", "model", "parameters", "size", "latency"]
    parts = [Table(columns, rows, note=note if timed else ""), Text(told)]
    return Section("Files", parts, card=True)


def exports(run: FinishedRun, figures: Sequence[Metric]) -> Section:
    """Returns precision and parity of the exported files, and ONNX Runtime beside.

    Args:
        run: The run.
        figures: Of a row of parity.json, or of a tier in quantisation.json, what
            compares it with the Keras student; those that no row has are left out.
    """
    parts = [*_precision(run, figures), _parity(run, figures)]
    return Section("Exports", [*parts, *_onnx_runtime(run)])


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


def _onnx_runtime(run: FinishedRun) -> list[Part]:
    result = run.read(LATENCY).get("onnx_runtime")
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
