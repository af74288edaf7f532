"""What a folder holds, to compare two of them: files byte for byte, and arrays."""

import hashlib
import io
import json
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np

from babelet.search.connection import connect, is_index

# JSON keys whose values are times, or follow from times.
_TIMES = re.compile(r".*(seconds|_gb|_ms|latency_ms)$")
# Files that differ between runs, whose checksums therefore differ as well.
_VARYING = (
    "fingerprint.pb",
    "checksums.json",
    "quantisation.json",
    "parity.json",
    "report.html",
    "MODEL_CARD.md",
    "student.keras",
)
_NUMBERS = re.compile(rb"(\d+ (h|min) )*\d[\d.,%]*")
_DATES = re.compile(rb"\b20\d\d-\d\d-\d\d\b")


def _without_times(content: bytes) -> bytes:
    """Returns JSON without times, hashes of them, and of TensorFlow's fingerprint."""

    def rest(value: Any, place: str) -> Any:
        if isinstance(value, list):
            return [rest(each, place) for each in value]
        if not isinstance(value, dict):
            return value
        kept = {
            key: each
            for key, each in value.items()
            if not (_TIMES.match(key) or key.endswith(_VARYING) or "tfevents" in key)
        }
        if place.endswith("/files/saved_model"):
            kept = {}
        if place.endswith("/steps/report"):
            kept.pop("inputs", None)
        if not place:  # The manifest's own.
            kept.pop("checksum", None)
        return {key: rest(each, f"{place}/{key}") for key, each in kept.items()}

    try:
        return json.dumps(rest(json.loads(content), "")).encode()
    except ValueError:
        return content


def _without_numbers(content: bytes) -> bytes:
    # Charts of milliseconds have as many marks as they have ticks.
    return re.sub(rb"(?s)<svg.*?</svg>", b"", _NUMBERS.sub(b"", content))


def _without_dates(content: bytes) -> bytes:
    return _DATES.sub(b"", content)


def _keras_parts(content: bytes) -> bytes:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            shape = archive.read("config.json")
            arrays = json.dumps(
                {k: v.hex() for k, v in arrays_of(".keras", content).items()}
            )
    except (KeyError, zipfile.BadZipFile):
        return content
    return re.sub(rb'"shared_object_id": \d+', b"", shape) + arrays.encode()


class Allowed(NamedTuple):
    """A file that may differ in part, and why."""

    pattern: str
    reason: str
    rest: Callable[[bytes], bytes]


# What two runs that nothing disturbed differ in; of the rest every byte must be equal.
ALLOWED = (
    Allowed("manifest.json", "seconds, memory and milliseconds", _without_times),
    Allowed("export/*.json", "milliseconds; SavedModel's fingerprint", _without_times),
    Allowed("checksums.json", "checksums of files in this table", _without_times),
    Allowed("export/saved_model/fingerprint.pb", "a random number", lambda _: b""),
    Allowed("report.html", "seconds, memory and milliseconds", _without_numbers),
    Allowed("MODEL_CARD.md", "the date", _without_dates),
    Allowed("student.keras", "the date, and an address in memory", _keras_parts),
    Allowed("logs/*", "TensorBoard names and fills its logs by time", lambda _: b""),
)


class Snapshot(NamedTuple):
    """The content of a folder."""

    files: dict[str, bytes]  # SHA-256 of each, of what may be compared.
    arrays: dict[str, dict[str, bytes]]  # By file, of each array by name.


def snapshot(folder: Path) -> Snapshot:
    """Reads every file below `folder`; of TensorBoard's none."""
    files, arrays = {}, {}
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        name = path.relative_to(folder).as_posix()
        if "tfevents" in name:
            continue
        if path.suffix in (".db", ".db-wal", ".db-shm"):
            if path.suffix == ".db":
                files[name] = _digest(index_content(path))
            continue
        content = path.read_bytes()
        arrays[name] = arrays_of(name, content)
        files[name] = _digest(comparable(name, content))
    return Snapshot(files, arrays)


def comparable(name: str, content: bytes) -> bytes:
    """Returns what of a file must be equal in two runs."""
    for allowed in ALLOWED:
        if name == allowed.pattern or Path(name).match(allowed.pattern):
            return allowed.rest(content)
    return content


def differences(expected: Snapshot, found: Snapshot) -> list[str]:
    """Returns one line for each file that is missing, left over or another one."""
    lines = []
    for name in sorted(expected.files.keys() | found.files.keys()):
        if name not in found.files:
            lines.append(f"{name}: missing")
        elif name not in expected.files:
            lines.append(f"{name}: left over")
        elif expected.files[name] != found.files[name]:
            own, other = expected.arrays.get(name), found.arrays.get(name)
            what = "bytes differ, arrays are equal" if own == other else "arrays differ"
            lines.append(f"{name}: {what if own else 'differs'}")
    return lines


def arrays_of(name: str, content: bytes) -> dict[str, bytes]:
    """Returns the SHA-256 of every array in a file by its place; {} of other files.

    Of HDF5 by order and not by name: names hold what Keras counts up.
    """
    try:
        if name.endswith(".h5"):
            return _h5_arrays(content)
        if name.endswith(".keras"):
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                return _h5_arrays(archive.read("model.weights.h5"))
        if name.endswith((".npz", ".npy")):
            loaded = np.load(io.BytesIO(content), allow_pickle=False)
            if isinstance(loaded, np.ndarray):
                return {"": _digest(loaded.tobytes())}
            return {each: _digest(loaded[each].tobytes()) for each in loaded.files}
    except (OSError, ValueError, KeyError, RuntimeError, zipfile.BadZipFile, EOFError):
        return {"damaged": _digest(content)}
    raw = name.endswith(".bin") or name.startswith("teacher_cache/")
    if raw or "/variables.data" in name:
        return {"": _digest(content)}
    return {}


def _h5_arrays(content: bytes) -> dict[str, bytes]:
    found: list[bytes] = []

    def note(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset):
            found.append(_digest(np.asarray(item[()]).tobytes()))

    with h5py.File(io.BytesIO(content)) as file:
        file.visititems(note)
    return {str(number): digest for number, digest in enumerate(sorted(found))}


def index_content(path: Path) -> bytes:
    """Returns what an index holds, without the numbers that depend on its history."""
    if not is_index(path):
        return b"no index"
    connection = connect(path)
    rows = connection.execute(
        "SELECT d.source, d.key, d.language, d.text, d.metadata, p.start, p.stop, "
        "hex(v.vector) FROM documents AS d LEFT JOIN passages AS p ON "
        "p.document = d.id LEFT JOIN vectors AS v ON v.passage = p.id "
        "ORDER BY 1, 2, 6"
    ).fetchall()
    connection.close()
    return json.dumps(rows, ensure_ascii=True).encode()


def _digest(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()
