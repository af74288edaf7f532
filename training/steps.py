"""A run as a list of steps: what each reads, what it leaves, and when it is done again.

A step is named in `manifest.json` with its identity: the hash of the settings that it
reads and of the identities of the steps that it reads. Nothing is invalidated by hand,
and what another run has under the same identity can be taken over.
"""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from babelet.configs import parsing, record
from babelet.core.checksums import damaged
from babelet.core.errors import BabeletError
from babelet.training.workdir import Workdir, identity_of

_SETTINGS = "settings."
# Among a step's facts: what names the content of all that it left.
FINGERPRINT = "fingerprint"


class Step(NamedTuple):
    """One step of a run.

    Attributes:
        name: In `manifest.json`.
        work: Does it, given its identity, and returns facts to note, as JSON values.
        reads: What it depends on: earlier steps by name, and settings or groups of
            them as "settings.data" or "settings.vocabulary.size".
        but: Settings within these groups that change nothing.
        beside: Returns what else it depends on, as JSON values: the contents of files,
            a teacher's fingerprint.
        leaves: Files and folders of the run that it makes.
        needs: Files made by others without which what it leaves means nothing.
        shares: Folders, each entry of which is named by all that it depends on: runs
            may have them in common.
        lost: From the facts, what is wrong with what it left in a shared folder; ""
            if nothing is.
        after: Called at every start, once it is done; returns warnings.
        editable: People may change what it leaves, which is then kept.
    """

    name: str
    work: Callable[[str], dict[str, Any]]
    reads: Sequence[str] = ()
    but: Sequence[str] = ()
    beside: Callable[[], dict[str, Any]] = dict
    leaves: Sequence[str] = ()
    needs: Sequence[str] = ()
    shares: Sequence[str] = ()
    lost: Callable[[dict[str, Any]], str] = lambda facts: ""
    after: Callable[[], Iterable[str]] = tuple
    editable: bool = False


def do(workdir: Workdir, steps: Sequence[Step], other: Path | None = None) -> None:
    """Does those of `steps` that are not done, in their order.

    Args:
        workdir: The run's.
        steps: Each after those that it reads.
        other: A run from which finished steps of the same identity are taken over.

    Raises:
        BabeletError: Nothing of the other run can be taken over; or a step's own.
    """
    theirs = _finished(other, steps[0]) if other else {}
    for step in steps:
        inputs = _inputs(workdir, step)
        identity = identity_of(inputs)
        if other and step.name in theirs:
            _share(workdir.path, other, step.shares)
            if theirs[step.name]["inputs"] == identity:
                _take_over(workdir, other, step, theirs[step.name])
            elif step is steps[0]:
                raise _other_settings(workdir, other, step)
        _forget_if_lost(workdir, step)
        outputs = [*step.leaves, *step.needs]

        def work(step: Step = step, identity: str = identity) -> dict[str, Any]:
            # What was another run's, under earlier settings, stays as it is.
            for name in step.leaves:
                if (workdir.path / name).is_symlink():
                    (workdir.path / name).unlink()
            return step.work(identity)

        workdir.step(step.name, inputs, outputs, work, editable=step.editable)
        for warning in step.after():
            print(f"warning: {warning}", flush=True)


def _inputs(workdir: Workdir, step: Step) -> dict[str, Any]:
    """Returns all that a step depends on, as JSON values; what it reads is done."""
    found: dict[str, Any] = {}
    for name in step.reads:
        if name.startswith(_SETTINGS):
            key = name.removeprefix(_SETTINGS)
            values = parsing.as_values(workdir.config, key)
            for other in step.but:
                group, _, inner = other.removeprefix(_SETTINGS).rpartition(".")
                if group == key:
                    values.pop(inner, None)
            found[name] = values
        else:
            done = workdir.manifest["steps"][name]
            # Text is named by its content, whatever the settings that led to it.
            found[name] = done["facts"].get(FINGERPRINT, done["inputs"])
    return found | step.beside()


def _finished(other: Path, first: Step) -> dict[str, Any]:
    """Returns the steps of another run by name.

    Raises:
        BabeletError: The first of a run's steps is not among them.
    """
    found = record.read_manifest(other)["steps"]
    if first.name not in found:
        raise BabeletError(
            f"{other} is not prepared: it lacks {first.name}",
            remedy="finish that run first, or run without --prepared",
        )
    return found


def _other_settings(workdir: Workdir, other: Path, step: Step) -> BabeletError:
    """Returns the error of another run whose text is not this run's."""
    theirs, ours = record.read_config(other), workdir.config
    keys = [name.removeprefix(_SETTINGS) for name in step.reads]
    if theirs.task == ours.task:
        value = parsing.as_values
        keys = [key for key in keys if value(theirs, key) != value(ours, key)]
    named = " and ".join(keys)
    return BabeletError(
        f"{other} was prepared with other {named} settings"
        if named
        else f"{other} was prepared from other text",
        consequence="Nothing of it serves here",
        remedy="run without --prepared, or with the same settings",
    )


def _share(path: Path, other: Path, names: Sequence[str]) -> None:
    for name in names:
        if (other / name).exists() and not (path / name).exists():
            (path / name).symlink_to((other / name).resolve())


def _take_over(
    workdir: Workdir, other: Path, step: Step, theirs: dict[str, Any]
) -> None:
    """Links what a step left in another run, unless this run has its own."""
    ours = workdir.manifest["steps"].get(step.name)
    if ours and ours["inputs"] == theirs["inputs"]:
        return
    whole = all((other / name).exists() for name in step.leaves)
    # What this run made itself, and perhaps not to the end, is its own step's.
    own = [
        name
        for name in step.leaves
        if (workdir.path / name).exists() and not (workdir.path / name).is_symlink()
    ]
    if own or not whole or damaged(other, theirs.get("files", {})):
        return
    for name in step.leaves:
        link = workdir.path / name
        link.unlink(missing_ok=True)
        link.parent.mkdir(exist_ok=True)
        link.symlink_to((other / name).resolve())
    workdir.take(step.name, theirs)


def _forget_if_lost(workdir: Workdir, step: Step) -> None:
    """Lets a step be done again where part of what it left elsewhere is gone."""
    done = workdir.manifest["steps"].get(step.name)
    lost = step.lost(done["facts"]) if done else ""
    if lost:
        print(f"warning: {lost}", flush=True)
        workdir.forget(step.name)
