"""Which pairs of a translator's corpus are for what."""

import functools
from collections.abc import Callable, Sequence
from functools import cached_property

import keras
import numpy as np

from babelet.data.context_store import EncodeTokens
from babelet.data.recombination import MOST_WORDS
from babelet.data.splits import TRAIN, VALIDATION
from babelet.data.tokens import TokenStore
from babelet.evaluation.translation import score
from babelet.tasks.translation import keras_translate
from babelet.training.prepared_text import PreparedText
from babelet.training.translation_sources import Additions, additions_to, text_lookup

# Of the validation, by which the best step is chosen.
METRICS = ("bleu", "chrf", "exact")


class PreparedPairs(PreparedText):
    """Opens the parallel text of a translator's run."""

    def training_pairs(self) -> np.ndarray:
        """Returns int32 (n, 2), without the sentences that have no translation."""
        pairs = self.corpus.pairs[self.corpus.pair_split == TRAIN]
        return pairs[pairs[:, 0] != pairs[:, 1]]

    def training_sources(self) -> np.ndarray:
        """Returns the sentences to be translated, those alone among them, int (n,)."""
        ids = np.unique(self.corpus.pairs[self.corpus.pair_split == TRAIN][:, 0])
        return ids[np.asarray(self.corpus.sentence_language)[ids] == 0]

    @cached_property
    def additions(self) -> Additions:
        """What is read beside the corpus."""
        pairs, sources = self.training_pairs(), self.training_sources()
        return additions_to(self.corpus, pairs, sources, self._config.translation)

    def translated_pairs(self) -> np.ndarray:
        """Returns int32 (n, 2), all texts whose translation a person wrote."""
        return np.concatenate([self.training_pairs(), self.additions.renamed_pairs])

    @property
    def sources(self) -> TokenStore:
        """Token ids of the corpus and of what is read beside it."""
        if not self.additions_named:
            return self.tokens
        return TokenStore(self._path / "sources")

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

    def held_out(self, split: int, limit: int) -> tuple[list[str], list[str], list]:
        """Returns sources, references and whether each has a near neighbour."""
        corpus = self.corpus
        pairs = corpus.pairs_of(split, corpus.languages[1], limit)
        near = np.unique(corpus.pairs[corpus.pair_near][:, 0])
        return (
            corpus.sentences.texts(pairs[:, 0]),
            corpus.sentences.texts(pairs[:, 1]),
            np.isin(pairs[:, 0], near).tolist(),
        )

    def validation(
        self, encode_tokens: EncodeTokens | None = None
    ) -> Callable[[keras.Model], dict[str, float]]:
        """Returns a function of a model to its scores on the validation split.

        Args:
            encode_tokens: The encoder whose vectors the model reads as its context.
        """
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
