"""What a translator's run reads beside its corpus, and how all of it is numbered.

A sentence keeps its number in the corpus; after them come the sources of the renamed
pairs, their targets, and the recombined sentences.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from babelet.configs.translation import TargetsConfig
from babelet.data.corpus import Corpus
from babelet.data.recombination import recombined
from babelet.data.renaming import Pair, renamed
from babelet.data.splits import TRAIN


class Additions(NamedTuple):
    """Texts beside those of the corpus.

    Attributes:
        first: The number of the first one.
        renamed: Pairs of the corpus with other names in both texts.
        recombined: Sentences that nobody translated.
    """

    first: int
    renamed: list[Pair]
    recombined: list[str]

    @property
    def texts(self) -> list[str]:
        """All of them, in the order of their numbers."""
        sources, targets = ([pair[side] for pair in self.renamed] for side in (0, 1))
        return [*sources, *targets, *self.recombined]

    @property
    def renamed_pairs(self) -> np.ndarray:
        """The numbers of the renamed pairs, int32 (n, 2)."""
        count = len(self.renamed)
        sources = self.first + np.arange(count)
        return np.stack([sources, sources + count], axis=1).astype(np.int32)

    @property
    def recombined_rows(self) -> range:
        """The numbers of the recombined sentences."""
        first = self.first + 2 * len(self.renamed)
        return range(first, first + len(self.recombined))


def additions_to(
    corpus: Corpus,
    pairs: np.ndarray,
    sources: np.ndarray,
    settings: TargetsConfig,
) -> Additions:
    """Returns what `settings` ask for, nothing held out among it.

    Args:
        corpus: Of the run.
        pairs: int32 (n, 2), of training: what is renamed.
        sources: int (n,), sentences of training: what is recombined.
        settings: Numbers of either.
    """
    texts = corpus.sentences.texts
    held_out = texts(np.unique(corpus.pairs[corpus.pair_split != TRAIN][:, 0]))
    other_names, other_ends = [], []
    if settings.renamed:
        known = zip(texts(pairs[:, 0]), texts(pairs[:, 1]), strict=True)
        other_names = renamed(list(known), settings.renamed, held_out)
    if settings.recombined:
        other_ends = recombined(texts(sources), settings.recombined, held_out)
    return Additions(len(corpus.sentences), other_names, other_ends)


def text_lookup(corpus: Corpus, extra: list[str]) -> Callable[[int], str]:
    """Returns a function of a text's number to the text."""
    count = len(corpus.sentences)
    return lambda i: corpus.sentences[i] if i < count else extra[i - count]
