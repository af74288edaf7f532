"""The sentences that the page searches when it is given no index of its own."""

import itertools
from pathlib import Path

from babelet.data.corpus import Corpus
from babelet.data.splits import TEST
from babelet.export.web.index_file import Index

# Of two words a reader learns little about meaning; long ones fill the page.
_MINIMUM_WORDS = 3
_MAXIMUM_CHARACTERS = 120


def held_out_sentences(workdir: Path, count: int) -> Index:
    """Returns some `count` held-out sentences, evenly from the run's languages.

    The languages translate the same pivot sentences where they can, so that a
    sentence is found in many of them.

    Args:
        workdir: Of a run with a parallel corpus.
        count: Sentences in all; of a small corpus there are fewer.

    Raises:
        BabeletError: The run has no corpus.
    """
    corpus = Corpus(workdir / "corpus")
    share = max(1, count // len(corpus.languages))
    pivots: dict[int, None] = {}
    columns: list[list[int]] = []
    for language in corpus.languages[1:]:
        pairs = [
            pair
            for pair in corpus.pairs_of(TEST, language).tolist()
            if all(_tells(corpus.sentences[i]) for i in pair)
        ]
        pivots |= dict.fromkeys(pivot for pivot, _ in pairs[:share])
        columns.append([translation for _, translation in pairs[:share]])
    # One of each language in turn: the page can search as soon as it has a few.
    rows = itertools.zip_longest(list(pivots)[:share], *columns)
    ids = [i for row in rows for i in row if i is not None]
    return Index(
        workdir.resolve().name,
        corpus.sentences.texts(ids),
        [corpus.languages[corpus.sentence_language[i]] for i in ids],
    )


def _tells(sentence: str) -> bool:
    # Scripts without spaces have about two characters to the word.
    words = sentence.split() if sentence.isascii() else sentence[::2]
    return len(words) >= _MINIMUM_WORDS and len(sentence) <= _MAXIMUM_CHARACTERS
