"""What travels inside a LiteRT file: the run it came from and its `max_length`."""

import json
import zipfile
from pathlib import Path
from typing import Any

from configs.errors import BabeletError
from data.class_names import LABELS

METADATA = "babelet.json"
# Of a SavedModel, within its folder.
SAVED_METADATA = Path("assets.extra", METADATA)


def attach_metadata(path: Path, metadata: dict[str, Any]) -> None:
    """Appends the metadata as a zip archive, as LiteRT models carry label files.

    The runtime ignores what follows the model; rewriting the model itself instead
    would lose the alignment of its weights.
    """
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
    try:
        with zipfile.ZipFile(path) as archive:
            return json.loads(archive.read(METADATA))
    except OSError as error:
        raise BabeletError(
            f"Cannot read the model {path}: {error.strerror}",
            remedy="give a .tflite file that a finished run has in its export folder",
        ) from error
    except (zipfile.BadZipFile, KeyError, ValueError) as error:
        raise BabeletError(
            f"{path} is no model of Babelet, or is damaged",
            expected=f"a .tflite file with {METADATA} at its end",
            received=str(error),
            remedy="copy it anew from the export folder of the run; other LiteRT "
            "models cannot be used here",
        ) from error


def read_saved_metadata(folder: Path) -> dict[str, Any]:
    """Returns the metadata of a SavedModel's folder, {} if it has none."""
    path = folder / SAVED_METADATA
    return json.loads(path.read_text("utf-8")) if path.is_file() else {}
