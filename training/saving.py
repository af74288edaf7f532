"""Weights and models as Keras files, whole or not at all."""

import json
import re
import zipfile
from pathlib import Path

import keras

from babelet.core.atomic import atomic_path, require_space

# What a file holds beside its weights, of each variable and besides: names, shapes,
# the model's description (measured: 2,000 of each).
_BESIDE = 3_000, 20_000
_METADATA, _CONFIG = "metadata.json", "config.json"
_SHARED = re.compile(r'("shared_object_id": )(\d+)')


def save_weights(model: keras.Model, path: Path) -> None:
    """Writes the model's weights as .weights.h5.

    Raises:
        BabeletError: The disk is full or the folder cannot be written.
    """
    with atomic_path(path) as temporary:
        # The HDF5 library crashes on a full disk when it is closed.
        require_space(path.parent, _bytes(model))
        # Keras insists on the ending, which the temporary name does not have.
        named = temporary.with_name(f"{temporary.name}.weights.h5")
        model.save_weights(named)
        named.rename(temporary)


def save_model(model: keras.Model, path: Path) -> None:
    """Writes the model as a .keras file.

    Raises:
        BabeletError: The disk is full or the folder cannot be written.
    """
    with atomic_path(path) as temporary:
        require_space(path.parent, _bytes(model))
        named = temporary.with_name(f"{temporary.name}.keras")
        model.save(named)
        with zipfile.ZipFile(named) as archive:
            contents = {name: archive.read(name) for name in archive.namelist()}
        named.unlink()
        _write_reproducibly(contents, temporary)


def _write_reproducibly(contents: dict[str, bytes], path: Path) -> None:
    """Writes a .keras archive without dates and memory addresses.

    The same model is then the same bytes every time.

    Args:
        contents: What Keras wrote, by name.
        path: Of the new archive.
    """
    places: dict[str, int] = {}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in contents.items():
            if name == _METADATA:
                facts = json.loads(content)
                facts.pop("date_saved", None)
                content = json.dumps(facts).encode()
            elif name == _CONFIG:
                # Objects that layers share are named by their addresses.
                content = _SHARED.sub(
                    lambda m: f"{m[1]}{places.setdefault(m[2], len(places))}",
                    content.decode(),
                ).encode()
            archive.writestr(zipfile.ZipInfo(name), content)


def _bytes(model: keras.Model) -> int:
    numbers = sum(int(keras.ops.size(variable)) for variable in model.variables)
    each, once = _BESIDE
    return 4 * numbers + each * len(model.variables) + once
