"""Shows what a run would use of its text, and what the run would take.

  babelet inspect --config=configs/parallel_files.py \
      --set data.files='texts/*.tmx' --set data.languages=de,fi

Reads, cleans and splits the text as the run does, and keeps nothing of it.
"""

import sys
import tempfile
import time
from pathlib import Path
from typing import cast

from absl import flags

from babelet.configs import overrides
from babelet.configs.classification import ClassificationConfig
from babelet.configs.data import PairDataConfig
from babelet.configs.embedding import EmbeddingConfig
from babelet.configs.schema import Config, FoldsConfig
from babelet.core import command
from babelet.data.building import build_corpus
from babelet.data.corpus import Corpus, format_counts
from babelet.data.download import cache_folder
from babelet.data.enough_text import too_little, too_little_labelled
from babelet.data.inspection import (
    format_kept,
    format_lengths,
    format_rejected,
    format_samples,
)
from babelet.data.label_visibility import visibility_warnings, visible_labels
from babelet.data.labelled_building import build_labelled_corpus
from babelet.data.labelled_corpus import (
    LabelledCorpus,
    class_warnings,
    format_labelled_counts,
)
from babelet.data.prediction import format_prediction, predict

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
    if len(argv) > 1:
        sys.exit(f"Unknown argument {argv[1]}: settings are given as --set a.b=value.")
    print(inspect(overrides.load(flags.FLAGS.config, flags.FLAGS.set)))


if __name__ == "__main__":
    command.path_flag("config", "parallel_files", "A recipe or a run's config.json.")
    flags.DEFINE_multi_string("set", [], "A setting to change, as a.b=value.")
    command.run(main, meant=overrides.meant)
