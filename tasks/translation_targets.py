"""What a trained teacher says and believes, on disk, for the student to learn from.

Its translations are texts, one source and one translation a line (sequence-level
distillation, Kim & Rush 2016, section 3.2). Its beliefs are the probabilities of its
favourite tokens at each position of each target (word-level, section 3.1): computed
once they cost one forward pass of the teacher, computed live one for every epoch.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf
from tqdm import tqdm

from babelet.configs.record import digest
from babelet.core.atomic import atomic_path
from babelet.core.checksums import require_seal, seal
from babelet.data.context_store import ContextStore
from babelet.data.reserved_array import reserved_array
from babelet.data.tokens import TokenStore
from babelet.data.translation_batches import SoftTargets, laid_out
from babelet.evaluation.translation import Translate
from babelet.model.candidates import named_and_rest
from babelet.model.encoder_decoder import EncoderDecoder

# Texts translated between two saves.
_PART = 1024
_ROWS = 64
_TOKENS, _BELIEFS = "tokens.npy", "log_probabilities.npy"


def translate_all(
    translate: Translate, texts: Sequence[str], folder: Path
) -> list[str]:
    """Returns the translation of each text, from `folder` as far as it is there.

    Killed meanwhile, it goes on after the last part that was saved.

    Args:
        translate: Texts to translations.
        texts: The same at every call for this folder.
        folder: Of this teacher and these texts alone.
    """
    found: list[str] = []
    told = "Teacher's translations"
    with tqdm(total=len(texts), desc=told, unit=" texts") as progress:
        for start in range(0, len(texts), _PART):
            sources = texts[start : start + _PART]
            path = folder / f"{start // _PART:05}.json"
            part = _saved(path, len(sources))
            if part is None:
                part = translate(sources)
                _save(path, part)
            found += part
            progress.update(len(sources))
    return found


def _save(path: Path, part: list[str]) -> None:
    content = json.dumps(part, ensure_ascii=False, indent=0)
    with atomic_path(path) as partial:
        partial.write_text(f"{digest(content)}\n{content}", "utf-8")


def _saved(path: Path, count: int) -> list[str] | None:
    """Returns the translations of a part; None if it is not there, or damaged."""
    try:
        checksum, _, content = path.read_bytes().decode("utf-8").partition("\n")
    except (FileNotFoundError, UnicodeDecodeError):
        return None
    part = json.loads(content) if checksum == digest(content) else []
    return part if len(part) == count else None


def write_beliefs(
    teacher: EncoderDecoder,
    sources: TokenStore,
    targets: TokenStore,
    pairs: np.ndarray,
    count: int,
    folder: Path,
    context: ContextStore | None = None,
) -> None:
    """Writes the teacher's beliefs at each position of each target, whole or not.

    Args:
        teacher: In any precision.
        sources: Token ids of the source sentences.
        targets: Token ids of the targets.
        pairs: int32 (n, 2), rows of both; each row of `targets` once.
        count: Tokens told apart at each position, beside the true one.
        folder: Replaced if it is there.
        context: What the teacher reads beside `sources`; None for none.
    """
    believe = belief_function(teacher, count)
    positions = int(targets.lengths.sum())
    lengths = np.maximum(sources.lengths[pairs[:, 0]], targets.lengths[pairs[:, 1]])
    order = np.argsort(lengths, kind="stable")
    with atomic_path(folder) as partial:
        partial.mkdir()
        tokens = reserved_array(partial / _TOKENS, np.uint16, (positions, count))
        beliefs = reserved_array(partial / _BELIEFS, np.float16, (positions, count + 2))
        progress = tqdm(
            range(0, len(order), _ROWS), desc="Teacher's beliefs", unit=" batches"
        )
        for start in progress:
            rows = pairs[order[start : start + _ROWS]]
            batch = laid_out(sources, targets, rows[:, 0], rows[:, 1])
            inputs = _forward_inputs(batch)
            if context is not None:
                inputs |= context.padded(rows[:, 0])
            favourites, values = believe(inputs, batch["labels"])
            used = batch["weight"] > 0
            places = targets.starts[rows[:, 1], None] + np.arange(used.shape[1])
            tokens[places[used]] = favourites.numpy()[used]
            beliefs[places[used]] = values.numpy()[used]
        tokens.flush()
        beliefs.flush()
        seal(partial)


def open_beliefs(folder: Path, targets: TokenStore) -> SoftTargets:
    """Returns what `write_beliefs` wrote, memory-mapped.

    Raises:
        BabeletError: It is damaged.
    """
    require_seal(folder, remedy=f"delete {folder} and run the command again")
    return SoftTargets(
        targets.starts,
        np.load(folder / _TOKENS, mmap_mode="r"),
        np.load(folder / _BELIEFS, mmap_mode="r"),
    )


def belief_function(teacher: EncoderDecoder, count: int) -> Callable:
    """Returns a function of the model's inputs and labels int32 (B, L).

    It gives int32 (B, L, count), the teacher's favourite tokens but for the label, and
    float32 (B, L, count + 2), the log-probabilities of the label, of those, and of all
    others together.
    """

    @tf.function(reduce_retracing=True)
    def believe(inputs: dict, labels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        logits = tf.cast(teacher(inputs, training=False), tf.float32)
        shape = tf.shape(labels)
        logits = tf.reshape(logits, [-1, teacher.vocabulary_size])
        flat = tf.reshape(labels, [-1, 1])
        own = tf.one_hot(flat[:, 0], teacher.vocabulary_size, -1e9, 0.0)
        _, favourites = tf.math.top_k(logits + own, count)
        named = named_and_rest(logits, tf.concat([flat, favourites], 1))
        values = tf.nn.log_softmax(named)
        return (
            tf.reshape(favourites, [*tf.unstack(shape), count]),
            tf.reshape(values, [*tf.unstack(shape), count + 2]),
        )

    return believe


def merged(
    references: Iterable[tuple[int, str]], translations: Iterable[tuple[int, str]]
) -> tuple[np.ndarray, list[str]]:
    """Returns pairs int32 (n, 2) of source id and target row, and the targets.

    Args:
        references: Source sentence id and its translation by a person.
        translations: The same, by the teacher. One that is empty, or that is also a
            reference of its source, is left out.
    """
    rows = dict.fromkeys(references)
    rows |= dict.fromkeys(pair for pair in translations if pair[1].strip())
    ids = [source for source, _ in rows]
    pairs = np.stack([ids, np.arange(len(ids))], axis=1).astype(np.int32)
    return pairs, [text for _, text in rows]


def _forward_inputs(batch: dict) -> dict:
    return {n: batch[n] for n in ("token_ids", "padding_mask", "target_ids")}
