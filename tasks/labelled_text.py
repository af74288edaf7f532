"""Labelled text of a run: its corpus, which labels it may see, what is held out."""

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any

import keras
import numpy as np

from babelet.core.atomic import atomic_path
from babelet.core.errors import BabeletError
from babelet.data.build_labelled_corpus import build_labelled_corpus
from babelet.data.class_names import LABELS
from babelet.data.download import cache_folder
from babelet.data.enough_text import too_little_labelled
from babelet.data.label_visibility import (
    label_weights,
    visibility_warnings,
    visible_labels,
    visible_languages,
)
from babelet.data.labelled_batches import LabelledBatches
from babelet.data.labelled_corpus import (
    LabelledCorpus,
    class_warnings,
    format_labelled_counts,
)
from babelet.data.sources import labelled_files, parallel_files
from babelet.data.splits import TRAIN, VALIDATION
from babelet.evaluation.classification import LabelledSet
from babelet.model.label_batch import ANSWERS, decide_class
from babelet.model.objective import Outcome
from babelet.tasks.parallel_text import CORPUS
from babelet.training.steps import FINGERPRINT, Step
from babelet.training.workdir import Workdir

_INPUTS = ("token_ids", "padding_mask")


class LabelledText:
    """Builds the corpus of labelled sentences, and takes sentences from it."""

    def __init__(self, workdir: Workdir) -> None:
        """Takes the run's folder."""
        self._path, self._config = workdir.path, workdir.config

    @cached_property
    def corpus(self) -> LabelledCorpus:
        """The cleaned and split text."""
        return LabelledCorpus(self._path / CORPUS)

    @cached_property
    def visible(self) -> np.ndarray:
        """Training sentences whose label may be used, bool (sentences,)."""
        return visible_labels(self.corpus, self._config.labels)

    @cached_property
    def weights(self) -> np.ndarray:
        """The hard labels' weights, float32 (sentences,), 0 where hidden."""
        balanced = self._config.labels.class_weights == "balanced"
        return label_weights(self.corpus, self.visible, balanced)

    def step(self) -> Step:
        """Returns the step "corpus"."""
        folds = ("settings.folds",) if self._config.folds.count else ()
        made = ("settings.labels.classes", "settings.labels.sentences_per_template")
        return Step(
            CORPUS,
            self._build,
            reads=("settings.data", *made, *folds),
            but=("settings.data.files",),
            beside=self._files,
            leaves=(CORPUS, LABELS),
            after=self.warnings,
        )

    def warnings(self) -> list[str]:
        """Returns what is odd about the classes and their labels."""
        found = class_warnings(self.corpus.report)
        return found + visibility_warnings(self.corpus, self.visible)

    def _files(self) -> dict[str, Any]:
        data = self._config.data
        if not data.files:
            return {}
        return {"files": parallel_files.digests(labelled_files.as_parallel(data))}

    def _build(self, _: str) -> dict:
        config = self._config
        report = build_labelled_corpus(
            config.data,
            config.labels,
            self._path / CORPUS,
            cache_folder(),
            config.folds,
        )
        print(format_labelled_counts(report), flush=True)
        if error := too_little_labelled(report, config.labels):
            raise error
        with atomic_path(self._path / LABELS) as path:
            path.write_text("\n".join(report.classes) + "\n", "utf-8")
        return {
            FINGERPRINT: self.corpus.fingerprint,
            "counts": report.counts,
            "rejected": report.rejected,
        }

    def held_out(self, split: int, limit: int) -> list[LabelledSet]:
        """Returns up to `limit` sentences a language of a split."""
        corpus, sets = self.corpus, []
        for language in corpus.languages:
            rows = corpus.rows_of(split, language, limit)
            if len(rows):
                texts = corpus.sentences.texts(rows)
                sets.append(LabelledSet(language, texts, corpus.labels[rows]))
        return sets

    def validation_texts(self) -> dict[str, list[str]]:
        """Returns validation sentences by language."""
        groups = self.held_out(VALIDATION, self._config.training.validation_pairs)
        return {group.language: list(group.texts) for group in groups}

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

    def training_rows(self) -> np.ndarray:
        """Returns the sentences to train a student on, int64 (n,).

        Without a teacher a sentence whose label is hidden teaches nothing.
        """
        corpus, left_out = self.corpus, self._config.training.leave_out
        numbers = [corpus.languages.index(name) for name in left_out]
        chosen = corpus.split == TRAIN
        if self._config.objective.alpha == 1:
            chosen = self.visible
        return np.flatnonzero(chosen & ~np.isin(corpus.sentence_language, numbers))

    def training_sentences(self) -> Iterator[tuple[str, str]]:
        """Yields language and text of each sentence to train on."""
        corpus = self.corpus
        for row in np.flatnonzero(corpus.split == TRAIN).tolist():
            language = corpus.languages[corpus.sentence_language[row]]
            yield language, corpus.sentences[row]


def decide_labelled(student: keras.Model, batch: dict, training: bool) -> Outcome:
    """Returns one decision a sentence, among the classes.

    Args:
        student: Token ids to logits (batch, classes).
        batch: As `LabelledBatches.batch` makes it.
        training: Whether dropout is on.
    """
    inputs = {name: batch[name] for name in _INPUTS}
    answers = {name: batch[name] for name in ANSWERS if name in batch}
    return decide_class(student, (inputs, answers), training)


def readable_rows(
    batches: LabelledBatches, text_of: Callable[[int], str]
) -> Callable[[int], list[str]]:
    """Returns a function from a step to the sentences of its batch.

    Args:
        batches: Of sentence ids.
        text_of: Sentence id to text.
    """
    return lambda step: [repr(text_of(i)) for i in batches.sentences_of(step)]
