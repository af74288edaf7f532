"""Times a translator's int8 file against its teacher's float32 file, per sentence.

python -m benchmarks.translation_latency --workdir=runs/translate_smart_home

Both from the same converter, greedy, one thread, XNNPACK on; each test sentence in the
order A-B-B-A in one process. The encoder that an informed teacher reads is a float32
file of its own, timed before, and its time at each sentence's length is the teacher's
too; what it gives is zeros here, as long as the source. Prints the medians and the
median of the ratios, and writes <workdir>/latency.json.
"""

import json
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import tensorflow as tf
from absl import flags
from tqdm import tqdm

from babelet.core import command
from babelet.core.atomic import atomic_path
from babelet.core.errors import BabeletError
from babelet.data.corpus import Corpus
from babelet.data.download import cache_folder
from babelet.data.splits import TEST
from babelet.export.latency import measure_latency
from babelet.export.litert import convert
from babelet.export.litert_translate import LiteRTTranslator
from babelet.export.metadata import read_metadata
from babelet.export.rebuild import rebuild_student
from babelet.export.translator_signatures import convert_translator
from babelet.model.encoder_decoder import Context, EncoderDecoder
from babelet.model.teachers.base import Teacher
from babelet.tasks.students import configured_teacher
from babelet.training.teachers import open_teacher
from benchmarks.latency import sentence_model

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
                "babelet.training.distill with this workdir",
            )
    _, tokenizer, config = rebuild_student(workdir)
    reader = None
    if config.translation.teacher.reads_encoder:
        reader = open_teacher(config.translation.encoder.as_teacher(), cache_folder())
    teacher = configured_teacher(
        config,
        tokenizer.vocabulary_size,
        context_dim=(reader and reader.token_dim) or 0,
    )
    teacher.load_weights(weights)
    _read_nothing(teacher)
    corpus = Corpus(workdir / "corpus")
    pairs = corpus.pairs_of(TEST, corpus.languages[1], SENTENCES)
    ids = tokenizer.encode(corpus.sentences.texts(pairs[:, 0]))
    decoding = read_metadata(student)["decoding"]
    with tempfile.TemporaryDirectory(dir=workdir) as folder:
        encoder_ms = {} if reader is None else _encoder_ms(reader, ids, Path(folder))
        path = Path(folder, "teacher_fp32.tflite")
        convert_translator(teacher, tokenizer, path, "fp32", {})
        models = {
            "teacher_fp32": LiteRTTranslator(path, tokenizer, decoding).greedy,
            "student_int8": LiteRTTranslator(student, tokenizer, decoding).greedy,
        }
        return compare(
            models["teacher_fp32"], models["student_int8"], ids, encoder_ms
        ) | {
            "bytes": {
                name: p.stat().st_size
                for name, p in zip(models, (path, student), strict=True)
            }
        }


def _encoder_ms(
    reader: Teacher, ids: Sequence[Sequence[int]], folder: Path
) -> dict[int, float]:
    """Returns milliseconds the encoder's float32 file takes, by number of tokens."""
    path = folder / "encoder_fp32.tflite"
    convert(sentence_model(reader.backbone, "mean"), path, "fp32", {})
    lengths = tqdm(sorted({len(row) for row in ids}), "Timing the encoder")
    measured = {n: measure_latency({"encoder": path}, n, 20) for n in lengths}
    return {n: each["models"]["encoder"]["median_ms"] for n, each in measured.items()}


def _read_nothing(teacher: EncoderDecoder) -> None:
    """Gives a teacher that reads a context one of zeros, as long as the source."""
    read, dim = teacher.read_source, teacher.context_dim

    def read_source(token_ids: tf.Tensor, padding_mask: tf.Tensor) -> tuple:
        zeros = tf.zeros((*tf.unstack(tf.shape(token_ids)), dim))
        return read(token_ids, padding_mask, context=Context(zeros, padding_mask))

    if dim:
        teacher.read_source = read_source


def compare(
    teacher: Callable,
    student: Callable,
    ids: Sequence[Sequence[int]],
    before_ms: Mapping[int, float] = MappingProxyType({}),
) -> dict[str, Any]:
    """Returns the medians in milliseconds, and the median ratio, over sentences.

    Args:
        teacher: Called with the token ids of a sentence.
        student: The same.
        ids: Of each sentence.
        before_ms: What the teacher waits for, by number of tokens; {} for nothing.
    """
    rows = []
    for row in tqdm(ids, desc="Timing", unit=" sentences"):
        a, b, c, d = (_timed(f, row) for f in (teacher, student, student, teacher))
        rows.append(((a + d) / 2 + before_ms.get(len(row), 0) / 1000, (b + c) / 2))
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
    """Prints the medians."""
    workdir = Path(flags.FLAGS.workdir)
    found = measure(workdir)
    with atomic_path(workdir / "latency.json") as path:
        path.write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    print(
        f"teacher_fp32 {found['teacher_fp32_ms']:.2f} ms, "
        f"student_int8 {found['student_int8_ms']:.2f} ms a sentence: "
        f"{found['ratio']:.1f} times as fast"
    )


if __name__ == "__main__":
    command.path_flag("workdir", None, "A finished run.", required=True)
    command.run(main)
