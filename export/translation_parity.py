"""Proves that a translator's files translate as the Keras student does, in float32.

    python -m export.translation_parity --workdir=runs/translate_smart_home

Run by the export step in a process of its own, before the files are published. It
writes parity.json and golden.jsonl beside them. It fails where a float32 file is not
equal, and removes an int8 file that has lost more BLEU than `export.max_bleu_loss`.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from absl import flags
from tqdm import tqdm

from configs import command
from configs.atomic import atomic_path
from configs.errors import BabeletError
from data.tokenizer import Tokenizer
from evaluation.translation import score
from export.formats import measure
from export.litert_translate import LiteRTTranslator
from export.metadata import read_metadata
from export.new_process import end_with
from export.rebuild import Rebuilt, rebuild_student
from export.translate import saved_model_translate
from export.translation import TEXTS, TIERS
from model.translation import translate
from tasks.translation import vocabulary_of

# Of the sentences, how many have the same tokens in fp32; where they differ, the two
# tokens' logits may by TIE: the order of a sum decides between them.
SAME, TIE = 0.995, 1e-4


def check_parity(workdir: Path, folder: Path) -> dict[str, Any]:
    """Writes parity.json and golden.jsonl into `folder`; returns the former.

    Raises:
        BabeletError: A file does not translate as the student does.
    """
    sources, references = json.loads((workdir / TEXTS).read_text("utf-8"))
    built = rebuild_student(workdir)
    ids = built.tokenizer.encode(sources)
    expected = _keras(built, ids)
    texts = built.tokenizer.decode(expected)
    language = built.config.data.languages[0]
    bleu = score(sources, references, texts, language)["bleu"]
    found = saved_model_translate(folder / "saved_model")(sources)
    rows = {"saved_model": _of_texts(texts, found) | measure(folder / "saved_model")}
    for tier in TIERS:
        path = folder / f"student_{tier}.tflite"
        decoding = read_metadata(path)["decoding"]
        translator = LiteRTTranslator(path, built.tokenizer, decoding)
        tokens = [translator.greedy(row) for row in tqdm(ids, desc=path.name)]
        row = _of_tokens(built, ids, expected, tokens, exact=tier == "fp32")
        texts = built.tokenizer.decode(tokens)
        given = score(sources, references, texts, language)["bleu"]
        row |= {"bleu": given, "bleu_keras": bleu}
        rows[path.name] = row | measure(path)
        lowest = bleu - built.config.export.max_bleu_loss
        if tier == "int8" and given < lowest:
            rows[path.name]["kept"] = False
            path.unlink()
            print(
                f"warning: {path.name} has BLEU {given:.2f}, below {lowest:.2f} "
                "(export.max_bleu_loss): it is not kept"
            )
    result = {"sentences": len(sources), "artefacts": rows}
    with atomic_path(folder / "parity.json") as path:
        path.write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    _write_golden(folder / "golden.jsonl", sources, ids, expected, built.tokenizer)
    return result


def _keras(built: Rebuilt, ids: Sequence[Sequence[int]]) -> list[list[int]]:
    """Returns the student's own greedy translations, as ids."""
    vocabulary, found = vocabulary_of(built.tokenizer), []
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


def _of_texts(expected: list[str], found: list[str]) -> dict[str, Any]:
    same = np.mean([a == b for a, b in zip(expected, found, strict=True)])
    if same < SAME:
        raise _failure("saved_model", f"{SAME:.1%} of the sentences", f"{same:.2%}")
    return {"same": float(same)}


def _of_tokens(
    built: Rebuilt,
    ids: list[list[int]],
    expected: list[list[int]],
    found: list[list[int]],
    exact: bool,
) -> dict[str, Any]:
    """Returns the share of equal translations, and the largest tie among the rest."""
    different = [row for row, own in enumerate(expected) if own != found[row]]
    same = 1 - len(different) / max(len(expected), 1)
    if not exact:
        return {"same": same}
    tie = max(
        (_tie(built, ids[row], expected[row], found[row]) for row in different),
        default=0.0,
    )
    if same < SAME or tie > TIE:
        raise _failure(
            "student_fp32.tflite",
            f"{SAME:.1%} of the sentences, the others by ties within {TIE}",
            f"{same:.2%}, ties within {tie:.2g}",
        )
    return {"same": same, "largest_tie": tie}


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


def _failure(name: str, expected: str, received: str) -> BabeletError:
    return BabeletError(
        f"{name} does not translate as the student does",
        expected=expected,
        received=received,
        consequence="No exported file was kept",
        remedy="report it, with the run's config.json",
    )


def _write_golden(
    path: Path,
    sources: list[str],
    ids: list[list[int]],
    translations: list[list[int]],
    tokenizer: Tokenizer,
) -> None:
    """Writes text, ids, translated ids and translation of some sentences."""
    texts = tokenizer.decode(translations)
    with atomic_path(path) as partial, partial.open("w", encoding="utf-8") as file:
        for row in list(zip(sources, ids, translations, texts, strict=True))[:100]:
            names = ("text", "token_ids", "translation_ids", "translation")
            line = dict(zip(names, row, strict=True))
            file.write(json.dumps(line, ensure_ascii=False) + "\n")


def main(_: list[str]) -> None:
    """Prints one line a file."""
    end_with(flags.FLAGS.parent)
    workdir = Path(flags.FLAGS.workdir)
    result = check_parity(workdir, Path(flags.FLAGS.folder or workdir / "export"))
    for name, row in result["artefacts"].items():
        bleu = f", BLEU {row['bleu']:.2f}" if "bleu" in row else ""
        print(f"{name:22} same translation {row['same']:.2%}{bleu}")


if __name__ == "__main__":
    command.path_flag("workdir", None, "A run whose training is done.", required=True)
    command.path_flag("folder", None, "The files; <workdir>/export if absent.")
    flags.DEFINE_integer("parent", 0, "Process whose end ends this one.")
    command.run(main, verdict=True)
