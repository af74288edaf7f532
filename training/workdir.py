"""The folder of one run: which steps are done, with what, and who is in it."""

import contextlib
import dataclasses
import hashlib
import importlib.metadata
import json
import resource
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from configs import parsing, schema
from configs.atomic import atomic_path, explain, remove_partial
from configs.errors import BabeletError
from configs.locking import exclusive

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
    busy = BabeletError(
        f"Another run is working in {path}",
        consequence="Two at once would overwrite each other",
        remedy="wait for it, or choose another --workdir",
    )
    with exclusive(path / ".lock", busy):
        remove_partial(path)
        yield Workdir(path, config)


class Workdir:
    """Runs named steps once each, until what they depend on changes."""

    def __init__(self, path: Path, config: schema.Config) -> None:
        """Writes `config.json` into the folder; `opened` comes before.

        Args:
            path: The folder.
            config: The resolved settings of the run.

        Raises:
            BabeletError: The folder cannot be written.
        """
        self.path = path
        self.config = config
        with atomic_path(path / "config.json") as file:
            file.write_text(parsing.to_json(config), encoding="utf-8")
        self._manifest_path = path / "manifest.json"
        self.manifest = self._read_manifest()
        self.manifest |= {
            "name": config.name,
            "seed": config.seed,
            "config_hash": digest(parsing.to_json(config)),
            "versions": {p: importlib.metadata.version(p) for p in PACKAGES},
        }
        self._write_manifest()

    def step(
        self, name: str, inputs: dict, outputs: list[str], run: Callable[[], dict]
    ) -> dict:
        """Runs a step unless it is done, and returns what it noted.

        Args:
            name: The step's name in `manifest.json`.
            inputs: All it depends on, as JSON values.
            outputs: Paths within the folder that it leaves.
            run: Does the work and returns facts to note, as JSON values.
        """
        wanted = digest(json.dumps(inputs, sort_keys=True))
        done = self.manifest["steps"].get(name)
        present = all((self.path / output).exists() for output in outputs)
        if done and done["inputs"] == wanted and present:
            print(f"{name}: done before ({done['seconds']:.0f} s)", flush=True)
            return done["facts"]
        # Killed meanwhile, it leaves outputs that are nobody's.
        self.manifest["steps"].pop(name, None)
        self._write_manifest()
        print(f"{name}: started", flush=True)
        started = time.monotonic()
        facts = run()
        seconds = time.monotonic() - started
        self.manifest["steps"][name] = {
            "inputs": wanted,
            "seconds": round(seconds, 1),
            "peak_gb": peak_memory() / 1e9,
            "facts": facts,
        }
        self._write_manifest()
        print(f"{name}: finished in {seconds:.0f} s", flush=True)
        return facts

    def section(self, name: str) -> object:
        """Returns a group of settings as JSON values, to name as a step's input."""
        return dataclasses.asdict(self.config)[name]

    def _read_manifest(self) -> dict:
        if not self._manifest_path.exists():
            return {"steps": {}}
        try:
            manifest = json.loads(self._manifest_path.read_text(encoding="utf-8"))
            if not isinstance(manifest, dict) or "steps" not in manifest:
                raise ValueError("it lists no steps")
        except (ValueError, OSError) as error:
            raise BabeletError(
                f"Cannot read {self._manifest_path}: {error}",
                remedy="delete it: the steps are then done again",
            ) from error
        return manifest

    def _write_manifest(self) -> None:
        with atomic_path(self._manifest_path) as file:
            file.write_text(json.dumps(self.manifest, indent=2) + "\n", "utf-8")


def peak_memory() -> int:
    """Returns the bytes this process, or a finished child, held at most."""
    usage = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    # Linux counts in kilobytes.
    return 1024 * max(resource.getrusage(who).ru_maxrss for who in usage)


def digest(text: str) -> str:
    """Returns the SHA-256 of `text`, hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def explain_os_error(error: OSError, path: Path) -> BabeletError | None:
    """Returns the user's error for a write that failed, or None for other errors."""
    explained = explain(error, Path(error.filename or path))
    return explained if isinstance(explained, BabeletError) else None
