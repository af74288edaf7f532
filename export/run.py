"""The export step of a run: write all artefacts, prove them, then publish them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from babelet.core.atomic import remove
from babelet.export.new_process import run_module
from babelet.export.published import PARITY, new_export, read_json
from babelet.export.rebuild import TOKENIZER, describe, served_student
from babelet.export.task_export import (
    Texts,
    of_task,
    read_texts,
    require_known,
    write_texts,
)


def export_run(
    workdir: Path,
    texts: Texts | None = None,
    formats: Sequence[str] | None = None,
    force: bool = False,
) -> dict[str, Any]:
    """Exports the student of a finished run to <workdir>/export.

    The folder is replaced once the gate has passed, whole; until then, and if the gate
    fails or the process is killed, the earlier one stays. What quantisation spoils and
    what is not equal to the student is left out of it, and named in a line.

    Args:
        workdir: Holds config.json, tokenizer.model, student.weights.h5 and what else
            the gate of its task reads.
        texts: Of the test split, for the gate; None: those of the export before.
        formats: Names of the task's formats, all if None; files of others that were
            there are gone.
        force: Write what quantisation spoils as well.

    Returns:
        What <workdir>/export/parity.json holds.

    Raises:
        BabeletError: A format is unknown, an artefact does not convert, none equals
            the student, or quantisation spoils all that was asked for; or there is a
            folder "export" that is not Babelet's.
    """
    own = describe(workdir)
    task = of_task(own["task"])
    formats = list(task.formats) if formats is None else formats
    require_known(task, formats)
    texts = read_texts(workdir) if texts is None else texts
    with new_export(workdir, own["weights_sha256"]) as folder:
        write_texts(workdir, texts)
        # In a new process: what a SavedModel calls its functions depends on what its
        # process did before, and the gate must not know what training left in memory.
        place = [f"--workdir={workdir.resolve()}", f"--folder={folder.resolve()}"]
        flags = [f"--formats={','.join(formats)}", *["--force"] * force, "--record"]
        run_module("babelet.export.gate", [*place, *flags])
        report = read_json(folder, PARITY)
        for each in task.formats.values():
            if each.path not in report["files"]:
                remove(folder / each.path)
    return report


def write_artefacts(
    workdir: Path, folder: Path, formats: Sequence[str] | None = None
) -> None:
    """Writes the files of these formats and their companions, unchecked.

    Args:
        workdir: A trained run.
        folder: Takes the files.
        formats: Names of the task's formats, all if None. What stands for all files of
            a precision, the one from token ids, is written too.
    """
    metadata = describe(workdir)
    built, task = served_student(workdir), of_task(metadata["task"])
    for name in (TOKENIZER, *task.companions):
        (folder / name).write_bytes((workdir / name).read_bytes())
    chosen = list(task.formats) if formats is None else formats
    wanted = {*chosen, *task.judged(chosen)}
    # Always in one order, on which the names of a SavedModel's functions depend.
    written = [name for name in task.formats if name in wanted]
    for name in tqdm(written, desc="Export", unit=" files"):
        each = task.formats[name]
        each.write(built, folder / each.path, metadata)
