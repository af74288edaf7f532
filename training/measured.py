"""What was measured of a run's files, for its report: latency, sizes, precision."""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from babelet.core.boundary import boundary
from babelet.core.run_files import read_json
from babelet.export.published import PARITY, REPORT, require_undamaged_export

QUANTISATION = f"export/{REPORT}"
LATENCY = "latency.json"


def reporting(path: Path) -> AbstractContextManager[None]:
    """Returns the boundary of all the files that a report of `path` is made from."""
    return boundary(
        f"Cannot make the report of {path}",
        expected="metrics.json, parity.json and the others as the run wrote them",
        consequence="One of them is damaged; the student and its files are kept",
        remedy=f"delete {path / 'metrics.json'} and {path / 'export'}, and run the "
        "same command again: only evaluation, export and report are done again",
    )


def measurements(path: Path, *others: str) -> dict[str, str]:
    """Returns the text of what was measured of the run in `path`, where it was.

    Args:
        path: The workdir.
        others: Files in it, beside those that every task has.
    """
    files = {name: path / name for name in (LATENCY, *others, QUANTISATION)}
    return {name: file.read_text() for name, file in files.items() if file.is_file()}


def quantisation(path: Path) -> dict | None:
    """Returns what was found of the tiers; None where none was exported."""
    if (path / QUANTISATION).is_file():
        require_undamaged_export(path / "export", REPORT)
    return _read(path / QUANTISATION)


def parity(path: Path) -> dict:
    """Returns what the gate found of the exported files.

    Raises:
        BabeletError: It is missing, or not as the export wrote it.
    """
    require_undamaged_export(path / "export", PARITY)
    return read_json(path / "export" / PARITY, ("artefacts", "files"))


def latency(path: Path) -> tuple[list[dict], str]:
    """Returns the rows measured beside the teacher, or else the student's alone.

    Each has `model` ("teacher" or "student"), `file` and `milliseconds`; the text tells
    how they were taken.
    """
    note = "LiteRT, batch 1, 16 tokens, one thread, XNNPACK on"
    beside = _read(path / LATENCY)
    if beside:
        models = beside["models"]
        note += "; teacher and student in one process, in the order A-B-B-A."
    else:
        tiers = (quantisation(path) or {"tiers": {}})["tiers"]
        models = {
            f"student_{tier}": row
            for tier, row in tiers.items()
            # Exports of earlier versions were not timed.
            if row["kept"] and "median_ms" in row
        }
        note += ". For the teacher beside it: python -m benchmarks.latency."
    rows = [
        {
            "model": name.partition("_")[0],
            "file": f"{name}.tflite",
            "milliseconds": row["median_ms"],
        }
        for name, row in models.items()
    ]
    return rows, note


def sizes(path: Path, teacher: int | None, student: int) -> list[dict]:
    """Returns a row for the teacher and for each file of the student from token ids.

    Each has `model`, `file`, `parameters` and `bytes`.

    Args:
        path: The workdir.
        teacher: Its parameters; None if not known.
        student: Its parameters.
    """
    rows = []
    if teacher is not None:
        row = {"model": "teacher", "file": "weights as float32"}
        rows.append(row | {"parameters": teacher, "bytes": 4 * teacher})
    for file in sorted((path / "export").glob("student_*.tflite")):
        row = {"model": "student", "file": file.name}
        rows.append(row | {"parameters": student, "bytes": file.stat().st_size})
    return rows


def onnx_runtime(path: Path) -> list[dict]:
    """Returns the table of LiteRT and ONNX Runtime, where they were compared."""
    result = (_read(path / LATENCY) or {}).get("onnx_runtime")
    if not result:
        return []
    versions = {"litert": "ai-edge-litert", "onnxruntime": "onnxruntime"}
    return [
        {
            "title": "The student's int8 in LiteRT and in ONNX Runtime",
            "note": f"One sentence of {result['tokens']} tokens, one thread, in turns "
            f"in one process: ONNX Runtime takes {result['ratio']:.2f} times as long. "
            "Cosines are with the student in float32, on the texts of the parity gate.",
            "columns": ["runtime", "MB", "ms", "smallest cosine", "mean cosine"],
            "rows": [
                [
                    f"{versions[name]} {result['versions'][versions[name]]}",
                    round(row["bytes"] / 1e6, 1),
                    round(row["median_ms"], 2),
                    row["min_cosine"],
                    row["mean_cosine"],
                ]
                for name, row in result["models"].items()
            ],
        }
    ]


def _read(file: Path) -> Any:
    return read_json(file) if file.is_file() else None
