"""Times a translator's int8 file against its teacher's float32 file, per sentence.

python -m benchmarks.translation_latency --workdir=runs/translate_smart_home

Both from the same converter, greedy, one thread, XNNPACK on; each test sentence in the
order A-B-B-A in one process. The encoder that an informed teacher reads is not in its
file: the time is that of what was trained here, as long a context of zeros included.
Prints the medians and the median of the ratios, and
writes <workdir>/latency.json.
"""

import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf
from absl import app, flags
from tqdm import tqdm

from configs.atomic import atomic_path
from configs.errors import BabeletError
from configs.schema import Config
from data.corpus import Corpus
from data.download import cache_folder
from data.splits import TEST
from export.litert_translate import LiteRTTranslator
from export.metadata import read_metadata
from export.rebuild import rebuild_student
from export.translation_litert import convert_translator
from model.encoder_decoder import Context, EncoderDecoder
from tasks.translation import configured_teacher
from training.preparation import load_teacher

SENTENCES = 200


def measure(workdir: Path) -> dict[str, Any]:
    """Returns milliseconds a sentence of both, and how many times faster the student.

    Args:
        workdir: A run with its export, and a teacher of its own.

    Raises:
        BabeletError: The run has no export, or trained no teacher.
    """
    student = workdir / "export" / "student_int8.tflite"
    weights = workdir / "teacher" / "teacher.weights.h5"
    for path in (student, weights):
        if not path.is_file():
            raise BabeletError(
                f"There is no {path}",
                remedy="finish a run that trains its teacher first: python -m "
                "training.distill with this workdir",
            )
    _, tokenizer, config = rebuild_student(workdir)
    teacher = _teacher(config, tokenizer.vocabulary_size)
    teacher.load_weights(weights)
    _read_nothing(teacher)
    corpus = Corpus(workdir / "corpus")
    pairs = corpus.pairs_of(TEST, corpus.languages[1], SENTENCES)
    ids = tokenizer.encode(corpus.sentences.texts(pairs[:, 0]))
    decoding = read_metadata(student)["decoding"]
    with tempfile.TemporaryDirectory(dir=workdir) as folder:
        path = Path(folder, "teacher_fp32.tflite")
        convert_translator(teacher, tokenizer, path, "fp32", {})
        models = {
            "teacher_fp32": LiteRTTranslator(path, tokenizer, decoding).greedy,
            "student_int8": LiteRTTranslator(student, tokenizer, decoding).greedy,
        }
        return compare(*models.values(), ids) | {
            "bytes": {
                name: p.stat().st_size
                for name, p in zip(models, (path, student), strict=True)
            }
        }


def _teacher(config: Config, vocabulary_size: int) -> EncoderDecoder:
    dim = 0
    if config.translation.teacher_informed:
        dim = load_teacher(config.teacher, cache_folder()).token_dim
    return configured_teacher(config, vocabulary_size, context_dim=dim)


def _read_nothing(teacher: EncoderDecoder) -> None:
    """Gives a teacher that reads a context one of zeros, as long as the source."""
    read, dim = teacher.read_source, teacher.context_dim

    def read_source(token_ids: tf.Tensor, padding_mask: tf.Tensor) -> tuple:
        zeros = tf.zeros((*tf.unstack(tf.shape(token_ids)), dim))
        return read(token_ids, padding_mask, context=Context(zeros, padding_mask))

    if dim:
        teacher.read_source = read_source


def compare(
    teacher: Callable, student: Callable, ids: Sequence[Sequence[int]]
) -> dict[str, Any]:
    """Returns the medians in milliseconds, and the median ratio, over sentences."""
    rows = []
    for row in tqdm(ids, desc="Timing", unit=" sentences"):
        a, b, c, d = (_timed(f, row) for f in (teacher, student, student, teacher))
        rows.append(((a + d) / 2, (b + c) / 2))
    # The first ones are slower: memory is touched for the first time.
    rows = rows[len(rows) // 10 :]
    return {
        "teacher_fp32_ms": 1000 * statistics.median(row[0] for row in rows),
        "student_int8_ms": 1000 * statistics.median(row[1] for row in rows),
        "ratio": statistics.median(a / b for a, b in rows),
        "sentences": len(rows),
    }


def _timed(run: Callable, row: Sequence[int]) -> float:
    start = time.perf_counter()
    run(row)
    return time.perf_counter() - start


def main(_: list[str]) -> None:
    """Prints the medians; a user's error is one line and exit status 2."""
    workdir = Path(flags.FLAGS.workdir)
    try:
        found = measure(workdir)
    except BabeletError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    with atomic_path(workdir / "latency.json") as path:
        path.write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    print(
        f"teacher_fp32 {found['teacher_fp32_ms']:.2f} ms, "
        f"student_int8 {found['student_int8_ms']:.2f} ms a sentence: "
        f"{found['ratio']:.1f} times as fast"
    )


if __name__ == "__main__":
    flags.DEFINE_string("workdir", None, "A finished run.", required=True)
    app.run(main)
