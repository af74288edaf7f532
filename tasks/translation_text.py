"""The text of a translator's run: its pairs, what is read beside them, its tokens."""

import functools
from collections.abc import Callable, Sequence
from functools import cached_property
from itertools import chain

import keras
import numpy as np

from babelet.data.context_store import EncodeTokens
from babelet.data.corpus import Corpus
from babelet.data.recombination import MOST_WORDS
from babelet.data.splits import VALIDATION
from babelet.data.tokenizer import Tokenizer
from babelet.data.tokens import TokenStore
from babelet.data.translation_batches import TranslationBatches
from babelet.evaluation.translation import score
from babelet.tasks.next_token import keras_translate
from babelet.tasks.parallel_text import ParallelText
from babelet.tasks.translation_sources import Additions, additions_to, text_lookup
from babelet.training.loop import TrainingData
from babelet.training.steps import Step
from babelet.training.student_vocabulary import StudentVocabulary
from babelet.training.workdir import Workdir

SOURCES = "sources"
# Of the validation, by which the best step is chosen.
METRICS = ("bleu", "chrf", "exact")


class TranslationText:
    """Opens the parallel text, and numbers what is read beside it."""

    def __init__(self, workdir: Workdir) -> None:
        """Takes the run's folder."""
        self._path, self._config = workdir.path, workdir.config
        self._pairs = ParallelText(workdir, pairs_only=True)
        self._vocabulary = StudentVocabulary(
            workdir, self._pairs.training_sentences, lambda: self.corpus.sentences
        )

    @property
    def corpus(self) -> Corpus:
        """The cleaned and split text."""
        return self._pairs.corpus

    @property
    def tokenizer(self) -> Tokenizer:
        """Of both languages."""
        return self._vocabulary.tokenizer

    def steps(self) -> list[Step]:
        """Returns the steps from text to the token ids of all sources."""
        found = [self._pairs.step(), *self._vocabulary.steps()]
        if self.additions_named:
            found.append(
                Step(
                    SOURCES,
                    self._write_sources,
                    reads=("tokens",),
                    beside=lambda: self.additions_named,
                    leaves=(SOURCES,),
                )
            )
        return found

    def training_sources(self) -> np.ndarray:
        """Returns the sentences to be translated, those alone among them, int (n,)."""
        ids = self._pairs.training_pivots()
        return ids[np.asarray(self.corpus.sentence_language)[ids] == 0]

    @cached_property
    def additions(self) -> Additions:
        """What is read beside the corpus."""
        pairs, sources = self._pairs.training_pairs(), self.training_sources()
        return additions_to(self.corpus, pairs, sources, self._config.translation)

    def translated_pairs(self) -> np.ndarray:
        """Returns int32 (n, 2), all texts whose translation a person wrote."""
        pairs = self._pairs.training_pairs()
        return np.concatenate([pairs, self.additions.renamed_pairs])

    def source_rows(self) -> list[int]:
        """Returns the numbers of all that the teacher reads."""
        renamed = self.additions.renamed_pairs[:, 0].tolist()
        known = self.training_sources().tolist()
        return [*known, *renamed, *self.additions.recombined_rows]

    @property
    def sources(self) -> TokenStore:
        """Token ids of the corpus and of what is read beside it."""
        if not self.additions_named:
            return self._vocabulary.tokens
        return TokenStore(self._path / SOURCES)

    @property
    def source_text(self) -> Callable[[int], str]:
        """A function of a row of `sources` to its text."""
        return text_lookup(self.corpus, self.additions.texts)

    @property
    def additions_named(self) -> dict:
        """What the additions depend on beside the corpus, as JSON values."""
        settings, named = self._config.translation, {}
        if settings.renamed:
            named["renamed"] = settings.renamed
        if settings.recombined:
            named["recombined"] = [settings.recombined, MOST_WORDS]
        return named

    def _write_sources(self, identity: str) -> dict:
        added, sentences = self.additions, self.corpus.sentences
        texts = (sentences[i] for i in range(len(sentences)))
        folder = self._path / SOURCES
        TokenStore.build(self.tokenizer, chain(texts, added.texts), folder, identity)
        return {"renamed": len(added.renamed), "recombined": len(added.recombined)}

    def held_out(self, split: int, limit: int) -> tuple[list[str], list[str], list]:
        """Returns sources, references and whether each has a near neighbour."""
        for group in self._pairs.held_out(split, limit):
            near = group.near if group.near is not None else []
            return list(group.pivot_texts), list(group.texts), list(near)
        return [], [], []

    def training_data(
        self, batches: TranslationBatches, encode_tokens: EncodeTokens | None = None
    ) -> TrainingData:
        """Returns batches with the scores on the validation split beside them.

        Args:
            batches: Of rows of `sources`.
            encode_tokens: The encoder whose vectors the model reads as its context.
        """
        text = self.source_text
        return TrainingData(
            batches,
            lambda step: [repr(text(i)) for i, _ in batches.pairs_of(step)],
            self._validation(encode_tokens),
        )

    def _validation(
        self, encode_tokens: EncodeTokens | None
    ) -> Callable[[keras.Model], dict[str, float]]:
        limit = self._config.training.validation_pairs
        sources, references, _ = self.held_out(VALIDATION, limit)
        language = self.corpus.languages[1]
        if encode_tokens is not None:
            encode_tokens = asked_once(encode_tokens)
        # One graph for all validations of a training.
        opened = functools.lru_cache(maxsize=1)(
            lambda model: keras_translate(
                model, self.tokenizer, encode_tokens=encode_tokens
            )
        )

        def validate(model: keras.Model) -> dict[str, float]:
            found = score(sources, references, opened(model)(sources), language)
            return {name: found[name] for name in METRICS}

        return validate


def asked_once(encode_tokens: EncodeTokens) -> EncodeTokens:
    """Returns it with a memory: a training validates on the same texts every time."""
    known: dict[str, np.ndarray] = {}

    def remembered(texts: Sequence[str]) -> list[np.ndarray]:
        absent = [text for text in dict.fromkeys(texts) if text not in known]
        if absent:
            known.update(zip(absent, encode_tokens(absent), strict=True))
        return [known[text] for text in texts]

    return remembered
