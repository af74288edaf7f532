"""The gate: exported files give what the student gives, on real text.

    python -m babelet.export.gate --workdir=runs/smart_home [--formats=...] [--force]

checks <workdir>/export against the student rebuilt from the saved weights, in a
process that has not seen the training. Each precision is measured first, then every
way into a file is compared with the student. It writes and deletes nothing, and takes
nothing from the folder it judges: what --force once wrote below the gate passes with
--force alone. An export runs it with --record, to write what it judges before.
"""

import contextlib
import dataclasses
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from absl import flags
from tqdm import tqdm

from babelet.configs import record
from babelet.core import command
from babelet.core.atomic import atomic_path
from babelet.core.boundary import described
from babelet.core.checksums import file_digest
from babelet.core.errors import BabeletError
from babelet.export.metadata import read_metadata, read_saved_metadata
from babelet.export.new_process import checking, end_with
from babelet.export.published import (
    GOLDEN,
    PARITY,
    REPORT,
    WEIGHTS_FILE,
    require_undamaged_export,
    writing,
)
from babelet.export.rebuild import WEIGHTS, describe, served_student, versions
from babelet.export.run import write_artefacts
from babelet.export.task_export import (
    Artefact,
    Gate,
    TaskExport,
    failure,
    of_task,
    read_texts,
    require_known,
)

# Versions of packages, name and licence change no result.
_OF_NO_EFFECT = {"versions", "name", "licence", "config_sha256"}


class Verdict(NamedTuple):
    """What the gate found of a folder.

    Attributes:
        report: What parity.json holds; "artefacts" has a row for each way into a file.
        tiers: What quantisation.json holds; "tiers" is {} where none was measured.
        refused: By the path of each file that is not its student's: why.
        golden: Lines of golden.jsonl: texts with what any port should give for them.
        lines: What the command prints.
    """

    report: dict[str, Any]
    tiers: dict[str, Any]
    refused: dict[str, BabeletError]
    golden: list[dict[str, Any]]
    lines: list[str]

    def require(self, some: bool = False) -> None:
        """Requires that every file passed; or, for an export to consist of, one.

        Raises:
            BabeletError: That of the first file, after the others' are printed.
        """
        errors = list(self.refused.values())
        if not errors or (some and self.report["artefacts"]):
            return
        for other in errors[1:]:
            print(other)
        raise errors[0]

    def write(self, folder: Path) -> None:
        """Writes parity.json, golden.jsonl, and quantisation.json if it has tiers."""
        lines = "".join(f"{json.dumps(r, ensure_ascii=False)}\n" for r in self.golden)
        texts = {GOLDEN: lines, PARITY: json.dumps(self.report, indent=2) + "\n"}
        if self.tiers["tiers"]:
            texts[REPORT] = json.dumps(self.tiers, indent=1) + "\n"
        for name, text in texts.items():
            with atomic_path(folder / name) as path:
                path.write_text(text, encoding="utf-8")


def check(
    workdir: Path, folder: Path, formats: Sequence[str] = (), force: bool = False
) -> Verdict:
    """Judges the files in `folder`, which is left as it is, by the student of a run.

    Args:
        workdir: A trained run, with the texts of its gate.
        folder: Holds the artefacts.
        formats: Names of what to check; () for what is there.
        force: Files below the gate pass, and the figures say so.

    Returns:
        The figures of the files that passed, and why others did not: the text with the
        largest difference and its language are named.

    Raises:
        BabeletError: The run lacks its weights or texts, or there is no file.
    """
    task = of_task(record.require_student(workdir).task)
    formats = formats or _formats_in(folder, task)
    require_known(task, formats)
    built, own = served_student(workdir), describe(workdir)
    gate = task.gate(built, workdir, read_texts(workdir))
    tiers = _tiers(gate, task, formats, folder, force)
    settings = getattr(built.config, "export", None)
    asked = dataclasses.asdict(settings) if settings else {}
    tiers |= {"gate": asked, "versions": versions()}
    lines = _table(gate, tiers["tiers"])
    artefacts = task.artefacts(formats)
    figures, refused = _compared(gate, artefacts, folder, tiers["tiers"], own, force)
    for tier, row in tiers["tiers"].items():
        error = refused.get(task.formats[tier].path)
        if row["kept"] and error:
            row |= {"kept": False, "failures": [*row["failures"], str(error)]}
    passed = [each for each in artefacts if each.path not in refused]
    lines += [f"{a.name:33} {gate.shown(figures[a.name])}" for a in passed]
    lines += [f"warning: {path} is not written: {e}" for path, e in refused.items()]
    report = gate.facts() | {
        "artefacts": {each.name: figures[each.name] for each in passed},
        "files": {each.path: measure(folder / each.path) for each in passed},
        "refused": {path: str(error) for path, error in refused.items()},
        "student": own,
        WEIGHTS_FILE: file_digest(workdir / WEIGHTS),
    }
    return Verdict(report, tiers, refused, gate.golden(), lines)


def _tiers(
    gate: Gate, task: TaskExport, formats: Sequence[str], folder: Path, force: bool
) -> dict[str, Any]:
    """Measures each precision whose file from token ids is there."""
    rows, files = {}, {}
    for (artefact,) in (task.artefacts([name]) for name in task.judged(formats)):
        path = folder / artefact.path
        if not path.is_file():
            continue
        with _running(artefact.name):
            figures, failed = gate.judge(artefact, path)
        # float32 is judged by its comparison, and that it fails is an error.
        failed = [] if artefact.tier == "fp32" else failed
        kept = {"failures": failed, "kept": force or not failed}
        rows[artefact.tier] = {"bytes": path.stat().st_size} | figures | kept
        files[artefact.tier] = path
    taken = gate.latency(rows, files) if rows else {}
    metrics = dict(gate.metrics)
    return {"texts": gate.judged_texts, "metrics": metrics, "tiers": rows} | taken


def _compared(
    gate: Gate,
    artefacts: Sequence[Artefact],
    folder: Path,
    tiers: Mapping[str, dict[str, Any]],
    own: Mapping[str, Any],
    force: bool,
) -> tuple[dict[str, dict[str, Any]], dict[str, BabeletError]]:
    """Returns figures by artefact, and by path why a file is refused."""
    figures: dict[str, dict[str, Any]] = {}
    refused: dict[str, BabeletError] = {}
    # The bar counts what is slow: texts through each artefact.
    for artefact in tqdm(artefacts, desc="Parity", unit=" models"):
        path, tier = folder / artefact.path, tiers.get(artefact.tier)
        try:
            if tier and not tier["kept"]:
                raise _spoilt(tier["failures"])
            judged = tier is None or bool(tier["failures"])
            with _running(artefact.name):
                forced = force and judged and artefact.tier != "fp32"
                row = gate.compare(artefact, path, forced)
            _require_metadata(path, own)
            figures[artefact.name] = row
        except BabeletError as error:
            refused.setdefault(artefact.path, error)
    return figures, refused


@contextlib.contextmanager
def _running(name: str) -> Iterator[None]:
    """Turns what a runtime raises, each its own, into the error of a file."""
    try:
        yield
    except BabeletError:
        raise
    except Exception as error:
        problem, wanted = f"{name} does not run", "a result for every text"
        raise failure(problem, wanted, described(error)) from error


def _spoilt(reasons: Sequence[str]) -> BabeletError:
    return BabeletError(
        f"Quantisation spoils the student: {'; '.join(reasons)}",
        remedy="choose formats in fp32 or fp16, give --force, or change the gate, the "
        "settings export.* of the run",
    )


def _table(gate: Gate, tiers: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Returns a line for each tier, and one for each failure."""
    lines = []
    for tier, row in tiers.items():
        speed = f"{row['median_ms']:9.2f} ms" if "median_ms" in row else ""
        lines.append(f"{tier:6}{row['bytes'] / 1e6:7.1f} MB{speed}  {gate.shown(row)}")
        verdict = "kept by --force" if row["kept"] else "not written"
        lines += [f"  {tier} {verdict}: {reason}" for reason in row["failures"]]
    return lines


def _require_metadata(path: Path, own: Mapping[str, Any]) -> None:
    """Requires what an exported file says of itself to be true of the student.

    Args:
        path: A LiteRT file or a SavedModel.
        own: What `export.rebuild.describe` says of the run.

    Raises:
        BabeletError: The file is of another student, whose results may be equal.
    """
    said = read_saved_metadata(path) if path.is_dir() else read_metadata(path)
    for name in own.keys() - _OF_NO_EFFECT:
        if said.get(name) != own[name]:
            raise BabeletError(
                f"{path.name} says something else of itself than its run",
                expected=f"{name} {own[name]}",
                received=str(said.get(name)),
                consequence="Its results would be wrong",
                remedy="export the run again",
            )


def measure(path: Path) -> dict[str, Any]:
    """Returns bytes and SHA-256 of a file, or of a folder's names and contents."""
    files = [path]
    if path.is_dir():
        files = sorted(file for file in path.rglob("*") if file.is_file())
    digest, size = hashlib.sha256(), 0
    for file in files:
        if file != path:
            digest.update(f"{file.relative_to(path).as_posix()}\0".encode())
        content = file.read_bytes()
        digest.update(content)
        size += len(content)
    return {"bytes": size, "sha256": digest.hexdigest()}


def _formats_in(folder: Path, task: TaskExport) -> list[str]:
    found = [n for n, each in task.formats.items() if (folder / each.path).exists()]
    if not found:
        raise BabeletError(
            f"{folder} has no file to check",
            expected="the files of an export",
            remedy="export the run first: babelet distill with this workdir",
        )
    return found


def main(_: list[str]) -> None:
    """Prints a line for each precision and file; exits with 2 where one is refused.

    With --record, which the export gives, it writes the files first, and exits so only
    if none is left.
    """
    workdir = Path(flags.FLAGS.workdir)
    folder = Path(flags.FLAGS.folder or workdir / "export")
    end_with(flags.FLAGS.parent)
    formats, force = flags.FLAGS.formats or (), flags.FLAGS.force
    if flags.FLAGS.record:
        with writing(workdir / "export"):
            write_artefacts(workdir, folder, formats)
    with checking(folder):
        require_undamaged_export(folder)
        found = check(workdir, folder, formats, force)
        found.require(some=flags.FLAGS.record)
        if flags.FLAGS.record:
            found.write(folder)
    print("\n".join(found.lines))


if __name__ == "__main__":
    command.path_flag("workdir", None, "A run whose training is done.", required=True)
    command.path_flag("folder", None, "The files; <workdir>/export if absent.")
    flags.DEFINE_list("formats", None, "What to check; all that is there if absent.")
    flags.DEFINE_boolean("force", False, "Pass files that are below the gate.")
    flags.DEFINE_boolean("record", False, "Write files and figures, for the export.")
    flags.DEFINE_integer("parent", 0, "Process whose end ends this one.")
    command.hide("parent", "record")
    command.run(main, verdict=True)
