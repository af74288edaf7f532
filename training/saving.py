"""Weights and models as Keras files, whole or not at all."""

import json
import re
import zipfile
from pathlib import Path

import keras

from configs.atomic import atomic_path, require_space

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
        # Where memory is short Keras writes the weights beside the archive first.
        require_space(path.parent, 3 * _bytes(model))
        named = temporary.with_name(f"{temporary.name}.keras")
        model.save(named)
        _write_reproducibly(named, temporary)
        named.unlink()


def _write_reproducibly(saved: Path, path: Path) -> None:
    """Copies a .keras archive without dates and memory addresses.

    The same model is then the same bytes every time.
    """
    places: dict[str, int] = {}
    with zipfile.ZipFile(saved) as given, zipfile.ZipFile(path, "w") as copy:
        for name in given.namelist():
            content = given.read(name)
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
            copy.writestr(zipfile.ZipInfo(name), content)


def _bytes(model: keras.Model) -> int:
    numbers = sum(int(keras.ops.size(variable)) for variable in model.variables)
    each, once = _BESIDE
    return 4 * numbers + each * len(model.variables) + once
