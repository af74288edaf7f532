"""The export step of a translator's run: write all files, prove them, publish them."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from babelet.core.atomic import atomic_path, remove
from babelet.core.boundary import boundary
from babelet.export.metadata import attach_saved_metadata
from babelet.export.new_process import run_module
from babelet.export.published import PARITY, new_export, read_json
from babelet.export.rebuild import TOKENIZER, describe, rebuild_student
from babelet.export.saved_model import save_functions
from babelet.export.translation_functions import text_to_text
from babelet.export.translation_litert import convert_translator

TEXTS = "parity_texts.json"
TIERS = ("fp32", "int8")


def export_translator(
    workdir: Path, sources: Sequence[str], references: Sequence[str]
) -> dict[str, Any]:
    """Exports the student of a finished run to <workdir>/export.

    The folder is replaced once the parity gate has passed, whole; until then, and if
    the gate fails or the process is killed, the earlier one stays. A file that does not
    translate as the student does is left out of it, and named in a line.

    Args:
        workdir: Holds config.json, tokenizer.model and student.weights.h5.
        sources: Texts of the test split, for the gate.
        references: Their translations by a person.

    Returns:
        What <workdir>/export/parity.json holds.

    Raises:
        BabeletError: A file does not convert, or none equals the student; or there is a
            folder "export" that is not Babelet's.
    """
    weights = describe(workdir)["weights_sha256"]
    with new_export(workdir, weights) as folder:
        _write_texts(workdir, sources, references)
        write_files(workdir, folder)
        place = [f"--workdir={workdir.resolve()}", f"--folder={folder.resolve()}"]
        run_module("babelet.export.translation_parity", [*place, "--record"])
        report = read_json(folder, PARITY)
        leave_out(folder, report)
    return report


def leave_out(folder: Path, report: dict[str, Any]) -> None:
    """Removes from a new export what the gate did not keep."""
    for name, row in report["artefacts"].items():
        if not row["kept"]:
            remove(folder / name)


def _write_texts(
    workdir: Path, sources: Sequence[str], references: Sequence[str]
) -> None:
    with atomic_path(workdir / TEXTS) as path:
        texts = [list(sources), list(references)]
        path.write_text(json.dumps(texts, ensure_ascii=False, indent=1), "utf-8")


def read_texts(workdir: Path) -> tuple[list[str], list[str]]:
    """Returns the sources and references that the run's own export was checked with.

    Raises:
        BabeletError: There are none: the run has not come to its export.
    """
    with boundary(
        f"Cannot read the texts to check with, {workdir / TEXTS}",
        expected="two lists of as many texts, as the run's export wrote them",
        remedy="run babelet distill with this workdir again: its export writes them",
    ):
        sources, references = json.loads((workdir / TEXTS).read_text("utf-8"))
        rows = list(zip(sources, references, strict=True))
        if not rows or not all(isinstance(text, str) for row in rows for text in row):
            raise ValueError("it holds no texts, or something else")
    return sources, references


def write_files(workdir: Path, folder: Path) -> None:
    """Writes saved_model/, two LiteRT files and their tokenizer, unchecked."""
    metadata = describe(workdir)
    with tqdm(total=1 + len(TIERS), desc="Export", unit=" files") as progress:
        built = rebuild_student(workdir)
        (folder / TOKENIZER).write_bytes(built.tokenizer.model_bytes)
        function = text_to_text(built.student, built.tokenizer)
        path = folder / "saved_model"
        save_functions(built.student, {"serving_default": function}, path)
        attach_saved_metadata(path, metadata)
        progress.update()
        for tier in TIERS:
            # Built anew: int8 changes the model.
            student, tokenizer, _ = rebuild_student(workdir)
            path = folder / f"student_{tier}.tflite"
            convert_translator(student, tokenizer, path, tier, metadata)
            progress.update()
