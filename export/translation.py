"""The export step of a translator's run: write all files, prove them, publish them."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from configs.atomic import atomic_path, remove
from configs.errors import BabeletError
from export.metadata import SAVED_METADATA
from export.new_process import run_module
from export.rebuild import TOKENIZER, describe, rebuild_student
from export.saved_model import save_functions
from export.translation_functions import text_to_text
from export.translation_litert import convert_translator

TEXTS = "parity_texts.json"
TIERS = ("fp32", "int8")


def export_translator(
    workdir: Path, sources: Sequence[str], references: Sequence[str]
) -> dict[str, Any]:
    """Exports the student of a finished run to <workdir>/export.

    The folder appears once the parity gate has passed, whole; until then, and if the
    gate fails or the process is killed, there is none.

    Args:
        workdir: Holds config.json, tokenizer.model and student.weights.h5.
        sources: Texts of the test split, for the gate.
        references: Their translations by a person.

    Returns:
        What <workdir>/export/parity.json holds.

    Raises:
        BabeletError: A file does not convert, or does not equal the student.
    """
    target = workdir / "export"
    # Files of earlier weights must not pass for those of the present ones.
    remove(target)
    with atomic_path(workdir / TEXTS) as path:
        texts = [list(sources), list(references)]
        path.write_text(json.dumps(texts, ensure_ascii=False, indent=1), "utf-8")
    with atomic_path(target) as folder:
        folder.mkdir()
        write_files(workdir, folder)
        run_module(
            "export.translation_parity",
            [f"--workdir={workdir.resolve()}", f"--folder={folder.resolve()}"],
        )
    return json.loads((target / "parity.json").read_text("utf-8"))


def read_texts(workdir: Path) -> tuple[list[str], list[str]]:
    """Returns the sources and references that the run's own export was checked with.

    Raises:
        BabeletError: There are none: the run has not come to its export.
    """
    try:
        sources, references = json.loads((workdir / TEXTS).read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise BabeletError(
            f"Cannot read the texts to check with: {error}",
            remedy="run training.distill with this workdir: it writes them",
        ) from error
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
        (path / SAVED_METADATA).parent.mkdir()
        (path / SAVED_METADATA).write_text(
            json.dumps(metadata, indent=2) + "\n", "utf-8"
        )
        progress.update()
        for tier in TIERS:
            # Built anew: int8 changes the model.
            student, tokenizer, _ = rebuild_student(workdir)
            path = folder / f"student_{tier}.tflite"
            convert_translator(student, tokenizer, path, tier, metadata)
            progress.update()
