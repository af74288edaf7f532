"""Parallel text of a run: its corpus, and which sentences are for what."""

from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np

from babelet.data.build_corpus import build_corpus
from babelet.data.corpus import Corpus, format_counts
from babelet.data.download import cache_folder
from babelet.data.enough_text import too_little
from babelet.data.sources import parallel_files
from babelet.data.splits import TRAIN, VALIDATION
from babelet.evaluation.retrieval import RetrievalSet
from babelet.tasks.held_out import alone, held_out
from babelet.training.steps import FINGERPRINT, Step
from babelet.training.workdir import Workdir

CORPUS = "corpus"


class ParallelText:
    """Builds the corpus of pairs, and takes sentences from it."""

    def __init__(self, workdir: Workdir, pairs_only: bool = False) -> None:
        """Takes the run's folder.

        Args:
            workdir: The run's.
            pairs_only: Whether sentences without a translation are of no use alone.
        """
        self._path, self._config = workdir.path, workdir.config
        self._pairs_only = pairs_only
        # A translator's pairs are not dealt to folds.
        self._folds = getattr(workdir.config, "folds", None)

    @cached_property
    def corpus(self) -> Corpus:
        """The cleaned and split text."""
        return Corpus(self._path / CORPUS)

    def step(self) -> Step:
        """Returns the step "corpus"."""
        folds = ("settings.folds",) if self._folds and self._folds.count else ()
        return Step(
            CORPUS,
            self._build,
            reads=("settings.data", *folds),
            # A file counts by its content: changed, it is read again; moved, it is
            # not. The text is the same under all weights.
            but=("settings.data.files", "settings.data.weights"),
            beside=self._files,
            leaves=(CORPUS,),
        )

    def _files(self) -> dict[str, Any]:
        data = self._config.data
        digests = parallel_files.digests(data) if data.files else None
        return {"files": digests, "weighted": bool(getattr(data, "weights", ()))}

    def _build(self, _: str) -> dict:
        data = self._config.data
        folder, folds = self._path / CORPUS, self._folds
        report = build_corpus(data, folder, cache_folder(), *([folds] if folds else []))
        print(format_counts(report), flush=True)
        if error := too_little(report, data, pairs_only=self._pairs_only):
            raise error
        return {
            FINGERPRINT: self.corpus.fingerprint,
            "counts": report.counts,
            "monolingual": report.monolingual,
            "rejected": report.rejected,
        }

    def training_pairs(self) -> np.ndarray:
        """Returns int32 (n, 2), without the sentences that have no translation."""
        pairs = self.corpus.pairs[self.corpus.pair_split == TRAIN]
        return pairs[pairs[:, 0] != pairs[:, 1]]

    def training_pivots(self) -> np.ndarray:
        """Returns the ids of what a teacher reads in training, int32, ascending."""
        return np.unique(self.corpus.pairs[self.corpus.pair_split == TRAIN][:, 0])

    def training_sentences(self) -> Iterator[tuple[str, str]]:
        """Yields language and text of each sentence to train on."""
        corpus = self.corpus
        pairs = corpus.pairs[corpus.pair_split == TRAIN]
        chosen = self.training_pairs() if self._pairs_only else pairs
        for sentence in np.unique(chosen).tolist():
            language = corpus.languages[corpus.sentence_language[sentence]]
            yield language, corpus.sentences[sentence]

    def held_out(self, split: int, limit: int) -> list[RetrievalSet]:
        """Returns up to `limit` pairs a language of a split, for retrieval."""
        return held_out(self.corpus, split, limit)

    def alone(self, split: int, limit: int) -> dict[str, list[str]]:
        """Returns up to `limit` sentences of a split without a translation."""
        return alone(self.corpus, split, limit)

    def validation_texts(self) -> dict[str, list[str]]:
        """Returns validation sentences by language: of `held_out`, or of `alone`."""
        chosen = VALIDATION, self._config.training.validation_pairs
        paired = {g.language: list(g.texts) for g in self.held_out(*chosen)}
        return paired | self.alone(*chosen)
