"""The export folder of a run: replaced as a whole, and read with its checksums.

checksums.json is written last and names every file of the folder. What a reader takes
from the folder, it compares with it; each .tflite file has a digest of its own inside,
so that it can be copied alone.
"""

import contextlib
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from babelet.core.atomic import atomic_path
from babelet.core.boundary import boundary
from babelet.core.checksums import SEAL, damaged, file_digest, seal
from babelet.core.errors import BabeletError
from babelet.core.startup import import_quietly

PARITY, GOLDEN, REPORT = "parity.json", "golden.jsonl", "quantisation.json"
# Files of exports that have no checksums yet.
_NAMES = re.compile(
    r"student_(text_|mediapipe_)?(fp32|fp16|int8)\.tflite|saved_model|tokenizer\.model|"
    r"labels\.txt|parity\.json|golden\.jsonl|quantisation\.json"
)
# In parity.json: the SHA-256 of student.weights.h5.
WEIGHTS_FILE = "weights_file_sha256"
_AGAIN = "run babelet export with this workdir: the folder is written anew"


@contextlib.contextmanager
def new_export(workdir: Path, weights: str) -> Iterator[Path]:
    """Yields a folder that replaces <workdir>/export when the block ends normally.

    Until then, and if the block fails, the export that is there stays. Files that
    others put into it are taken over.

    Args:
        workdir: The run.
        weights: The SHA-256 of the weights that are exported.

    Raises:
        BabeletError: The folder is not Babelet's, or cannot be written; or the
            block's own, with a word on what became of the earlier export.
    """
    target = workdir / "export"
    require_own(target)
    try:
        with writing(target), atomic_path(target) as folder:
            folder.mkdir()
            yield folder
            seal(folder)
            _take_over(target, folder)
    except BabeletError as error:
        problem, _, remedy = str(error).rpartition(" Remedy: ")
        kept = _earlier(target, weights)
        raise BabeletError(problem, consequence=kept, remedy=remedy) from error


def writing(target: Path) -> contextlib.AbstractContextManager[None]:
    """Returns the boundary of what writes an export: what it raises is one line."""
    return boundary(
        f"Cannot export to {target}",
        consequence="Nothing half-written was left",
        remedy="see that the disk has space and the folder may be written to, then "
        "run the same command again; if it fails again, report this line",
    )


def _reading(path: Path) -> contextlib.AbstractContextManager[None]:
    return boundary(
        f"Cannot read {path}",
        expected="the file as the export wrote it",
        remedy=_AGAIN,
    )


def read_json(folder: Path, name: str) -> Any:
    """Returns what a JSON file of an export folder holds.

    Raises:
        BabeletError: It is missing, or not as it was written.
    """
    path = folder / name
    with _reading(path):
        require_undamaged_export(folder, name)
        return json.loads(path.read_text("utf-8"))


def require_undamaged_export(folder: Path, *names: str) -> None:
    """Compares files of an export folder with its checksums.json, if it has one.

    Args:
        folder: The export folder.
        names: Of files or folders in it; none: all that it names.

    Raises:
        BabeletError: One is missing, or not as it was written.
    """
    recorded = _recorded(folder)
    if recorded is None:
        return
    wanted = {
        name: digest
        for name, digest in recorded.items()
        if not names or any(name == n or name.startswith(f"{n}/") for n in names)
    }
    absent = [n for n in names if not any(f"{w}/".startswith(f"{n}/") for w in wanted)]
    name = absent[0] if absent else damaged(folder, wanted)
    if name:
        raise BabeletError(
            f"{folder / name} is damaged, or {SEAL} beside it",
            expected="the file as it was exported, by its checksum",
            consequence="Results made from it would be wrong",
            remedy=_AGAIN,
        )


def require_current(workdir: Path) -> None:
    """Requires a run's export to be of the weights that the run has now.

    Args:
        workdir: The run, with an export.

    Raises:
        BabeletError: It is of earlier ones: the run was trained again and its export
            failed, or is not done yet.
    """
    weights, folder = workdir / "student.weights.h5", workdir / "export"
    if not weights.is_file() or not (folder / PARITY).is_file():
        return
    report = read_json(folder, PARITY)
    with _reading(folder / PARITY):
        # Exports of earlier versions do not have it.
        exported = report.get(WEIGHTS_FILE)
        if exported is None or exported == file_digest(weights):
            return
        # A file of other bytes may hold the same arrays.
        rebuild = import_quietly("babelet.export.rebuild")
        if rebuild.weights_digest(weights) == report["student"]["weights_sha256"]:
            return
    raise BabeletError(
        f"{folder} is of other weights than {weights}",
        expected="the export of the run's present student",
        received=f"version {report['student']['version']}",
        consequence="Its results would be an earlier student's",
        remedy="run babelet export with this workdir, or babelet distill; for the "
        "earlier student give the .tflite file itself",
    )


def _recorded(folder: Path) -> dict[str, str] | None:
    path = folder / SEAL
    if not path.is_file():
        return None
    with _reading(path):
        found = json.loads(path.read_text("utf-8"))
        if not isinstance(found, dict) or not all(
            isinstance(digest, str) for digest in found.values()
        ):
            raise ValueError("it is no record of checksums")
    return found


def require_own(folder: Path) -> None:
    """Refuses a folder that no export of Babelet left.

    Raises:
        BabeletError: There is such a folder.
    """
    try:
        names = {path.name for path in folder.iterdir()}
    except FileNotFoundError:
        return
    except OSError:
        names = {"no folder"}
    if names and not {PARITY, GOLDEN} <= names:
        raise BabeletError(
            f"{folder} is not an export of Babelet: {PARITY} and {GOLDEN} are missing",
            expected="no such folder, or the export of this run",
            received=", ".join(sorted(names)[:3]),
            consequence="It was left as it is, and nothing was exported",
            remedy="move it elsewhere, then run the same command again",
        )


def _take_over(old: Path, new: Path) -> None:
    """Copies to `new` what others put into `old`; not what an export wrote."""
    if not old.is_dir():
        return
    recorded = _recorded_or_none(old)
    for path in sorted(old.rglob("*")):
        name = path.relative_to(old)
        if recorded is None:
            own = _NAMES.fullmatch(name.parts[0])
        else:
            own = name.as_posix() in recorded or name == Path(SEAL)
        if own or (path.is_dir() and not path.is_symlink()):
            continue
        if not (new / name).exists():
            (new / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, new / name, follow_symlinks=False)


def _recorded_or_none(folder: Path) -> dict[str, str] | None:
    try:
        return _recorded(folder)
    except BabeletError:
        return None


def _earlier(target: Path, weights: str) -> str:
    """Returns a sentence on the export that was there before."""
    if not (target / PARITY).is_file():
        return "There is no export of this run."
    try:
        found = read_json(target, PARITY)["student"]
        version, same = found["version"], found["weights_sha256"] == weights
    except (BabeletError, KeyError, TypeError):
        return f"The earlier export in {target} was kept."
    if same:
        return f"The earlier export in {target}, of these weights, was kept."
    return (
        f"The earlier export in {target} was kept; it is of other weights "
        f"(version {version})."
    )
