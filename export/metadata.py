"""What travels inside a LiteRT file: the run it came from and its `max_length`."""

import contextlib
import hashlib
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from babelet.core.boundary import described
from babelet.core.checksums import digests, require_undamaged
from babelet.core.errors import BabeletError
from babelet.data.class_names import LABELS

METADATA = "babelet.json"
# SHA-256 of the file's bytes before the archive, in the metadata of a LiteRT file.
MODEL_DIGEST = "model_sha256"
# Of a SavedModel, within its folder.
SAVED_METADATA = Path("assets.extra", METADATA)
SAVED_CHECKSUMS = Path("assets.extra", "checksums.json")
# 40,000 names of classes take 2 MB.
_LARGEST = 64_000_000
_COPY = "copy it anew from the export folder of the run, or export the run again"


def attach_metadata(path: Path, metadata: dict[str, Any]) -> None:
    """Appends the metadata as a zip archive, as LiteRT models carry label files.

    With it goes the digest of the model. The runtime ignores what follows the model;
    rewriting the model itself instead would lose the alignment of its weights.
    """
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    metadata = metadata | {MODEL_DIGEST: digest}
    files = {METADATA: json.dumps(metadata, indent=2) + "\n"}
    if "labels" in metadata:
        files[LABELS] = "\n".join(metadata["labels"]) + "\n"
    with zipfile.ZipFile(path, "a") as archive:
        for name, text in files.items():
            # A fixed date: the same bytes every time.
            archive.writestr(zipfile.ZipInfo(name), text)


def read_metadata(path: Path) -> dict[str, Any]:
    """Returns the metadata that `attach_metadata` put into the file.

    Raises:
        BabeletError: There is no such file, or it is not whole, or not of Babelet.
    """
    with _archive(path) as archive:
        if archive.getinfo(METADATA).file_size > _LARGEST:
            raise ValueError(f"{METADATA} has more than {_LARGEST:,} bytes")
        found = json.loads(archive.read(METADATA))
        if not isinstance(found, dict):
            raise ValueError(f"{METADATA} is no object")
        return found


def split_model(path: Path) -> tuple[bytes, dict[str, Any]]:
    """Returns a LiteRT file's model, without the archive, and its metadata.

    Raises:
        BabeletError: As `read_metadata`.
    """
    return path.read_bytes()[: _end(path)], read_metadata(path)


def _end(path: Path) -> int:
    """Returns the bytes of a LiteRT file's model, where its archive begins."""
    with _archive(path) as archive:
        return min(member.header_offset for member in archive.infolist())


def require_whole(path: Path) -> None:
    """Compares a LiteRT file's model with the digest inside; 1 ms a MB.

    A file that has none, of an earlier version or of another program, passes.

    Raises:
        BabeletError: There is no such file, or a byte of it is another.
    """
    if path.is_file() and not zipfile.is_zipfile(path):
        return
    wanted, found = read_metadata(path).get(MODEL_DIGEST), hashlib.sha256()
    if not wanted:
        return
    left = _end(path)
    with open(path, "rb") as file:
        # In pieces: a program that opens a model need not hold it twice.
        while piece := file.read(min(left, 1 << 20)):
            found.update(piece)
            left -= len(piece)
    if found.hexdigest() != wanted:
        raise BabeletError(
            f"{path} is damaged",
            expected="the model as it was exported, by its checksum",
            consequence="Its results would be wrong",
            remedy=_COPY,
        )


@contextlib.contextmanager
def _archive(path: Path) -> Iterator[zipfile.ZipFile]:
    """Yields the archive at the end of a file; what is raised becomes one line."""
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except OSError as error:
        raise BabeletError(
            f"Cannot read the model {path}: {error.strerror or error}",
            remedy="give a .tflite file that a finished run has in its export folder",
        ) from error
    except Exception as error:  # Of a damaged archive there are many kinds.
        raise BabeletError(
            f"{path} is no model of Babelet, or is damaged",
            expected=f"a .tflite file with {METADATA} at its end",
            received=described(error),
            remedy="copy it anew from the export folder of the run; other LiteRT "
            "models cannot be used here",
        ) from error


def attach_saved_metadata(folder: Path, metadata: dict[str, Any]) -> None:
    """Writes the metadata into a SavedModel's folder, and checksums of all in it."""
    (folder / SAVED_METADATA).parent.mkdir()
    text = json.dumps(metadata, indent=2) + "\n"
    (folder / SAVED_METADATA).write_text(text, encoding="utf-8")
    found = digests(folder, sorted(path.name for path in folder.iterdir()))
    text = json.dumps(found, indent=1) + "\n"
    (folder / SAVED_CHECKSUMS).write_text(text, encoding="utf-8")


def read_saved_metadata(folder: Path) -> dict[str, Any]:
    """Returns the metadata of a SavedModel's folder, {} if it has none.

    Raises:
        BabeletError: It is damaged.
    """
    return _read_json(folder / SAVED_METADATA)


def require_whole_saved_model(folder: Path) -> None:
    """Compares a SavedModel's files with the checksums inside, if it has any.

    Raises:
        BabeletError: One is missing, or a byte of it is another.
    """
    require_undamaged(folder, _read_json(folder / SAVED_CHECKSUMS), remedy=_COPY)


def _read_json(path: Path) -> dict[str, Any]:
    """Returns the object in a file, {} if there is no such file."""
    if not path.is_file():
        return {}
    try:
        found = json.loads(path.read_text("utf-8"))
        if not isinstance(found, dict):
            raise ValueError("it is no object")
    except (OSError, ValueError, RecursionError) as error:
        raise BabeletError(
            f"{path} is damaged",
            expected="the file as it was exported",
            received=described(error),
            remedy=_COPY,
        ) from error
    return found
