"""The gate of a translator's files: the student's translations.

A float32 file has to be equal; an int8 file may lose `export.max_bleu_loss` of BLEU.
"""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from tqdm import tqdm

from babelet.evaluation.translation import score
from babelet.export.task_export import Artefact, Gate, Rebuilt, Texts, failure
from babelet.model.decoding import Vocabulary
from babelet.model.translation import translate

# Of the sentences, how many have the same tokens in fp32; where they differ, the two
# tokens' logits may by TIE: the order of a sum decides between them.
SAME, TIE = 0.995, 1e-4
# Lines of golden.jsonl.
_GOLDEN = 100


class TranslationGate(Gate):
    """Compares greedy translations with those of the student in float32."""

    def __init__(self, built: Rebuilt, texts: Texts) -> None:
        """Takes the student and pairs of one language: source and reference."""
        ((self._language, pairs),) = texts.items()
        self._sources, self._references = map(list, zip(*pairs, strict=True))
        self._built = built
        self._ids = built.tokenizer.encode(self._sources)
        self._expected = _keras(built, self._ids)
        self._texts = built.tokenizer.decode(self._expected)
        self.metrics = {"bleu": self._bleu(self._expected)}
        self.judged_texts = len(self._sources)
        # By path, the tokens of a LiteRT file and the median time of a sentence.
        self._found: dict[Path, tuple[list[list[int]], float]] = {}

    def facts(self) -> dict[str, Any]:
        """Returns how many texts there are."""
        return {"texts": len(self._sources), "languages": 1}

    def judge(self, artefact: Artefact, path: Path) -> tuple[dict[str, Any], list[str]]:
        """Compares BLEU."""
        tokens, milliseconds = self._tokens(artefact, path)
        bleu, student = self._bleu(tokens), self.metrics["bleu"]
        lowest, reasons = student - self._built.config.export.max_bleu_loss, []
        if bleu < lowest:
            reasons.append(
                f"BLEU {bleu:.2f} where the student has {student:.2f}, of at least "
                f"{lowest:.2f} by export.max_bleu_loss"
            )
        figures = {"same": self._same(tokens), "metrics": {"bleu": bleu}}
        return figures | {"median_ms": milliseconds}, reasons

    def compare(self, artefact: Artefact, path: Path, forced: bool) -> dict[str, Any]:
        """Compares texts of a SavedModel, tokens of a LiteRT file."""
        if path.is_dir():
            texts = artefact.open(path, self._built.tokenizer, 64, 1)(self._sources)
            pairs = zip(texts, self._texts, strict=True)
            same = float(np.mean([found == own for found, own in pairs]))
            if same < SAME:
                raise _other(artefact.name, f"{SAME:.1%} of the sentences", same)
            return {"same": same}
        tokens, _ = self._tokens(artefact, path)
        row = {"same": self._same(tokens)}
        if artefact.tier == "fp32":
            row["largest_tie"] = self._largest_tie(tokens)
            if row["same"] < SAME or row["largest_tie"] > TIE:
                wanted = f"{SAME:.1%} of the sentences, the others by ties within {TIE}"
                ties = f", ties within {row['largest_tie']:.2g}"
                raise _other(artefact.name, wanted, row["same"], ties)
        del forced  # Other precisions are judged by their BLEU.
        bleu = {"bleu": self._bleu(tokens), "bleu_keras": self.metrics["bleu"]}
        return row | bleu

    def golden(self) -> list[dict[str, Any]]:
        """Returns the first sentences with their tokens and translations."""
        columns = ("text", "token_ids", "translation_ids", "translation")
        parts = (self._sources, self._ids, self._expected, self._texts)
        return [
            dict(zip(columns, row, strict=True))
            for row in list(zip(*parts, strict=True))[:_GOLDEN]
        ]

    def shown(self, row: Mapping[str, Any]) -> str:
        """Returns the share of equal translations, and BLEU."""
        text, bleu = f"same translation {row['same']:.2%}", row.get("bleu")
        bleu = row["metrics"]["bleu"] if "metrics" in row else bleu
        return text if bleu is None else f"{text}, BLEU {bleu:.2f}"

    def _tokens(self, artefact: Artefact, path: Path) -> tuple[list[list[int]], float]:
        """Returns a LiteRT file's translations, made once, and ms a sentence."""
        if path not in self._found:
            run = artefact.open(path, self._built.tokenizer, 1, 1)
            tokens, times = [], []
            for text in tqdm(self._sources, desc=path.name):
                start = time.perf_counter()
                tokens += run([text])
                times.append(time.perf_counter() - start)
            self._found[path] = tokens, float(1e3 * np.median(times))
        return self._found[path]

    def _bleu(self, tokens: list[list[int]]) -> float:
        texts = self._built.tokenizer.decode(tokens)
        return score(self._sources, self._references, texts, self._language)["bleu"]

    def _same(self, tokens: list[list[int]]) -> float:
        pairs = zip(tokens, self._expected, strict=True)
        return float(np.mean([found == own for found, own in pairs]))

    def _largest_tie(self, tokens: list[list[int]]) -> float:
        rows = zip(self._ids, self._expected, tokens, strict=True)
        ties = [_tie(self._built, *row) for row in rows if row[1] != row[2]]
        return max(ties, default=0.0)


def _keras(built: Rebuilt, ids: list[list[int]]) -> list[list[int]]:
    """Returns the student's own greedy translations, as ids."""
    tokenizer, found = built.tokenizer, []
    vocabulary = Vocabulary(tokenizer.vocabulary_size, *tokenizer.special_ids)
    run = tf.function(
        lambda token_ids, mask: translate(built.student, token_ids, mask, vocabulary),
        reduce_retracing=True,
    )
    for row in tqdm(ids, desc="Keras"):
        # One at a time, as the files: a batch's padding changes the last bits.
        token_ids = tf.constant([row], tf.int32)
        written, lengths = run(token_ids, tf.ones_like(token_ids, tf.bool))
        found.append(written[0, : int(lengths[0])].numpy().tolist())
    return found


def _tie(
    built: Rebuilt, source: list[int], expected: list[int], found: list[int]
) -> float:
    """Returns how far the student's logits of the first different tokens differ."""
    eos = built.tokenizer.eos_id
    a, b = [*expected, eos], [*found, eos]
    place = next(i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y)
    token_ids = tf.constant([source], tf.int32)
    inputs = {
        "token_ids": token_ids,
        "padding_mask": tf.ones_like(token_ids, tf.bool),
        "target_ids": tf.constant([[built.tokenizer.bos_id, *a[:place]]], tf.int32),
    }
    logits = built.student(inputs)[0, -1].numpy()
    return float(abs(logits[a[place]] - logits[b[place]]))


def _other(name: str, expected: str, same: float, ties: str = "") -> Exception:
    return failure(
        f"{name} does not translate as the student does",
        expected,
        f"{same:.2%}{ties}",
    )
