"""Are the token ids inside every exported file those of SentencePiece?

    python -m benchmarks.token_identity --workdir=runs/smart_home

For each language some hundred lines of the run's text, spread over all of it, and
beside them random Unicode, go through SentencePiece in Python, and through probes:
a SavedModel, a LiteRT file and a file for MediaPipe Tasks made as the exported ones
are, whose output is the ids. Exit status 1 if any differs.
"""

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
from absl import flags, logging
from tqdm import tqdm

from babelet.configs import parsing
from babelet.core import command
from babelet.data.corpus import Corpus
from babelet.data.tokenizer import Tokenizer
from babelet.export.array_gate import EDGE_CASES
from babelet.export.predict import saved_model_predict
from babelet.export.rebuild import TOKENIZER
from babelet.export.saved_model import export_saved_model
from babelet.export.text_litert import convert_mediapipe, convert_text
from babelet.export.text_predict import text_predict
from benchmarks.mediapipe_vectors import mediapipe_vectors

# First characters of blocks of 128: most of Unicode is Chinese or unassigned.
_BLOCKS = (0x20, 0xA0, 0x370, 0x590, 0x900, 0x1E00, 0x2000, 0x3040, 0xAC00, 0xFF00)
_BLOCKS += (0x4E00, 0x1F300, 0x1D400)


def probe(width: int) -> keras.Model:
    """Returns a "student" whose vector is the ids of the text.

    Args:
        width: The student's `max_length`.

    Returns:
        Inputs as the student's, output float32 (batch, width): the ids, then -1.
    """
    token_ids = keras.Input((None,), dtype="int32", name="token_ids")
    mask = keras.Input((None,), dtype="bool", name="padding_mask")
    ids = keras.ops.where(mask, keras.ops.cast(token_ids, "float32"), -1.0)
    rest = keras.ops.full_like(keras.ops.tile(ids[:, :1], (1, width)), -1.0)
    ids = keras.ops.concatenate([ids, rest], axis=1)[:, :width]
    inputs = {"token_ids": token_ids, "padding_mask": mask}
    return keras.Model(inputs, keras.ops.reshape(ids, (-1, width)))


def token_ids_inside(
    tokenizer: Tokenizer, texts: Sequence[str]
) -> dict[str, list[list[int]]]:
    """Returns the ids of the texts inside each kind of file that takes text.

    Args:
        tokenizer: The student's.
        texts: Without NUL, where MediaPipe's Python ends a string.

    Raises:
        BabeletError: MediaPipe is not installed or does not run.
    """
    model = probe(tokenizer.max_length)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        export_saved_model(model, tokenizer, folder / "saved_model", {})
        convert_text(model, tokenizer, folder / "text.tflite", "fp32", {})
        convert_mediapipe(model, tokenizer, folder / "mediapipe.tflite", "fp32", {})
        rows = {
            "SavedModel": saved_model_predict(folder / "saved_model")(texts),
            # Alone and in company: rows of a batch are cut and filled up together.
            "LiteRT": text_predict(folder / "text.tflite", 1)(texts),
            "LiteRT, batches": text_predict(folder / "text.tflite", 16)(texts),
            "MediaPipe": mediapipe_vectors(folder / "mediapipe.tflite", texts),
        }
    return {
        where: [row[row >= 0].astype(int).tolist() for row in vectors]
        for where, vectors in rows.items()
    }


def lines_by_language(corpus: Corpus, count: int) -> dict[str, list[str]]:
    """Returns up to `count` lines of each language, evenly spread over the corpus."""
    found = {}
    for index, language in enumerate(tqdm(corpus.languages, desc="Lines")):
        rows = np.flatnonzero(corpus.sentence_language == index)
        chosen = rows[np.linspace(0, len(rows) - 1, min(count, len(rows)), dtype=int)]
        found[language] = [x.replace("\0", " ") for x in corpus.sentences.texts(chosen)]
    return found


def random_lines(count: int, seed: int = 0) -> list[str]:
    """Returns lines of random characters, several scripts and symbols to a line."""
    random = np.random.default_rng(seed)
    lines = []
    for _ in range(count):
        starts = random.choice(_BLOCKS, size=random.integers(1, 4))
        points = [random.integers(x, x + 0x80, random.integers(1, 20)) for x in starts]
        line = "".join(map(chr, np.concatenate(points).tolist()))
        lines.append(line)
    return lines


def main(_: list[str]) -> None:
    """Prints one line for each language: lines, and lines whose ids differ."""
    workdir = Path(flags.FLAGS.workdir)
    logging.set_verbosity(logging.ERROR)
    config = parsing.from_json(workdir / "config.json")
    tokenizer = Tokenizer(workdir / TOKENIZER, config.student.max_length)
    groups = lines_by_language(Corpus(workdir / "corpus"), flags.FLAGS.lines)
    groups["random"] = random_lines(flags.FLAGS.lines)
    groups["edge"] = [text for text in EDGE_CASES if "\0" not in text]
    texts = [text for lines in groups.values() for text in lines]
    inside = token_ids_inside(tokenizer, texts)
    differs = {
        where: np.array([a != b for a, b in zip(rows, expected, strict=True)])
        for expected in [tokenizer.encode(texts)]
        for where, rows in inside.items()
    }
    print("language   lines" + "".join(f"{where:>17}" for where in differs))
    owner = np.repeat(list(groups), [len(lines) for lines in groups.values()])
    for name in [*groups, "all"]:
        mask = (owner == name) | (name == "all")
        counts = "".join(f"{int(each[mask].sum()):17}" for each in differs.values())
        print(f"{name:8}{int(mask.sum()):8}{counts}")
    sys.exit(any(each.any() for each in differs.values()))


if __name__ == "__main__":
    command.path_flag("workdir", None, "A finished run.", required=True)
    flags.DEFINE_integer("lines", 300, "Of each language, and of random characters.")
    command.run(main)
