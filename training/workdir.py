"""The folder of one run: which steps are done, with what, and who is in it."""

import contextlib
import importlib.metadata
import json
import resource
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from babelet.configs import parsing, record, schema
from babelet.configs.record import digest
from babelet.core.atomic import explain, remove_partial
from babelet.core.checksums import SEAL, broken_seal, damaged, digests
from babelet.core.errors import BabeletError
from babelet.core.locking import run_lock

PACKAGES = (
    "tensorflow",
    "keras",
    "keras-hub",
    "tensorflow-text",
    "sentencepiece",
    "ai-edge-litert",
    "numpy",
)


@contextlib.contextmanager
def opened(path: Path, config: schema.Config) -> Iterator["Workdir"]:
    """Yields the run's folder, kept from other processes meanwhile.

    What a killed run left half-written is removed.

    Raises:
        BabeletError: The folder cannot be written, or another run is in it.
    """
    with run_lock(path):
        remove_partial(path)
        yield Workdir(path, config)


class Workdir:
    """Runs named steps once each, until what they depend on changes.

    Of each step `manifest.json` notes what it depended on and the checksums of what it
    left: a step whose files are damaged is done again.
    """

    def __init__(self, path: Path, config: schema.Config) -> None:
        """Writes `config.json` into the folder; `opened` comes before.

        Args:
            path: The folder.
            config: The resolved settings of the run.

        Raises:
            BabeletError: The folder cannot be written.
        """
        self.path = path
        # Of its task's own class, which those who read it name.
        self.config: Any = config
        self.manifest = record.read_manifest(path)
        record.write_config(path, config)
        self.manifest |= {
            "name": config.name,
            "seed": config.seed,
            "config_hash": digest(parsing.to_json(config)),
            "versions": {p: importlib.metadata.version(p) for p in PACKAGES},
        }
        self._write_manifest()

    def step(
        self,
        name: str,
        inputs: dict,
        outputs: list[str],
        run: Callable[[], dict],
        editable: bool = False,
    ) -> dict:
        """Runs a step unless it is done, and returns what it noted.

        Args:
            name: The step's name in `manifest.json`.
            inputs: All it depends on, as JSON values; a group of settings under the
                group's name.
            outputs: Paths within the folder that it leaves.
            run: Does the work and returns facts to note, as JSON values.
            editable: People may change the outputs, which are then left as they are.
        """
        wanted = identity_of(inputs)
        done = self.manifest["steps"].get(name)
        same = done and done["inputs"] == wanted
        if same and self._whole(name, done, outputs, editable):
            if "files" not in done:  # Of a version that recorded no checksums.
                done["files"] = self._files(outputs)
                self._write_manifest()
            print(f"{name}: done before ({done['seconds']:.0f} s)", flush=True)
            return done["facts"]
        # Killed meanwhile, it leaves outputs that are nobody's.
        self.forget(name)
        print(f"{name}: started", flush=True)
        started = time.monotonic()
        facts = run()
        seconds = time.monotonic() - started
        self.manifest["steps"][name] = {
            "inputs": wanted,
            "seconds": round(seconds, 1),
            "peak_gb": peak_memory() / 1e9,
            "facts": facts,
            "files": self._files(outputs),
        }
        self._write_manifest()
        print(f"{name}: finished in {seconds:.0f} s", flush=True)
        return facts

    def forget(self, name: str) -> None:
        """Lets a step be done again, whatever it left."""
        self.manifest["steps"].pop(name, None)
        self._write_manifest()

    def take(self, name: str, step: dict[str, Any]) -> None:
        """Records a step as another run noted it."""
        self.manifest["steps"][name] = step
        self._write_manifest()

    def note_student(self) -> None:
        """Records that the student in the folder is of the present settings."""
        self.manifest[record.STUDENT] = record.of_student(self.config)
        self._write_manifest()

    def _files(self, outputs: list[str]) -> dict[str, str]:
        """Returns the checksums of outputs, but for folders that hold their own."""
        sealed = {name for name in outputs if (self.path / name / SEAL).is_file()}
        return digests(self.path, [name for name in outputs if name not in sealed])

    def _whole(self, name: str, done: dict, outputs: list[str], editable: bool) -> bool:
        """Tells whether all outputs are as the step left them; says so if not."""
        absent = [x for x in outputs if not (self.path / x).exists()]
        if absent:
            return False
        broken = damaged(self.path, done.get("files", {}))
        for output in outputs:
            if not broken and (self.path / output / SEAL).exists():
                file = broken_seal(self.path / output)
                broken = file and f"{output}/{file}"
        if broken and editable:
            print(
                f"{self.path / broken} was changed since it was written and is kept; "
                "delete it to have it written again"
            )
        elif broken:
            print(f"warning: {self.path / broken} is damaged: {name} is done again")
        return editable or not broken

    def _write_manifest(self) -> None:
        record.write_manifest(self.path, self.manifest)


def identity_of(inputs: dict[str, Any]) -> str:
    """Returns the hash of all that a step depends on, hexadecimal."""
    return digest(json.dumps(inputs, sort_keys=True))


def peak_memory() -> int:
    """Returns the bytes this process, or a finished child, held at most."""
    usage = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    # Linux counts in kilobytes.
    return 1024 * max(resource.getrusage(who).ru_maxrss for who in usage)


def explain_os_error(error: OSError, path: Path) -> BabeletError | None:
    """Returns the user's error for a write that failed, or None for other errors."""
    explained = explain(error, Path(error.filename or path))
    return explained if isinstance(explained, BabeletError) else None
