"""What every preparation leaves in a run's folder: text, a tokenizer and token ids."""

import json
from functools import cached_property

import numpy as np

from babelet.data.corpus import Corpus
from babelet.data.tokenizer import Tokenizer
from babelet.data.tokens import TokenStore
from babelet.training.teacher_cache import TeacherCache
from babelet.training.workdir import Workdir


class PreparedText:
    """Opens what the preparing steps left."""

    def __init__(self, workdir: Workdir) -> None:
        """Takes the run's folder; no step is done yet."""
        self._workdir = workdir
        self._path = workdir.path
        self._config = workdir.config

    @cached_property
    def corpus(self) -> Corpus:
        """The cleaned and split text."""
        return Corpus(self._path / "corpus")

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """The student's."""
        return Tokenizer(
            self._path / "tokenizer.model", self._config.student.max_length
        )

    @cached_property
    def tokens(self) -> TokenStore:
        """Token ids of every sentence of the corpus."""
        return TokenStore(self._path / "tokens")

    def _tokenize(self, inputs: dict) -> dict:
        """Writes the token ids, named by all that they depend on."""
        sentences = self.corpus.sentences
        store = TokenStore.build(
            self.tokenizer,
            (sentences[i] for i in range(len(sentences))),
            self._path / "tokens",
            json.dumps(inputs, sort_keys=True),
        )
        mean = float(np.mean(store.lengths))
        return {"sentences": len(store), "mean_tokens": round(mean, 2)}

    def _forget_if_lost(self, step: str, count: str, cache: TeacherCache) -> None:
        """Lets a teacher's step be done again where vectors of it are damaged.

        Args:
            step: Its name.
            count: The name, among its facts, of how many there were.
            cache: Where they are.
        """
        done = self._workdir.manifest["steps"].get(step)
        lost = done["facts"][count] - len(cache) if done else 0
        if lost > 0:
            print(
                f"warning: {lost:,} {count} of the teacher are damaged or missing and "
                "are computed again",
                flush=True,
            )
            self._workdir.forget(step)
