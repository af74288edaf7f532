"""Opens KerasHub presets and folders, with one clear error for all that may fail."""

import difflib
import importlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import keras
import keras_hub

from babelet.core.errors import BabeletError
from babelet.model.teachers.hugging_face import read_json, require_sizes, write_pooler
from babelet.model.teachers.sentence_modules import Modules, read_modules

CONFIG = "config.json"
# Of the layer normalisations of KerasHub's BERT.
EPSILON = 1e-12


class Opened(NamedTuple):
    """A text encoder.

    Attributes:
        model: A `TextEmbedder` where KerasHub has one for this backbone, else the
            backbone; in float32.
        preprocessor: Makes its inputs from strings.
        modules: What follows the backbone, and what precedes the text.
        epsilon: Of a BERT's layer normalisations.
    """

    model: keras.Model
    preprocessor: keras_hub.models.Preprocessor
    modules: Modules
    epsilon: float


def open_preset(preset: str) -> Opened:
    """Returns the text encoder that a preset, an address or a folder holds.

    Args:
        preset: A preset's name, an address ("hf://owner/model", "kaggle://...") or a
            folder: what KerasHub's `save_to_preset` wrote, or one from Hugging Face
            of an architecture that KerasHub converts, in safetensors. Nothing in
            them is executed: Keras builds layers of its own alone, and reads no
            pickled weights.

    Raises:
        BabeletError: No such preset or folder, no network to download it, a damaged
            file, an architecture that KerasHub does not have for text, or vectors
            that are made in a way that Babelet does not compute.
    """
    folder = Path(preset)
    if not folder.is_dir():
        _require_known(preset)
        model, preprocessor = _open(preset, preset)
        config = read_json(_stored(preset, CONFIG) or Path(CONFIG))
        modules = read_modules(preset, lambda name: _stored(preset, name))
        return Opened(model, preprocessor, modules, _epsilon(preset, config))
    modules = read_modules(preset, lambda name: _inside(folder, name))
    folder /= modules.encoder
    if not (folder / CONFIG).is_file():
        raise BabeletError(
            f"{folder} is not a model's folder",
            expected=f"{CONFIG} with weights and tokenizer beside it",
            received=", ".join(sorted(f.name for f in folder.glob("*"))[:8]) or "none",
            remedy="set teacher.path to the folder that has them",
        )
    config = read_json(folder / CONFIG)
    epsilon = _epsilon(str(folder), config)
    if "model_type" in config or (folder / "model.weights.h5").is_file():
        require_sizes(folder, config)
    with _completed(folder, config) as complete:
        model, preprocessor = _open(str(complete), preset)
    _require_lower_case(folder, preprocessor)
    return Opened(model, preprocessor, modules, epsilon)


def _inside(folder: Path, name: str) -> Path | None:
    return folder / name if (folder / name).is_file() else None


def _stored(preset: str, name: str) -> Path | None:
    """Returns a file of a model on Hugging Face, or None if it has none.

    Presets of KerasHub's own format have none of those that are asked for.
    """
    if not preset.startswith("hf://"):
        return None
    # Imported here: it is no public module, and only such addresses need it.
    preset_utils = importlib.import_module("keras_hub.src.utils.preset_utils")
    if not preset_utils.check_file_exists(preset, name):
        return None
    return Path(preset_utils.get_file(preset, name))


def _epsilon(model: str, config: dict) -> float:
    """Returns a BERT's epsilon, if nothing else of it is what Babelet does not compute.

    KerasHub's BERT reads neither.
    """
    if config.get("model_type") != "bert":
        return EPSILON
    for name, known in (
        ("hidden_act", "gelu"),
        ("position_embedding_type", "absolute"),
    ):
        if config.get(name, known) != known:
            raise BabeletError(
                f"{model} is a BERT that Babelet does not compute",
                expected=f"{name} to be {known}",
                received=str(config[name])[:100],
                remedy="encode the texts with transformers and give their vectors: "
                "teacher.kind=vectors",
            )
    epsilon = config.get("layer_norm_eps", EPSILON)
    if not (isinstance(epsilon, float) and 0 < epsilon < 1e-2):
        raise BabeletError(
            f"{model} has no layer_norm_eps that can be right",
            expected="a number above 0 and below 0.01",
            received=str(epsilon)[:100],
            remedy="download the model again",
        )
    return epsilon


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
    backbone, tokenizer = getattr(model, "backbone", model), preprocessor.tokenizer
    rows, pieces = backbone.vocabulary_size, tokenizer.vocabulary_size()
    if pieces > rows:
        raise BabeletError(
            f"{name} has a tokenizer of another model",
            expected=f"at most {rows} pieces, one for each row of its table",
            received=str(pieces),
            remedy="download the model again: its files belong together",
        )
    return model, preprocessor


def _require_lower_case(
    folder: Path, preprocessor: keras_hub.models.Preprocessor
) -> None:
    """Raises unless text is made lower case where sentence-transformers does so."""
    wanted = read_json(folder / "sentence_bert_config.json").get("do_lower_case")
    if wanted and not getattr(preprocessor.tokenizer, "lowercase", False):
        raise BabeletError(
            f"{folder} makes texts lower case before its tokenizer does",
            expected="do_lower_case in tokenizer_config.json as well, or in neither",
            remedy="encode the texts with sentence-transformers and give their "
            "vectors: teacher.kind=vectors",
        )


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
def _completed(folder: Path, config: dict) -> Iterator[Path]:
    """Yields `folder`, or links to its files with what KerasHub misses among them.

    Newer folders from Hugging Face have the vocabulary in tokenizer.json alone, which
    KerasHub does not read; sentence encoders are saved without a pooler.
    """
    if "model_type" not in config:
        # As KerasHub saved it.
        yield folder
        return
    pieces = [] if (folder / "vocab.txt").exists() else _word_pieces(folder)
    with tempfile.TemporaryDirectory() as temporary:
        complete = Path(temporary)
        for file in folder.iterdir():
            (complete / file.name).symlink_to(file.resolve())
        if pieces:
            (complete / "vocab.txt").write_text("\n".join(pieces) + "\n", "utf-8")
        if config.get("model_type") == "bert":
            write_pooler(folder, complete, config.get("hidden_size", 0))
        yield complete


def _word_pieces(folder: Path) -> list[str]:
    """Returns the WordPiece vocabulary in the order of its ids, if it has one."""
    file = folder / "tokenizer.json"
    model = read_json(file).get("model")
    if not isinstance(model, dict) or model.get("type") != "WordPiece":
        return []
    vocabulary = model.get("vocab")
    vocabulary = vocabulary if isinstance(vocabulary, dict) else {}
    pieces = sorted(vocabulary, key=lambda p: str(vocabulary[p]))
    ids = [vocabulary[piece] for piece in pieces]
    # A gap, or a piece of two lines, would give all that follow the vectors of others.
    if (
        not pieces
        or any(type(number) is not int for number in ids)
        or set(ids) != set(range(len(ids)))
        or any(len(piece.splitlines()) != 1 for piece in pieces)
    ):
        raise BabeletError(
            f"{file} has no vocabulary that can be used",
            expected="model.vocab, with a number from 0 on for each piece",
            remedy="download it again",
        )
    return sorted(vocabulary, key=vocabulary.__getitem__)


def _strips_accents(folder: Path) -> bool:
    """Returns whether a Hugging Face BERT tokenizer removes accents.

    It does so where it lowercases, unless told otherwise.
    """
    settings = read_json(folder / "tokenizer_config.json")
    strips = settings.get("strip_accents")
    return bool(settings.get("do_lower_case") if strips is None else strips)
