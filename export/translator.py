"""Translations from an exported file, with no TensorFlow to install or load.

    translator = Translator("runs/translate_smart_home/export/student_int8.tflite")
    texts = translator.translate(["Turn off the light."])

Needs what `export.runtime` needs.
"""

import os
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from babelet.core.errors import BabeletError
from babelet.export.litert_translate import LiteRTTranslator
from babelet.export.metadata import read_metadata
from babelet.export.runtime import checked, loading, model_file, tokenizer_for


class Translator:
    """An exported translator: texts in, their translations out.

    Any text is allowed, as for `Embedder`; the translation of an empty one is empty.
    Threads may share a Translator: they wait for each other.

    Attributes:
        metadata: What the file says of itself.
    """

    def __init__(
        self,
        model: str | os.PathLike,
        tokenizer: str | os.PathLike | None = None,
        num_threads: int = 1,
    ) -> None:
        """Loads the model and its tokenizer; arguments and errors as `Embedder`."""
        model = model_file(Path(model))
        with loading(model):
            self.metadata = read_metadata(model)
            self._tokenizer = tokenizer_for(model, tokenizer, self.metadata)
            if "decoding" not in self.metadata:
                raise BabeletError(
                    f"{model} is no translator",
                    expected="the export of a run with task=translation",
                    received=f"metadata of {', '.join(self.metadata)}",
                    remedy="give such a file, or use Embedder for this one",
                )
            self._model = LiteRTTranslator(
                model, self._tokenizer, self.metadata["decoding"], num_threads
            )
        self._lock = threading.Lock()
        self._tokens, self._seconds = 0, 0.0

    @property
    def tokens_per_second(self) -> float:
        """Tokens of the translations over the time they took, so far."""
        return self._tokens / self._seconds if self._seconds else 0.0

    def translate(
        self,
        texts: Sequence[str],
        beams: int = 1,
        on_text: Callable[[str], None] | None = None,
    ) -> list[str]:
        """Returns the translations of N texts.

        Args:
            texts: A list of str.
            beams: 1 is greedy search, with its loop inside the file; more are
                searched from outside, some times as slow and a little better.
            on_text: Called after each token with the translation so far.

        Raises:
            TypeError: `texts` is a string itself, or holds something else.
        """
        texts = checked(texts)
        with self._lock:
            started = time.perf_counter()
            found = [
                self._translated(row, beams, on_text)
                for row in self._tokenizer.encode(texts)
            ]
            self._seconds += time.perf_counter() - started
            self._tokens += sum(map(len, found))
        return self._tokenizer.decode(found)

    def _translated(
        self, ids: list[int], beams: int, on_text: Callable[[str], None] | None
    ) -> list[int]:
        if beams == 1 and on_text is None:
            return self._model.greedy(ids)

        def tell(tokens: list[int]) -> None:
            if on_text:
                on_text(self._tokenizer.decode([tokens])[0])

        return self._model.search(ids, beams, on_tokens=tell)
