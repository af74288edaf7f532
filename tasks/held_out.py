"""What is kept out of training: pairs for retrieval, and sentences without one."""

import numpy as np

from babelet.data.corpus import Corpus
from babelet.data.splits import TEST
from babelet.evaluation.retrieval import RetrievalSet


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


def alone(corpus: Corpus, split: int, limit: int) -> dict[str, list[str]]:
    """Returns up to `limit` sentences of a split without a translation.

    By language, for those in which no pair of the split is; fewer than three
    sentences have no similarities to rank, and are left out.

    Args:
        corpus: Of the run.
        split: VALIDATION or TEST of data.splits.
        limit: Sentences a language, at most.
    """
    paired = {group.language for group in held_out(corpus, split, 1)}
    found = {
        language: corpus.sentences_of(split, language, limit)
        for language in corpus.languages
        if language not in paired
    }
    return {language: texts for language, texts in found.items() if len(texts) > 2}
