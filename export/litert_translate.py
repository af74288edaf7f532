"""Token ids of a sentence to those of its translation, through a LiteRT file.

No TensorFlow. `LiteRTTranslator.greedy` runs the loop inside the file; `search` steps
through it from outside, which beam search and streaming need, and keeps the same two
promises: a limited length, and no run of tokens more than `copies` times in a row.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from babelet.data.tokenizer import Tokenizer
from babelet.export.litert_predict import opened

FORBIDDEN = -1e9


class LiteRTTranslator:
    """A translator's LiteRT file, on the CPU with XNNPACK."""

    def __init__(
        self,
        path: Path,
        tokenizer: Tokenizer,
        decoding: dict[str, int],
        num_threads: int = 1,
    ) -> None:
        """Loads the file.

        Args:
            path: As `export.translator_signatures` writes it.
            tokenizer: Of both languages.
            decoding: From the file's metadata: "copies", "factor" and "extra".
            num_threads: Processor cores.

        Raises:
            BabeletError: The file is damaged, or no translator.
        """
        interpreter = opened(path, num_threads)
        names = ("serving_default", "encode", "decode_step")
        runners = [interpreter.get_signature_runner(name) for name in names]
        self._whole, self._encode, self._step = runners
        self._tokenizer = tokenizer
        self._decoding = decoding
        details = self._step.get_input_details()
        self._caches = {
            name: tuple(detail["shape_signature"][1:])
            for name, detail in details.items()
            if name.startswith("cache_")
        }

    def greedy(self, token_ids: Sequence[int]) -> list[int]:
        """Returns the translation's ids for [bos, pieces..., eos]."""
        found = self._whole(token_ids=np.array([token_ids], np.int32))
        return found["translation_ids"][0, : int(found["length"][0])].tolist()

    def search(
        self,
        token_ids: Sequence[int],
        beams: int = 1,
        length_penalty: float = 1.0,
        on_tokens: Callable[[list[int]], None] = lambda tokens: None,
    ) -> list[int]:
        """Returns the translation's ids by beam search; 1 beam is greedy search.

        Args:
            token_ids: [bos, pieces..., eos].
            beams: Translations followed side by side.
            length_penalty: As in `model.beam_search`.
            on_tokens: Called at each step with the best translation so far.
        """
        limit = self._limit(len(token_ids) - 2)
        source = self._encode(token_ids=np.array([token_ids], np.int32))
        beam = _Beam([], 0.0, False)
        alive = [beam]
        cache: dict[str, Any] = {
            name: np.zeros((1, *shape), np.float32)
            for name, shape in self._caches.items()
        }
        for position in range(limit + 1):
            running = [each for each in alive if not each.done]
            if not running or not limit:
                break
            last = [(each.tokens or [self._tokenizer.bos_id])[-1] for each in running]
            found = self._step(
                token_ids=np.array(last, np.int32),
                position=np.array(position, np.int32),
                **source,
                **cache,
            )
            logits = found.pop("logits")
            grown = [each for each in alive if each.done]
            for row, each in enumerate(running):
                grown += self._grown(each, row, logits[row], beams, limit)
            grown.sort(key=lambda each: -each.score(length_penalty))
            alive = grown[:beams]
            rows = [each.row for each in alive if not each.done]
            cache = {name: value[rows] for name, value in found.items()}
            on_tokens(alive[0].tokens)
        return alive[0].tokens

    def _limit(self, pieces: int) -> int:
        if not pieces:
            return 0
        limit = self._decoding["factor"] * pieces + self._decoding["extra"]
        return min(limit, self._tokenizer.max_length - 1)

    def _grown(
        self, beam: "_Beam", row: int, logits: np.ndarray, beams: int, limit: int
    ) -> list["_Beam"]:
        """Returns the best continuations of one beam."""
        special = self._tokenizer
        logits = logits.astype(np.float64)
        logits[[special.pad_id, special.bos_id, special.unk_id]] = FORBIDDEN
        logits[forbidden(beam.tokens, self._decoding["copies"])] = FORBIDDEN
        logs = logits - logits.max()
        logs -= np.log(np.exp(logs).sum())
        best = np.argsort(-logs, kind="stable")[:beams]
        if len(beam.tokens) >= limit:
            best = np.array([special.eos_id])
        return [
            _Beam(beam.tokens, beam.total + logs[token], True, row)
            if token == special.eos_id
            else _Beam([*beam.tokens, int(token)], beam.total + logs[token], False, row)
            for token in best
        ]


class _Beam(NamedTuple):
    """A translation begun: its tokens, their log-probability, whether it has ended."""

    tokens: list[int]
    total: float
    done: bool
    # Its row in the step that made it.
    row: int = 0

    def score(self, length_penalty: float) -> float:
        """Returns its log-probability by length, the end token counted."""
        return self.total / (len(self.tokens) + self.done) ** length_penalty


def forbidden(tokens: Sequence[int], copies: int) -> list[int]:
    """Returns the tokens that would complete one copy too many of what was last said.

    `forbidden([5, 6, 6, 6], copies=3) == [6]`.
    """
    found = []
    for size in range(1, (len(tokens) + 1) // (copies + 1) + 1):
        repeated = copies * size - 1
        if list(tokens[-repeated:]) == list(tokens[-repeated - size : -size]):
            found.append(tokens[-size])
    return found
