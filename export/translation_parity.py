"""Proves that a translator's files translate as the Keras student does, in float32.

    python -m babelet.export.translation_parity --workdir=runs/translate_smart_home

Run by the export step in a process of its own, before the files are published. A
float32 file has to be equal; an int8 file may lose `export.max_bleu_loss` of BLEU. It
deletes nothing, and takes nothing from the folder it judges.
"""

import contextlib
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from absl import flags
from tqdm import tqdm

from babelet.core import command
from babelet.core.boundary import boundary
from babelet.core.checksums import file_digest
from babelet.core.errors import BabeletError
from babelet.evaluation.translation import score
from babelet.export.formats import measure
from babelet.export.litert_translate import LiteRTTranslator
from babelet.export.new_process import checking, end_with
from babelet.export.published import WEIGHTS_FILE, require_undamaged_export
from babelet.export.rebuild import WEIGHTS, Rebuilt, describe, rebuild_student
from babelet.export.translate import saved_model_translate
from babelet.export.translation import TIERS, read_texts
from babelet.export.translation_litert import DECODING
from babelet.export.verdict import Verdict, require_metadata
from babelet.model.translation import translate
from babelet.tasks.next_token import vocabulary_of

# Of the sentences, how many have the same tokens in fp32; where they differ, the two
# tokens' logits may by TIE: the order of a sum decides between them.
SAME, TIE = 0.995, 1e-4

# Figures of a file; and what was expected and received where it is to be refused.
_Found = tuple[dict[str, Any], tuple[str, str] | None]


def check_parity(workdir: Path, folder: Path) -> Verdict:
    """Compares the files in `folder`, which is left as it is, with the student.

    Raises:
        BabeletError: The run lacks its weights or texts.
    """
    sources, references = read_texts(workdir)
    built = rebuild_student(workdir)
    ids = built.tokenizer.encode(sources)
    expected = _keras(built, ids)
    texts = built.tokenizer.decode(expected)
    checks: dict[str, Callable[[Path], _Found]] = {
        "saved_model": lambda path: _of_texts(
            texts, saved_model_translate(path)(sources)
        )
    }
    for tier in TIERS:
        checks[f"student_{tier}.tflite"] = partial(
            _of_file, built, sources, references, expected, tier
        )
    rows: dict[str, dict[str, Any]] = {}
    refused, own = {}, describe(workdir)
    for name, check in checks.items():
        path, row = folder / name, {"same": None, "bytes": None}
        try:
            with _running(name):
                found, failed = check(path)
                row |= found | measure(path)
                if failed:
                    raise _failure(name, *failed)
                extra = {} if path.is_dir() else {"decoding": DECODING}
                require_metadata(path, own | extra)
        except BabeletError as error:
            refused[name] = error
        rows[name] = row | {"kept": name not in refused}
    reasons = {name: str(error) for name, error in refused.items()}
    columns = ("text", "token_ids", "translation_ids", "translation")
    golden = [
        dict[str, Any](zip(columns, row, strict=True))
        for row in list(zip(sources, ids, expected, texts, strict=True))[:100]
    ]
    report = {"sentences": len(sources), "artefacts": rows, "refused": reasons}
    report |= {"student": own, WEIGHTS_FILE: file_digest(workdir / WEIGHTS)}
    return Verdict(report, refused, golden)


def _running(name: str) -> contextlib.AbstractContextManager[None]:
    """Returns the boundary of a runtime: each has errors of its own."""
    return boundary(
        f"{name} does not run",
        expected="translations of every text",
        remedy="install the versions in constraints.txt and export again",
    )


def _of_file(
    built: Rebuilt,
    sources: list[str],
    references: list[str],
    expected: list[list[int]],
    tier: str,
    path: Path,
) -> _Found:
    """Compares a LiteRT file with the student."""
    ids, language = built.tokenizer.encode(sources), built.config.data.languages[0]
    # The constants and not what the file says of itself, which is compared with them.
    translator = LiteRTTranslator(path, built.tokenizer, DECODING)
    tokens = [translator.greedy(row) for row in tqdm(ids, desc=path.name)]
    row, failed = _of_tokens(built, ids, expected, tokens, exact=tier == "fp32")
    for name, found in (("bleu", tokens), ("bleu_keras", expected)):
        texts = built.tokenizer.decode(found)
        row[name] = score(sources, references, texts, language)["bleu"]
    lowest = row["bleu_keras"] - built.config.export.max_bleu_loss
    if tier == "int8" and row["bleu"] < lowest:
        wanted = f"BLEU {lowest:.2f} or more, by export.max_bleu_loss"
        failed = wanted, f"{row['bleu']:.2f}"
    return row, failed


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


def _of_texts(expected: list[str], found: list[str]) -> _Found:
    same = float(np.mean([a == b for a, b in zip(expected, found, strict=True)]))
    failed = (f"{SAME:.1%} of the sentences", f"{same:.2%}") if same < SAME else None
    return {"same": same}, failed


def _of_tokens(
    built: Rebuilt,
    ids: list[list[int]],
    expected: list[list[int]],
    found: list[list[int]],
    exact: bool,
) -> _Found:
    """Finds the share of equal translations, and the largest tie among the rest."""
    different = [row for row, own in enumerate(expected) if own != found[row]]
    same = 1 - len(different) / max(len(expected), 1)
    if not exact:
        return {"same": same}, None
    tie = max(
        (_tie(built, ids[row], expected[row], found[row]) for row in different),
        default=0.0,
    )
    failed = None
    if same < SAME or tie > TIE:
        wanted = f"{SAME:.1%} of the sentences, the others by ties within {TIE}"
        failed = wanted, f"{same:.2%}, ties within {tie:.2g}"
    return {"same": same, "largest_tie": tie}, failed


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
        consequence="Its translations would be others",
        remedy="report it, with the run's config.json",
    )


def main(_: list[str]) -> None:
    """Prints one line a file; exits with 2 where one is refused.

    With --record, which the export gives, only if none is left.
    """
    end_with(flags.FLAGS.parent)
    workdir = Path(flags.FLAGS.workdir)
    folder = Path(flags.FLAGS.folder or workdir / "export")
    with checking(folder):
        require_undamaged_export(folder)
        found = check_parity(workdir, folder)
        if flags.FLAGS.record:
            found.require_some()
            found.write(folder)
        else:
            found.require_all()
    for name, row in found.report["artefacts"].items():
        if row["kept"]:
            bleu = f", BLEU {row['bleu']:.2f}" if "bleu" in row else ""
            print(f"{name:22} same translation {row['same']:.2%}{bleu}")
    found.print_refused()


if __name__ == "__main__":
    command.path_flag("workdir", None, "A run whose training is done.", required=True)
    command.path_flag("folder", None, "The files; <workdir>/export if absent.")
    flags.DEFINE_boolean("record", False, "Write the figures, as the export does.")
    flags.DEFINE_integer("parent", 0, "Process whose end ends this one.")
    command.hide("parent", "record")
    command.run(main, verdict=True)
