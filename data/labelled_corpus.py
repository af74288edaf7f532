"""Labelled text on disk: sentences, classes and splits."""

import dataclasses
from pathlib import Path

import numpy as np

from babelet.core.boundary import run_folder
from babelet.data.corpus import SentenceStore, description
from babelet.data.splits import SPLITS

# In the place of a class where the label is not known.
UNLABELLED = -1


@dataclasses.dataclass(frozen=True)
class LabelledReport:
    """What `data.build_labelled_corpus.build_labelled_corpus` found."""

    # Rejected rows by reason.
    rejected: dict[str, int]
    # Sentences by language and split.
    counts: dict[str, dict[str, int]]
    # Labelled training sentences by class.
    classes: dict[str, int]
    # (language, class) cells, and those of them with too few templates to hold any out.
    cells: int
    training_only_cells: int
    unlabelled: int


class LabelledCorpus:
    """The folder that `data.build_labelled_corpus.build_labelled_corpus` wrote.

    Attributes:
        languages: The pivot first; a language's id is its index.
        classes: Names in order; a class's id is its index.
        sentences: Cleaned texts, the rows of the arrays below.
        sentence_language: int16 (sentences,).
        labels: int16 (sentences,), ids of classes or UNLABELLED; int32 where there
            are more classes than that holds.
        split: int8 (sentences,) of TRAIN, VALIDATION, TEST.
        fingerprint: SHA-256 of the content.
        report: What building it found.
    """

    def __init__(self, folder: Path) -> None:
        folder = Path(folder)
        about = description(folder)
        with run_folder(folder / "corpus.json"):
            self.languages = tuple(about["languages"])
            self.classes = tuple(about["classes"])
            self.fingerprint: str = about["fingerprint"]
            self.report = LabelledReport(**about["report"])
        with run_folder(folder):
            self.sentences = SentenceStore(folder)
            self.sentence_language = np.load(folder / "sentence_language.npy")
            self.labels = np.load(folder / "labels.npy")
            self.split = np.load(folder / "split.npy")

    def rows_of(
        self, split: int, language: str, limit: int | None = None
    ) -> np.ndarray:
        """Returns sentence ids of one language and split, int64 (n,).

        The choice of `limit` is fixed and spread over the corpus; a smaller limit
        gives the beginning of what a larger one gives.
        """
        number = self.languages.index(language)
        of_language = (self.split == split) & (self.sentence_language == number)
        return spread(np.flatnonzero(of_language))[:limit]


def spread(rows: np.ndarray) -> np.ndarray:
    """Returns `rows` int64 (n,) in a fixed order without regard to neighbours."""
    # Fibonacci hashing.
    order = rows.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    return rows[np.argsort(order, kind="stable")]


def format_labelled_counts(report: LabelledReport) -> str:
    """Returns lines to print: rejected rows, classes, sentences by language."""
    reasons = sorted(report.rejected.items(), key=lambda item: -item[1])
    rejected = ", ".join(f"{name} {n:,}" for name, n in reasons) or "none"
    lines = [
        f"Rejected: {rejected}",
        f"{len(report.classes)} classes; of {report.cells:,} pairs of language and "
        f"class, {report.training_only_cells:,} have too few templates to be tested",
        f"{'':10}" + "".join(f"{split:>12}" for split in SPLITS),
    ]
    for language, counts in report.counts.items():
        cells = "".join(f"{counts[split]:12,}" for split in SPLITS)
        lines.append(f"{language:10}{cells}")
    return "\n".join(lines)


def class_warnings(report: LabelledReport) -> list[str]:
    """Returns a line for the classes that can hardly be learned, if there are any."""
    single = [name for name, count in report.classes.items() if count == 1]
    if not single:
        return []
    return [
        f"{len(single)} of {len(report.classes)} classes have one labelled training "
        f"sentence, and cannot be tested: {', '.join(single[:5])}"
    ]
