"""Texts in, translations out, through a SavedModel."""

from collections.abc import Sequence
from pathlib import Path

import tensorflow as tf
import tensorflow_text  # noqa: F401  Registers the operations the SavedModel needs.

from babelet.core.by_length import by_length
from babelet.data.tokenizer import valid_unicode
from babelet.evaluation.translation import Translate
from babelet.export.metadata import require_whole_saved_model

_ROWS = 64


def saved_model_translate(folder: Path) -> Translate:
    """Returns `translate` over a SavedModel's signature `serving_default`."""
    require_whole_saved_model(folder)
    loaded = tf.saved_model.load(str(folder))
    signature = loaded.signatures["serving_default"]
    # A signature does not keep its model alive.
    signature._babelet_owner = loaded

    def translate(texts: Sequence[str]) -> list[str]:
        # Shortest first: a batch decodes as many steps as its longest row needs.
        translations = [""] * len(texts)
        for rows in by_length([len(text) for text in texts], rows=_ROWS):
            given = tf.constant([valid_unicode(texts[row]) for row in rows])
            found = signature(text=given)["translation"].numpy()
            for row, text in zip(rows, found, strict=True):
                translations[row] = text.decode("utf-8")
        return translations

    return translate
