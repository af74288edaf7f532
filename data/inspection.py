"""What a corpus looks like: lengths, samples, and examples of what was rejected."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from babelet.data.corpus import Corpus
from babelet.data.splits import TRAIN

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
