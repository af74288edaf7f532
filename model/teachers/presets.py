"""Opens KerasHub presets and folders, with one clear error for all that may fail."""

import difflib
import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import keras
import keras_hub

from configs.errors import BabeletError


def open_preset(
    preset: str,
) -> tuple[keras.Model, keras_hub.models.Preprocessor]:
    """Returns a model in float32 and what makes its inputs from strings.

    Args:
        preset: A preset's name, an address ("hf://owner/model", "kaggle://...") or a
            folder: what KerasHub's `save_to_preset` wrote, or one from Hugging Face
            of an architecture that KerasHub converts, in safetensors. Nothing in
            them is executed: Keras builds layers of its own alone, and reads no
            pickled weights.

    Returns:
        A `TextEmbedder` where KerasHub has one for this backbone, else the backbone;
        and its preprocessor.

    Raises:
        BabeletError: No such preset or folder, no network to download it, a damaged
            file, or an architecture that KerasHub does not have for text.
    """
    folder = Path(preset)
    if not folder.is_dir():
        _require_known(preset)
        return _open(preset, preset)
    if not (folder / "config.json").is_file():
        raise BabeletError(
            f"{preset} is not a model's folder",
            expected="config.json with weights and tokenizer beside it",
            received=", ".join(sorted(f.name for f in folder.iterdir())[:8]) or "none",
            remedy="set teacher.path to the folder that has them",
        )
    with _with_vocabulary(folder) as complete:
        return _open(str(complete), preset)


def _open(preset: str, name: str) -> tuple[keras.Model, keras_hub.models.Preprocessor]:
    try:
        try:
            model = keras_hub.models.TextEmbedder.from_preset(preset, dtype="float32")
            preprocessor = model.preprocessor
        except ValueError:
            # There is no embedder for this architecture; a real fault comes up again.
            model = keras_hub.models.Backbone.from_preset(preset, dtype="float32")
            cls = keras_hub.models.TextClassifierPreprocessor
            preprocessor = cls.from_preset(preset)
    # Besides the usual ones, safetensors, h5py, kagglehub and huggingface_hub raise
    # exceptions of their own.
    except Exception as error:
        raise unusable(name, error) from error
    if _strips_accents(Path(preset)):
        # KerasHub's converter forgets it, and each accented word becomes unknown.
        preprocessor.tokenizer.strip_accents = True
    return model, preprocessor


def _require_known(preset: str) -> None:
    """Raises unless `preset` is an address or the name of one of KerasHub's."""
    known = [
        *keras_hub.models.TextEmbedder.presets,
        *keras_hub.models.Backbone.presets,
    ]
    if "://" in preset or preset in known:
        return
    near = difflib.get_close_matches(preset, known, n=1)
    raise BabeletError(
        f"There is no KerasHub preset and no folder {preset!r}",
        expected="a folder, a preset's name, or an address such as hf://owner/model",
        remedy=f"set teacher.path{f', perhaps to {near[0]}' if near else ''}",
    )


def unusable(name: str, error: Exception) -> BabeletError:
    """Returns the error of a preset, folder or file that cannot be loaded."""
    reason = " ".join(str(error).split())[:300]
    offline = Path(name).exists()
    return BabeletError(
        f"KerasHub cannot load {name}",
        expected="a whole folder of a text model in h5 or safetensors"
        if offline
        else "a preset that is in the local cache or can be downloaded",
        received=f"{type(error).__name__}: {reason}",
        remedy="copy it again, whole, or set teacher.path to another"
        if offline
        else "connect to the network once, or set teacher.path to a folder",
    )


@contextmanager
def _with_vocabulary(folder: Path) -> Iterator[Path]:
    """Yields `folder`, or links to its files with the vocab.txt that it lacks.

    Newer folders from Hugging Face have the vocabulary in tokenizer.json alone, which
    KerasHub does not read.
    """
    pieces = [] if (folder / "vocab.txt").exists() else _word_pieces(folder)
    if not pieces:
        yield folder
        return
    with tempfile.TemporaryDirectory() as temporary:
        complete = Path(temporary)
        for file in folder.iterdir():
            (complete / file.name).symlink_to(file.resolve())
        (complete / "vocab.txt").write_text("\n".join(pieces) + "\n", "utf-8")
        yield complete


def _word_pieces(folder: Path) -> list[str]:
    """Returns the WordPiece vocabulary in the order of its ids, if it has one."""
    model = _read(folder / "tokenizer.json").get("model", {})
    if model.get("type") != "WordPiece":
        return []
    return sorted(model["vocab"], key=model["vocab"].get)


def _strips_accents(folder: Path) -> bool:
    """Returns whether a Hugging Face BERT tokenizer removes accents.

    It does so where it lowercases, unless told otherwise.
    """
    settings = _read(folder / "tokenizer_config.json")
    strips = settings.get("strip_accents")
    return bool(settings.get("do_lower_case") if strips is None else strips)


def _read(file: Path) -> dict:
    try:
        return json.loads(file.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
