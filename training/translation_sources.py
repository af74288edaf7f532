"""What a translator's student reads: the corpus's sentences, and recombinations.

A sentence keeps its number in the corpus; recombined ones are numbered after them.
"""

from collections.abc import Callable, Sequence
from itertools import chain
from pathlib import Path

import numpy as np

from data.corpus import Corpus
from data.recombination import recombined
from data.splits import TRAIN
from data.tokenizer import Tokenizer
from data.tokens import TokenStore


def recombined_of(corpus: Corpus, sources: np.ndarray, count: int) -> list[str]:
    """Returns recombinations of the sentences `sources`, none of them held out."""
    held_out = np.unique(corpus.pairs[corpus.pair_split != TRAIN][:, 0])
    texts = corpus.sentences.texts
    return recombined(texts(sources), count, texts(held_out))


def build_sources(
    corpus: Corpus, extra: Sequence[str], tokenizer: Tokenizer, folder: Path, name: str
) -> None:
    """Writes the token ids of all sentences and of `extra`, named `name`."""
    sentences = corpus.sentences
    texts = chain((sentences[i] for i in range(len(sentences))), extra)
    TokenStore.build(tokenizer, texts, folder, name)


def text_lookup(corpus: Corpus, extra: Sequence[str]) -> Callable[[int], str]:
    """Returns a function of a source's number to its text."""
    count = len(corpus.sentences)
    return lambda i: corpus.sentences[i] if i < count else extra[i - count]
