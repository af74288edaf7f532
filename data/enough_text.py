"""Whether a corpus is enough for a run: found before the long steps, not after them."""

import math

from babelet.configs.classification import LabelsConfig
from babelet.configs.schema import DataConfig
from babelet.core.errors import BabeletError
from babelet.data.corpus import CorpusReport
from babelet.data.labelled_corpus import LabelledReport
from babelet.data.splits import SPLITS, TRAIN

# Sentences without a translation in one language below which none can be ranked.
MIN_ALONE = 3


def too_little(
    report: CorpusReport, config: DataConfig, pairs_only: bool = False
) -> BabeletError | None:
    """Returns the error for a corpus in which a split is left without text.

    Args:
        report: Of the corpus.
        config: What it was built with.
        pairs_only: Sentences without a translation do not count.

    Returns:
        None if each split has a pair or, of one language, `MIN_ALONE` sentences
        without one.
    """
    short = [
        split
        for number, split in enumerate(SPLITS)
        if not _has_text(report, split, pairs_only, 1 if number == TRAIN else MIN_ALONE)
    ]
    if not short:
        return None
    pairs = sum(sum(row.values()) for row in report.counts.values())
    alone = sum(sum(row.values()) for row in report.monolingual.values())
    expected = "a pair" if pairs_only else f"a pair, or {MIN_ALONE} sentences alone"
    return BabeletError(
        f"There is too little text: none is left for {' and '.join(short)}",
        expected=f"{expected} in each split, from texts that differ in more than case, "
        "digits and punctuation",
        received=f"{pairs:,} pairs and {alone:,} sentences without a translation, "
        f"{report.groups:,} different; rejected: {_counted(report.rejected)}",
        consequence="Nothing can be learned from it and measured",
        remedy=_remedy(report, config, pairs, alone),
    )


def _has_text(
    report: CorpusReport, split: str, pairs_only: bool, min_alone: int
) -> bool:
    pairs = sum(row[split] for row in report.counts.values())
    alone = max((row[split] for row in report.monolingual.values()), default=0)
    return pairs > 0 or (alone >= min_alone and not pairs_only)


def _remedy(report: CorpusReport, config: DataConfig, pairs: int, alone: int) -> str:
    """Returns what helps: larger shares where there are texts for them, or text."""
    if report.groups < 10 or report.largest_group > (pairs + alone) / 2:
        return "give more text"
    needed = 1 if pairs else MIN_ALONE
    share = math.ceil(100 * max(0.1, needed / report.pivots)) / 100
    fractions = (config.validation_fraction, config.test_fraction)
    if min(fractions) >= share:
        return "give more text"
    return (
        f"give more text, or set data.validation_fraction={share} and "
        f"data.test_fraction={share}"
    )


def _counted(rejected: dict[str, int]) -> str:
    return ", ".join(f"{name} {n:,}" for name, n in rejected.items()) or "none"


def too_little_labelled(
    report: LabelledReport, labels: LabelsConfig
) -> BabeletError | None:
    """Returns the error for a labelled corpus that nothing can be measured on.

    Args:
        report: Of the corpus.
        labels: Whose labels a run may see; validation is by those.

    Returns:
        None if sentences are held out, in a language whose labels are seen.
    """
    languages = [*report.counts]
    known = languages if labels.setting == "supervised" else languages[:1]
    seen = {"validation": known, "test": languages}
    short = [
        split
        for split, names in seen.items()
        if not sum(report.counts[name][split] for name in names)
    ]
    if not short:
        return None
    remedy = "give more labelled text"
    if labels.setting != "supervised":
        remedy += ", or set labels.setting=supervised"
    return BabeletError(
        f"There is too little labelled text: none for {' and '.join(short)}",
        expected="a class with three sentences or templates in "
        f"{' or '.join(known)}, that differ in more than case, digits and punctuation",
        received=f"{sum(report.classes.values()):,} labelled sentences of "
        f"{len(report.classes):,} classes to train on; rejected: "
        f"{_counted(report.rejected)}",
        consequence="Nothing can be learned from it and measured",
        remedy=remedy,
    )
