"""Turns texts, one a line, into vectors, classes or translations.

    babelet embed --model=runs/smart_home [FILE] > vectors.npy
    babelet classify --model=runs/intents [FILE] > answers.tsv
    babelet translate --model=runs/translate_smart_home [FILE] > german.txt

Of an encoder, row i of the array (float32, unit length) is line i of the file, empty
lines included; of a classifier, line i is the class of line i, a tab and its score: the
class is empty where the score is below the model's threshold; of a translator, line i
is the translation of line i. Without a file the
standard input is read. --model is a run's folder, a .tflite file or a saved_model
folder. --output=vectors.npy writes a file that is whole or absent.
"""

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from absl import flags
from tqdm import tqdm

from babelet.core import command
from babelet.core.atomic import atomic_path
from babelet.core.boundary import boundary
from babelet.core.boundary import output as written
from babelet.core.errors import BabeletError
from babelet.core.startup import import_quietly
from babelet.export.litert_predict import Predict
from babelet.export.metadata import read_metadata, read_saved_metadata
from babelet.export.published import require_current
from babelet.export.runtime import Classifier, Embedder, answers, model_file
from babelet.export.translator import Translator

_CHUNK = 1024
# Translations between two steps of the progress bar.
_ROWS = 64


def open_model(path: Path) -> tuple[Callable[..., Any], dict[str, Any]]:
    """Opens a workdir, a .tflite file or a SavedModel folder.

    Of a workdir or an export folder it is the int8 file, the one meant for use.

    Returns:
        Texts to vectors, scores of classes or translations; and what the model says of
        itself: its `task`, with `labels` and `threshold` if it is a classifier.

    Raises:
        BabeletError: There is no model there, or it is damaged or foreign.
    """
    if (path / "saved_model.pb").is_file():
        return _open_saved_model(path)
    if path.is_dir():
        path = current_file(path)
        print(f"Model: {path}", file=sys.stderr)
    threads = os.cpu_count() or 1
    if read_metadata(path).get("task") == "translation":
        translator = Translator(path, num_threads=threads)
        return translator.translate, translator.metadata
    if "labels" in read_metadata(path):
        classifier = Classifier(path, num_threads=threads)
        return classifier.scores, classifier.metadata
    embedder = Embedder(path, num_threads=threads)
    return embedder.encode, embedder.metadata


def current_file(folder: Path) -> Path:
    """Returns the LiteRT file of a workdir or an export folder, int8 if there is one.

    Raises:
        BabeletError: There is none, or the run has other weights by now.
    """
    require_current(folder)
    return model_file(folder)


def _open_saved_model(folder: Path) -> tuple[Predict, dict[str, Any]]:
    print(
        f"warning: {folder} is a program, which TensorFlow runs with your rights. Use "
        "it only if you trust where it comes from. A .tflite file is none.",
        file=sys.stderr,
        flush=True,
    )
    with boundary(
        f"Cannot load the SavedModel {folder}",
        expected="the saved_model folder of an export",
        remedy="copy it anew from the export folder of the run, and install "
        "requirements.txt, or use a .tflite file, which needs no TensorFlow",
    ):
        # Imported here: TensorFlow takes seconds, and .tflite files need none.
        metadata = read_saved_metadata(folder)
        if "labels" in metadata:
            metadata["threshold"] = float(metadata["threshold"])
        predict = import_quietly("babelet.export.predict")
        if metadata.get("task") == "translation":
            return predict.saved_model_translate(folder), metadata
        return predict.saved_model_predict(folder), metadata


def read_texts(content: bytes, name: str) -> list[str]:
    r"""Returns the lines of a UTF-8 file, without "\n", "\r\n" or byte order mark.

    Raises:
        BabeletError: The file is not UTF-8; its first such line is named.
    """
    try:
        lines = content.decode("utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise BabeletError(
            f"{name}, line {line} is not UTF-8",
            expected="text in UTF-8, one a line",
            received=f"byte {content[error.start]:#04x}",
            remedy="convert it, for example with iconv -f LATIN1 -t UTF-8",
        ) from error
    if not lines[-1]:  # After the last line's end, or the empty file.
        lines.pop()
    # Not splitlines: it also cuts at U+2028 and others, and rows would shift.
    return [line.removesuffix("\r") for line in lines]


def write_vectors(predict: Predict, texts: Sequence[str], stream: BinaryIO) -> None:
    """Writes the array float32 (len(texts), dim) in NumPy's format, as it arises."""
    header = {"descr": "<f4", "fortran_order": False}
    header["shape"] = (len(texts), predict([]).shape[1])
    np.lib.format.write_array_header_1_0(stream, header)
    with tqdm(total=len(texts), desc="Encoding", unit=" texts") as progress:
        for start in range(0, len(texts), _CHUNK):
            chunk = texts[start : start + _CHUNK]
            stream.write(predict(chunk).astype("<f4").tobytes())
            progress.update(len(chunk))


def write_answers(
    predict: Predict, metadata: dict[str, Any], texts: Sequence[str], stream: BinaryIO
) -> None:
    """Writes class, tab and score of each text, one a line, as they arise.

    Args:
        predict: Texts to scores, float32 (N, classes).
        metadata: `labels` and `threshold` of the model.
        texts: N of them.
        stream: Takes UTF-8.
    """
    labels, threshold = metadata["labels"], metadata["threshold"]
    with tqdm(total=len(texts), desc="Classifying", unit=" texts") as progress:
        for start in range(0, len(texts), _CHUNK):
            chunk = texts[start : start + _CHUNK]
            for label, score in answers(predict(chunk), labels, threshold):
                stream.write(f"{label}\t{score:.4f}\n".encode())
            progress.update(len(chunk))


def write_translations(
    translate: Callable[[Sequence[str]], list[str]],
    texts: Sequence[str],
    stream: BinaryIO,
) -> None:
    """Writes the translations, one a line, as they arise."""
    with tqdm(total=len(texts), desc="Translating", unit=" texts") as progress:
        for start in range(0, len(texts), _ROWS):
            for text in translate(texts[start : start + _ROWS]):
                stream.write(text.encode() + b"\n")
                progress.update()


def infer(model: Path, file: Path | None, output: Path | None) -> None:
    """Reads texts from `file` or the standard input, writes results to `output`.

    Args:
        model: As `open_model` takes it.
        file: Texts; None is the standard input.
        output: An .npy file, or text of a classifier; None is the standard output.

    Raises:
        BabeletError: Something cannot be read, written or loaded.
    """
    _check_output(output, binary=_gives_vectors(model))
    if file is None and sys.stdin.isatty():
        print("Texts, one a line; Ctrl-D ends them:", file=sys.stderr)
    predict, metadata = open_model(model)
    _require_task(model, metadata)
    translates = metadata.get("task") == "translation"
    try:
        content = sys.stdin.buffer.read() if file is None else file.read_bytes()
    except OSError as error:
        raise BabeletError(
            f"Cannot read {file}: {error.strerror}",
            expected="a text file, one text a line",
            remedy="check the path",
        ) from error
    texts = read_texts(content, str(file or "standard input"))

    def answer(rows: Sequence[str]) -> Any:
        with boundary(
            f"{model} does not run on the texts",
            remedy="use a .tflite file of the run's export folder, or report this line",
        ):
            return predict(rows)

    def write(stream: BinaryIO) -> None:
        if translates:
            write_translations(answer, texts, stream)
        elif "labels" in metadata:
            write_answers(answer, metadata, texts, stream)
        else:
            write_vectors(answer, texts, stream)

    if output is None:
        _to_standard_output(write)
        return
    with written(output), atomic_path(output) as path, open(path, "wb") as stream:
        write(stream)


def _require_task(model: Path, metadata: dict[str, Any]) -> None:
    """Raises unless the command that was typed fits what the model gives."""
    if metadata.get("task") == "translation":
        fitting = "translate"
    else:
        fitting = "classify" if "labels" in metadata else "embed"
    if command.called_as not in ("", fitting):
        raise BabeletError(
            f"{model} gives no result of babelet {command.called_as}",
            received=f"a model for babelet {fitting}",
            remedy=f"babelet {fitting} --model={model}",
        )


def _gives_vectors(path: Path) -> bool:
    """Tells it from what the model says of itself, without loading it."""
    if (path / "saved_model.pb").is_file():
        metadata = read_saved_metadata(path)
    else:
        metadata = read_metadata(current_file(path) if path.is_dir() else path)
    return "labels" not in metadata and metadata.get("task") != "translation"


def _check_output(output: Path | None, binary: bool) -> None:
    if binary and output is None and sys.stdout.isatty():
        raise BabeletError(
            "Vectors are binary, and the output is a terminal",
            remedy="redirect it with > vectors.npy, or give --output=vectors.npy",
        )
    # A folder or device would be replaced, or fail only after all is encoded.
    if output is not None and output.exists() and not output.is_file():
        raise BabeletError(
            f"{output} is not a regular file",
            expected="the path of a file, new or to be replaced",
            remedy="choose another --output, or redirect the output with >",
        )


def _to_standard_output(write: Callable[[BinaryIO], None]) -> None:
    try:
        write(sys.stdout.buffer)
        sys.stdout.flush()
    except OSError as error:
        # What Python still holds cannot be written either; it would say so at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise BabeletError(
            f"Cannot write the results: {error.strerror}",
            consequence="What was written is incomplete",
            remedy="see that the disk has space and the reading program stays open",
        ) from error


def main(argv: list[str]) -> None:
    """Runs the command line."""
    if len(argv) > 2:
        sys.exit(f"One FILE at most, received {len(argv) - 1}: join them with cat.")
    output = flags.FLAGS.output
    infer(
        Path(flags.FLAGS.model),
        Path(argv[1]) if len(argv) > 1 else None,
        Path(output) if output else None,
    )


if __name__ == "__main__":
    command.path_flag(
        "model", None, "A run, a .tflite file or a saved_model folder.", required=True
    )
    command.path_flag(
        "output", None, "A file for the results; the standard output if absent."
    )
    command.run(main)
