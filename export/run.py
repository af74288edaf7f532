"""The export step of a run: write all artefacts, prove them, then publish them."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from babelet.core.atomic import atomic_path, remove
from babelet.core.errors import BabeletError
from babelet.data.class_names import LABELS
from babelet.export.formats import FORMATS
from babelet.export.new_process import run_module
from babelet.export.parity import TEXTS, Texts
from babelet.export.published import PARITY, REPORT, new_export, read_json
from babelet.export.quantisation import TIERS, write_report
from babelet.export.rebuild import TOKENIZER, describe, rebuild_served


def export_run(
    workdir: Path,
    texts_by_language: Texts,
    formats: Sequence[str] = tuple(FORMATS),
    force: bool = False,
) -> dict[str, Any]:
    """Exports the student of a finished run to <workdir>/export.

    The folder is replaced once the parity gate has passed, whole; until then, and if
    the gate fails or the process is killed, the earlier one stays. What quantisation
    spoils, by the gate of `babelet.export.quantisation`, and what is not equal to the
    student is left out of it, and named in a line.

    Args:
        workdir: Holds config.json, tokenizer.model, student.weights.h5 and corpus/.
        texts_by_language: Pairs (pivot text, translation) for the gate; some 40 of
            the test split for each language, of a classifier `sentences_a_language`.
        formats: Names in `FORMATS`; files of others that were there are gone.
        force: Write what quantisation spoils as well.

    Returns:
        What <workdir>/export/parity.json holds.

    Raises:
        BabeletError: An artefact does not convert, none equals the student, or
            quantisation spoils all that was asked for; or there is a folder "export"
            that is not Babelet's.
    """
    own = describe(workdir)
    judge = "class_tiers" if own["task"] == "classification" else "quantisation"
    with new_export(workdir, own["weights_sha256"]) as folder:
        _write_texts(workdir, texts_by_language)
        written, forced = _write_sound_tiers(workdir, folder, formats, judge, force)
        place = [f"--workdir={workdir.resolve()}", f"--folder={folder.resolve()}"]
        flags = [f"--formats={','.join(written)}", f"--forced={','.join(forced)}"]
        run_module("babelet.export.parity", [*place, *flags, "--record"])
        report = read_json(folder, PARITY)
        leave_out(folder, report["refused"])
    return report


def _write_texts(workdir: Path, texts_by_language: Texts) -> None:
    with atomic_path(workdir / TEXTS) as path:
        text = json.dumps(texts_by_language, ensure_ascii=False, indent=1)
        path.write_text(text, encoding="utf-8")


def leave_out(folder: Path, refused: Mapping[str, str]) -> None:
    """Removes from a new export what the gate refused, and says so in its figures."""
    for path in refused:
        remove(folder / path)
    if not (folder / REPORT).is_file():
        return
    found = read_json(folder, REPORT)
    for tier, row in found["tiers"].items():
        if reason := refused.get(FORMATS[tier].path):
            row |= {"kept": False, "failures": [*row["failures"], reason]}
    write_report(folder, found)


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
    workdir: Path, folder: Path, formats: Sequence[str], judge: str, force: bool
) -> tuple[list[str], set[str]]:
    """Writes the formats whose tier passes the gate.

    Returns:
        Their names, and the tiers that are there in spite of the gate.
    """
    wanted = {FORMATS[name].tier for name in formats}
    # A tier's file from token ids stands for its others: they hold the same weights.
    judged = [t for t in TIERS if t in wanted and (t != "fp32" or t in formats)]
    write_artefacts(workdir, folder, judged)
    kept, reasons, forced = {"fp32"}, [], set()
    if judged:
        place = [f"--workdir={workdir.resolve()}", f"--folder={folder.resolve()}"]
        run_module(
            f"babelet.export.{judge}", [*place, "--record", *["--force"] * force]
        )
        tiers = read_json(folder, REPORT)["tiers"]
        kept |= {tier for tier, row in tiers.items() if row["kept"]}
        forced = {t for t in kept & tiers.keys() if tiers[t]["failures"]}
        reasons = [reason for row in tiers.values() for reason in row["failures"]]
    chosen = [name for name in formats if FORMATS[name].tier in kept]
    if not chosen:
        raise BabeletError(
            f"Quantisation spoils the student: {reasons[0]}",
            remedy="choose formats in fp32 or fp16, give --force, or change "
            "export.min_cosine and export.max_retrieval_loss of the run",
        )
    for name in set(judged) - set(chosen):
        remove(folder / FORMATS[name].path)
    others = [name for name in chosen if name not in judged]
    write_artefacts(workdir, folder, others)
    return chosen, forced
