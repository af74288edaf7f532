"""Sentence pairs kept out of training, as the retrieval metric takes them."""

import numpy as np

from data.corpus import Corpus
from data.splits import TEST
from evaluation.retrieval import RetrievalSet


def held_out(corpus: Corpus, split: int, limit: int) -> list[RetrievalSet]:
    """Returns up to `limit` pairs a language of a split, for retrieval.

    Args:
        corpus: Of the run.
        split: VALIDATION or TEST of data.splits; of the latter it is known which
            pairs have a near neighbour in training.
        limit: Pairs a language, at most.
    """
    near = np.unique(corpus.pairs[corpus.pair_near][:, 0])
    sets = []
    for language in corpus.languages[1:]:
        pairs = corpus.pairs_of(split, language, limit)
        if len(pairs):
            pivots = corpus.sentences.texts(pairs[:, 0])
            texts = corpus.sentences.texts(pairs[:, 1])
            flags = np.isin(pairs[:, 0], near) if split == TEST else None
            sets.append(RetrievalSet(language, pivots, texts, flags))
    return sets
