"""Labelled text of a run: its corpus, which labels it may see, what is held out."""

from collections.abc import Iterator
from functools import cached_property

import numpy as np

from babelet.configs import schema
from babelet.core.atomic import atomic_path
from babelet.core.errors import BabeletError
from babelet.data.class_names import LABELS
from babelet.data.download import cache_folder
from babelet.data.enough_text import too_little_labelled
from babelet.data.label_visibility import (
    label_weights,
    visible_labels,
    visible_languages,
)
from babelet.data.labelled_building import build_labelled_corpus
from babelet.data.labelled_corpus import LabelledCorpus, format_labelled_counts
from babelet.data.splits import TRAIN, VALIDATION
from babelet.evaluation.classification import LabelledSet
from babelet.training.preparation import Preparation


class LabelledText(Preparation):
    """Builds the corpus of a run of classification, and takes sentences from it."""

    @cached_property
    def corpus(self) -> LabelledCorpus:
        """The cleaned and split text."""
        return LabelledCorpus(self._path / "corpus")

    @cached_property
    def visible(self) -> np.ndarray:
        """Training sentences whose label may be used, bool (sentences,)."""
        return visible_labels(self.corpus, self._config.labels)

    @cached_property
    def weights(self) -> np.ndarray:
        """The hard labels' weights, float32 (sentences,), 0 where hidden."""
        balanced = self._config.labels.class_weights == "balanced"
        return label_weights(self.corpus, self.visible, balanced)

    def held_out(self, split: int, limit: int) -> list[LabelledSet]:
        """Returns up to `limit` sentences a language of a split."""
        corpus, sets = self.corpus, []
        for language in corpus.languages:
            rows = corpus.rows_of(split, language, limit)
            if len(rows):
                texts = corpus.sentences.texts(rows)
                sets.append(LabelledSet(language, texts, corpus.labels[rows]))
        return sets

    def held_out_texts(self, split: int, limit: int) -> dict[str, list[str]]:
        """Returns the texts of `held_out` by language."""
        return {g.language: list(g.texts) for g in self.held_out(split, limit)}

    def validation(self) -> list[LabelledSet]:
        """Returns the validation sentences whose labels may decide."""
        limit = self._config.training.validation_pairs
        known = visible_languages(self.corpus, self._config.labels)
        if len(known) == 1:
            # One language must do for all.
            limit *= len(self.corpus.languages)
        sets = [g for g in self.held_out(VALIDATION, limit) if g.language in known]
        if not sets:
            raise BabeletError(
                f"No validation sentence has a label in {' '.join(known)}",
                expected="a class with three templates or more",
                remedy="add labelled text, or set labels.setting=supervised",
            )
        return sets

    def training_rows(self, settings: schema.ObjectiveConfig) -> np.ndarray:
        """Returns the sentences to train a student on, int64 (n,).

        Without a teacher a sentence whose label is hidden teaches nothing.
        """
        corpus, left_out = self.corpus, self._config.training.leave_out
        numbers = [corpus.languages.index(name) for name in left_out]
        chosen = corpus.split == TRAIN
        if settings.alpha == 1:
            chosen = self.visible
        return np.flatnonzero(chosen & ~np.isin(corpus.sentence_language, numbers))

    def _build_corpus(self) -> dict:
        config = self._config
        report = build_labelled_corpus(
            config.data,
            config.labels,
            self._path / "corpus",
            cache_folder(),
            config.folds,
        )
        print(format_labelled_counts(report), flush=True)
        if error := too_little_labelled(report, config.labels):
            raise error
        with atomic_path(self._path / LABELS) as path:
            path.write_text("\n".join(report.classes) + "\n", "utf-8")
        return {"counts": report.counts, "rejected": report.rejected}

    def _training_sentences(self) -> Iterator[tuple[str, str]]:
        corpus = self.corpus
        for row in np.flatnonzero(corpus.split == TRAIN).tolist():
            language = corpus.languages[corpus.sentence_language[row]]
            yield language, corpus.sentences[row]
