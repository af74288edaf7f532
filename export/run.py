"""The export step of a run: write all artefacts, prove them, then publish them."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from configs.atomic import atomic_path, remove
from configs.errors import BabeletError
from data.class_names import LABELS
from export.formats import FORMATS
from export.parity import TEXTS, Texts
from export.rebuild import TOKENIZER, describe, rebuild_served

_ROOT = Path(__file__).resolve().parent.parent


def export_run(
    workdir: Path, texts_by_language: Texts, formats: Sequence[str] = tuple(FORMATS)
) -> dict[str, Any]:
    """Exports the student of a finished run to <workdir>/export.

    The folder appears once the parity gate has passed, whole; until then, and if the
    gate fails or the process is killed, there is none.

    Args:
        workdir: Holds config.json, tokenizer.model and student.weights.h5.
        texts_by_language: Pairs (pivot text, translation) for the gate; some 40 of
            the test split for each language.
        formats: Names in `FORMATS`; files of others that were there are gone.

    Returns:
        What <workdir>/export/parity.json holds.

    Raises:
        BabeletError: An artefact does not convert, or does not equal the student.
    """
    target = workdir / "export"
    # Artefacts of earlier weights must not pass for those of the present ones.
    remove(target)
    with atomic_path(workdir / TEXTS) as path:
        text = json.dumps(texts_by_language, ensure_ascii=False, indent=1)
        path.write_text(text, encoding="utf-8")
    with atomic_path(target) as folder:
        folder.mkdir()
        write_artefacts(workdir, folder, formats)
        _check_in_new_process(workdir, folder, formats)
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


def _check_in_new_process(workdir: Path, folder: Path, formats: Sequence[str]) -> None:
    """Runs the gate where nothing of this process's state can help it pass."""
    command = [sys.executable, "-m", "export.parity"]
    command += [f"--workdir={workdir.resolve()}", f"--folder={folder.resolve()}"]
    command += [f"--formats={','.join(formats)}", f"--parent={os.getpid()}"]
    environment = {"TF_CPP_MIN_LOG_LEVEL": "2"} | os.environ
    done = subprocess.run(
        command, cwd=_ROOT, env=environment, stdout=subprocess.PIPE, text=True
    )
    if done.returncode == 0:
        print(done.stdout, end="")
        return
    verdict = done.stdout.strip().splitlines()
    if done.returncode == 2 and verdict:
        problem, _, remedy = verdict[-1].partition(" Remedy: ")
        raise BabeletError(problem, remedy=remedy)
    raise BabeletError(
        "The parity check ended early; its own messages are above",
        received=f"exit status {done.returncode}",
        consequence="No exported file was kept",
        remedy="see that memory and disk suffice, then run the same command again",
    )
