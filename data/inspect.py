"""Shows what a run would use of its text, and what the run would take.

  babelet inspect --config=configs/parallel_files.py \
      --set data.files='texts/*.tmx' --set data.languages=de,fi

Reads, cleans and splits the text as the run does, and keeps nothing of it.
"""

import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import cast

from absl import flags

from babelet.configs import overrides
from babelet.configs.classification import ClassificationConfig
from babelet.configs.data import PairDataConfig
from babelet.configs.embedding import EmbeddingConfig
from babelet.configs.schema import Config, FoldsConfig
from babelet.core import command
from babelet.data.build_corpus import build_corpus
from babelet.data.build_labelled_corpus import build_labelled_corpus
from babelet.data.corpus import Corpus, format_counts
from babelet.data.cost_estimate import format_prediction, predict
from babelet.data.download import cache_folder
from babelet.data.enough_text import too_little, too_little_labelled
from babelet.data.label_visibility import visibility_warnings, visible_labels
from babelet.data.labelled_corpus import (
    LabelledCorpus,
    class_warnings,
    format_labelled_counts,
)
from babelet.data.splits import TRAIN

SAMPLES = 3


def inspect(config: Config) -> str:
    """Returns the report, as text to print.

    Raises:
        BabeletError: The text cannot be read, or nothing of it is left.
    """
    if isinstance(config, ClassificationConfig):
        return _inspect_labelled(config)
    settings = cast(PairDataConfig, config.data)
    embeds = isinstance(config, EmbeddingConfig)
    folds = config.folds if embeds else FoldsConfig()
    with tempfile.TemporaryDirectory() as scratch:
        folder, started = Path(scratch) / "corpus", time.monotonic()
        report = build_corpus(settings, folder, cache_folder(), folds)
        seconds = time.monotonic() - started
        corpus = Corpus(folder)
        rejected = sum(report.rejected.values())
        parts = [
            f"{format_kept(corpus)} are used, {rejected:,} rows are rejected.\n\n"
            f"{format_counts(report)}"
        ]
        if rejected:
            examples = format_rejected(folder / "rejected.tsv")
            parts.append(f"The first rejected row of each reason:\n{examples}")
        parts += [
            format_lengths(corpus, settings.max_characters),
            format_samples(corpus, SAMPLES),
        ]
        if embeds:
            found = predict(config, corpus, folder, seconds)
            parts.append(format_prediction(found))
        if error := too_little(report, settings, pairs_only=not embeds):
            parts.append(f"warning: A run ends at once. {error}")
    return "\n\n".join(parts)


def _inspect_labelled(config: ClassificationConfig) -> str:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "corpus"
        report = build_labelled_corpus(
            config.data, config.labels, folder, cache_folder(), config.folds
        )
        corpus = LabelledCorpus(folder)
        classes = ", ".join(f"{name} {n:,}" for name, n in report.classes.items())
        parts = [
            f"{len(corpus.labels):,} sentences are used, {report.unlabelled:,} of them "
            f"without a label; {sum(report.rejected.values()):,} rows are rejected."
            f"\n\n{format_labelled_counts(report)}",
            f"Labelled training sentences by class: {classes}",
        ]
        if report.rejected:
            examples = format_rejected(folder / "rejected.tsv")
            parts.append(f"The first rejected row of each reason:\n{examples}")
        visible = visible_labels(corpus, config.labels)
        if error := too_little_labelled(report, config.labels):
            parts.append(f"warning: A run ends at once. {error}")
        warnings = class_warnings(report) + visibility_warnings(corpus, visible)
        parts += [f"warning: {warning}" for warning in warnings]
    return "\n\n".join(parts)


def main(argv: list[str]) -> None:
    """Runs the command line."""
    command.require_none_left(argv, "settings are given as --set a.b=value")
    print(inspect(overrides.load(flags.FLAGS.config, flags.FLAGS.set)))


BINS = 12
BAR = 40
# Characters of a text that are shown.
SHOWN = 70


def format_kept(corpus: Corpus) -> str:
    """Returns how many pairs and sentences a corpus has."""
    report = corpus.report
    alone = sum(sum(row.values()) for row in report.monolingual.values())
    pairs = len(corpus.pairs) - alone
    if not alone:
        return (
            f"{pairs:,} pairs of {report.pivots:,} sentences in {corpus.languages[0]!r}"
        )
    return f"{pairs:,} pairs and {alone:,} sentences without a translation"


def format_lengths(corpus: Corpus, longest: int) -> str:
    """Returns a histogram of characters, beside translations what the teacher reads.

    Args:
        corpus: Opened.
        longest: Characters that a sentence may have.
    """
    width = max(1, -(-longest // BINS))
    sides = (Counter[int](), Counter[int]())
    for i, text in enumerate(corpus.sentences):
        sides[i >= corpus.report.pivots][(len(text) - 1) // width] += 1
    most = max(count for side in sides for count in side.values())
    read = "alone, or pivot" if corpus.report.monolingual else corpus.languages[0]
    lines = [f"{'characters':>12}  {read:<{BAR // 2}}  translations"]
    for row in range(max(row for side in sides for row in side) + 1):
        bars = [_bar(side[row], most).ljust(BAR // 2) for side in sides]
        label = f"{row * width + 1}-{(row + 1) * width}"
        lines.append(f"{label:>12}  {bars[0]}  {bars[1]}".rstrip())
    return "\n".join(lines)


def _bar(count: int, most: int) -> str:
    # One that is there is seen, however few there are.
    return "#" * max(round(count / most * BAR / 2), count > 0)


def format_samples(corpus: Corpus, count: int) -> str:
    """Returns up to `count` training rows of each language, the same every time."""
    lines = []
    for language in corpus.languages[1:]:
        for pivot, translation in corpus.pairs_of(TRAIN, language, count):
            texts = corpus.sentences.texts((pivot, translation))
            lines.append(f"{language:10}" + "  =  ".join(map(_short, texts)))
    for language in corpus.report.monolingual:
        alone = corpus.sentences_of(TRAIN, language, count)
        lines += [f"{language:10}{_short(text)}" for text in alone]
    return "\n".join(lines)


def format_rejected(path: Path) -> str:
    """Returns the first row of each reason in a rejected.tsv."""
    first: dict[str, str] = {}
    for origin, line, _, reason, pivot, text in _rejected(path):
        if reason not in first:
            shown = "  =  ".join(map(_short, (pivot, text)))
            first[reason] = f"{reason:12}{origin}, line {line}: {shown}"
    return "\n".join(first.values())


def _rejected(path: Path) -> Iterator[list[str]]:
    with open(path, encoding="utf-8", newline="\n") as file:
        next(file)
        for line in file:
            yield line.rstrip("\n").split("\t")


def _short(text: str) -> str:
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"


if __name__ == "__main__":
    command.path_flag("config", "parallel_files", "A recipe or a run's config.json.")
    flags.DEFINE_multi_string("set", [], "A setting to change, as a.b=value.")
    command.run(main, meant=overrides.meant)
