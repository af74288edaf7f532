"""Peak memory of cleaning (and of caching a teacher) as the corpus grows.

python -m benchmarks.corpus_memory --factors=1,10
python -m benchmarks.corpus_memory --factors=1,10 --teacher_layers=2

The default recipe's corpus is read several times, each time with another word at the
end of every sentence; each size is measured in a process of its own. Ten times the
corpus is 3.1 million pairs: some three minutes and 1.5 GB of disk, teacher apart.
"""

import dataclasses
import resource
import sys
import tempfile
import time
from collections.abc import Generator
from pathlib import Path

from absl import flags

from babelet.configs import smart_home
from babelet.configs.data import DataConfig
from babelet.configs.embedding import EmbeddingConfig
from babelet.core import command
from babelet.core.child import run_child
from babelet.data.build_corpus import build_corpus
from babelet.data.corpus import Corpus
from babelet.data.sources import SOURCES
from babelet.data.sources.raw import RawPair

_FACTORS = flags.DEFINE_list("factors", ["1", "10"], "Sizes of the corpus.")
_CACHE = command.path_flag("cache", ".cache/babelet", "Folder of downloads.")
_TEACHER_LAYERS = flags.DEFINE_integer(
    "teacher_layers", 0, "Layers of the teacher whose vectors are cached; 0: none."
)
_ONLY = flags.DEFINE_integer("only", 0, "Measure this size in this process.")


def main(_: list[str]) -> None:
    """Measures one size, or starts a process for each."""
    if _ONLY.value:
        with tempfile.TemporaryDirectory() as folder:
            measure(_ONLY.value, Path(folder))
        return
    print("size  step        pairs    pivots  seconds   peak MB", flush=True)
    shared = [f"--cache={_CACHE.value}", f"--teacher_layers={_TEACHER_LAYERS.value}"]
    for factor in _FACTORS.value:
        command = [sys.executable, "-m", "benchmarks.corpus_memory"]
        run_child([*command, f"--only={factor}", *shared]).check_returncode()


def measure(factor: int, folder: Path) -> None:
    """Builds a corpus `factor` times as large, caches its vectors, prints the peaks."""
    config = smart_home.get_config()
    cache = Path(_CACHE.value)
    read = SOURCES[config.data.source]

    def enlarged(config: DataConfig, cache: Path) -> Generator[RawPair, None, None]:
        for copy in range(factor):
            # A word of letters: digits would be folded, and all copies be one group.
            word = f" {chr(97 + copy // 26)}{chr(97 + copy % 26)}q" if copy else ""
            for row in read(config, cache):
                yield row._replace(
                    pivot_text=row.pivot_text + word, text=row.text + word
                )

    SOURCES["enlarged"] = enlarged
    start = time.monotonic()
    data = dataclasses.replace(config.data, source="enlarged")
    build_corpus(data, folder / "corpus", cache)
    corpus = Corpus(folder / "corpus")
    _print(factor, "cleaning", corpus, start)
    if _TEACHER_LAYERS.value:
        start = time.monotonic()
        cache_teacher(config, corpus, folder / "teacher_cache", cache)
        _print(factor, "caching", corpus, start)


def cache_teacher(
    config: EmbeddingConfig, corpus: Corpus, folder: Path, cache: Path
) -> None:
    """Caches the teacher's vectors of all pivot sentences."""
    # Imported here, for the measurement of cleaning alone to be without TensorFlow.
    from babelet.training.teacher_cache import TeacherCache
    from babelet.training.teachers import open_teacher

    settings = dataclasses.replace(config.teacher, num_layers=_TEACHER_LAYERS.value)
    vectors = TeacherCache(open_teacher(settings, cache), folder)
    count = corpus.report.pivots
    texts = (corpus.sentences[sentence] for sentence in range(count))
    vectors.ensure(texts, "Teacher", count)


def _print(factor: int, step: str, corpus: Corpus, start: float) -> None:
    # Kilobytes on Linux, bytes on macOS.
    unit = 1024**2 if sys.platform == "darwin" else 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
    seconds = time.monotonic() - start
    pairs, pivots = len(corpus.pairs), corpus.report.pivots
    print(
        f"{factor:3}x  {step:9}{pairs:9,} {pivots:9,} {seconds:8.0f} {peak:9.1f}",
        flush=True,
    )


if __name__ == "__main__":
    command.run(main)
