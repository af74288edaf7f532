"""What every preparation leaves in a run's folder: text, a tokenizer and token ids."""

import json
from functools import cached_property

import numpy as np

from configs.schema import Config
from data.corpus import Corpus
from data.tokenizer import Tokenizer
from data.tokens import TokenStore
from training.workdir import Workdir


class PreparedText:
    """Opens what the preparing steps left."""

    def __init__(self, workdir: Workdir) -> None:
        """Takes the run's folder; no step is done yet."""
        self._workdir = workdir
        self._path = workdir.path
        self._config: Config = workdir.config

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
