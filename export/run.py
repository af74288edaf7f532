"""The export step of a run: write all artefacts, prove them, then publish them."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from configs.atomic import atomic_path, remove
from configs.errors import BabeletError
from data.class_names import LABELS
from export.formats import FORMATS
from export.new_process import run_module
from export.parity import TEXTS, Texts
from export.quantisation import REPORT, TIERS
from export.rebuild import TOKENIZER, describe, rebuild_served


def export_run(
    workdir: Path,
    texts_by_language: Texts,
    formats: Sequence[str] = tuple(FORMATS),
    force: bool = False,
) -> dict[str, Any]:
    """Exports the student of a finished run to <workdir>/export.

    The folder appears once the parity gate has passed, whole; until then, and if the
    gate fails or the process is killed, there is none. What quantisation spoils, by
    the gate of `export.quantisation`, is left out of it.

    Args:
        workdir: Holds config.json, tokenizer.model, student.weights.h5 and corpus/.
        texts_by_language: Pairs (pivot text, translation) for the gate; some 40 of
            the test split for each language.
        formats: Names in `FORMATS`; files of others that were there are gone.
        force: Write what quantisation spoils as well.

    Returns:
        What <workdir>/export/parity.json holds.

    Raises:
        BabeletError: An artefact does not convert, or does not equal the student, or
            quantisation spoils all that was asked for.
    """
    target = workdir / "export"
    # Artefacts of earlier weights must not pass for those of the present ones.
    remove(target)
    with atomic_path(workdir / TEXTS) as path:
        text = json.dumps(texts_by_language, ensure_ascii=False, indent=1)
        path.write_text(text, encoding="utf-8")
    with atomic_path(target) as folder:
        folder.mkdir()
        written = _write_sound_tiers(workdir, folder, formats, force)
        place = [f"--workdir={workdir.resolve()}", f"--folder={folder.resolve()}"]
        run_module("export.parity", [*place, f"--formats={','.join(written)}"])
    return json.loads((target / "parity.json").read_text(encoding="utf-8"))


def write_artefacts(
    workdir: Path, folder: Path, formats: Sequence[str] = tuple(FORMATS)
) -> None:
    """Writes the files of these formats and their tokenizer, unchecked."""
    built = rebuild_served(workdir)
    (folder / TOKENIZER).write_bytes(built.tokenizer.model_bytes)
    if built.config.task == "classification":
        (folder / LABELS).write_text((workdir / LABELS).read_text("utf-8"), "utf-8")
    metadata = describe(workdir)
    for name in tqdm(formats, desc="Export", unit=" files"):
        path = folder / FORMATS[name].path
        FORMATS[name].write(built, path, metadata)


def _write_sound_tiers(
    workdir: Path, folder: Path, formats: Sequence[str], force: bool
) -> list[str]:
    """Writes the formats whose tier passes the gate; returns their names."""
    wanted = {FORMATS[name].tier for name in formats}
    # A tier's file from token ids stands for its others: they hold the same weights.
    judged = [t for t in TIERS if t in wanted and (t != "fp32" or t in formats)]
    write_artefacts(workdir, folder, judged)
    kept, reasons = {"fp32"}, []
    if judged:
        place = [f"--workdir={workdir.resolve()}", f"--folder={folder.resolve()}"]
        classes = (workdir / LABELS).is_file()
        judge = "export.class_tiers" if classes else "export.quantisation"
        run_module(judge, [*place, *["--force"] * force])
        tiers = json.loads((folder / REPORT).read_text(encoding="utf-8"))["tiers"]
        kept |= {tier for tier, row in tiers.items() if row["kept"]}
        reasons = [reason for row in tiers.values() for reason in row["failures"]]
    chosen = [name for name in formats if FORMATS[name].tier in kept]
    if not chosen:
        raise BabeletError(
            f"Quantisation spoils the student: {reasons[0]}",
            consequence="No exported file was kept",
            remedy="choose formats in fp32 or fp16, give --force, or change "
            "export.min_cosine and export.max_retrieval_loss of the run",
        )
    for name in set(judged) - set(chosen):
        remove(folder / FORMATS[name].path)
    others = [name for name in chosen if name not in judged]
    write_artefacts(workdir, folder, others)
    return chosen
