"""What each precision of the student costs, and the gate that quantised files pass.

    python -m babelet.export.quantisation --workdir=runs/smart_home [--force]

Scores every student_<tier>.tflite in the run's export folder on the whole test split:
with the metrics of the training's evaluation, and text by text against the student in
float32. It writes and deletes nothing; an export leaves out what is below the gate
(the settings `export.*` of the run), unless --force is given, and keeps what was found
of each file in quantisation.json.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from absl import flags

from babelet.configs.embedding import EmbeddingConfig, ExportConfig
from babelet.core import command
from babelet.core.atomic import atomic_path
from babelet.core.errors import BabeletError
from babelet.data.corpus import Corpus
from babelet.data.splits import TEST
from babelet.evaluation.encoding import EncodedOnce, encode_once
from babelet.evaluation.evaluate import evaluate, headline
from babelet.evaluation.retrieval import RetrievalSet
from babelet.export.latency import measure_latency
from babelet.export.litert_predict import litert_predict
from babelet.export.new_process import checking, end_with
from babelet.export.predict import keras_predict
from babelet.export.published import REPORT, require_undamaged_export
from babelet.export.rebuild import rebuild_student, versions
from babelet.tasks.held_out import alone, held_out

TIERS = ("fp32", "fp16", "int8")


class _Test(NamedTuple):
    """What every tier is measured with."""

    config: EmbeddingConfig
    sets: list[RetrievalSet]
    # Sentences without a translation, by language.
    alone: dict[str, list[str]]

    @property
    def texts(self) -> list[str]:
        sides = [side for s in self.sets for side in (s.pivot_texts, s.texts)]
        sides += self.alone.values()
        return list(dict.fromkeys(text for side in sides for text in side))

    def metrics(self, encode: EncodedOnce) -> dict[str, Any]:
        """Returns the figures that metrics.json has of teacher and student."""
        settings = self.config.evaluation
        return evaluate(encode, self.sets, tatoeba=settings.tatoeba, sts=settings.sts)


def tier_file(tier: str) -> str:
    """Returns the name of a tier's file, from token ids to vectors."""
    return f"student_{tier}.tflite"


def score_tiers(workdir: Path, folder: Path, force: bool = False) -> dict[str, Any]:
    """Scores the tiers that are in `folder`.

    Args:
        workdir: A run with its corpus and weights.
        folder: Holds files of tiers; it is left as it is.
        force: The files below the gate are to be kept as well.

    Returns:
        What quantisation.json holds: the `gate`; how many `texts`; `tokens`, `batch`
        and `threads` of the latency; `metrics` of the student in float32; and `tiers`
        by name: `bytes`, `median_ms`, `visits_ms`, `min_cosine`, `mean_cosine`,
        `worst_text`, `metrics`, `failures` against the gate, and `kept`, whether to
        keep it.

    Raises:
        BabeletError: There is no such file, or the run lacks what it is measured with.
    """
    files = _files(folder)
    student, tokenizer, config = rebuild_student(workdir)
    limit = config.evaluation.pairs_per_language
    corpus = Corpus(workdir / "corpus")
    sets = held_out(corpus, TEST, limit)
    test = _Test(config, sets, alone(corpus, TEST, limit))
    known = encode_once(keras_predict(student, tokenizer), "Scoring the student")
    metrics = test.metrics(known)
    rows = {}
    for tier, path in files.items():
        predict = litert_predict(path, tokenizer, num_threads=os.cpu_count() or 1)
        rows[tier] = _score(test, encode_once(predict, f"Scoring {tier}"), known)
        # float32 is judged by the parity gate, and that it fails is an error.
        judged = tier != "fp32"
        failed = failures(rows[tier], metrics, config.export) if judged else []
        rows[tier] |= {"failures": failed, "kept": force or not failed}
    return {
        "gate": config.export.__dict__,
        "texts": len(test.texts),
        "metrics": metrics,
        "tiers": rows,
        "versions": versions(),
    } | with_latency(rows, files)


def write_report(folder: Path, report: Mapping[str, Any]) -> None:
    """Writes quantisation.json, as the export does."""
    with atomic_path(folder / REPORT) as path:
        path.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


def failures(
    row: Mapping[str, Any], metrics: Mapping[str, Any], gate: ExportConfig
) -> list[str]:
    """Returns in words why a tier is below the gate; nothing if it is not.

    Args:
        row: `min_cosine`, `worst_text` and `metrics` of the tier.
        metrics: Of the student in float32.
        gate: The settings.
    """
    found = []
    if not row["min_cosine"] >= gate.min_cosine:
        found.append(
            f"cosine {row['min_cosine']:.6f} on {row['worst_text']!r}, of at least "
            f"{gate.min_cosine:g}"
        )
    tier, student = headline(row["metrics"]), headline(metrics)
    # Rounding of the difference must not decide.
    loss = 0.0 if tier is None or student is None else student - tier
    if loss > gate.max_retrieval_loss + 1e-9:
        found.append(
            f"retrieval {tier:.2%} where the student has {student:.2%}, a loss of at "
            f"most {gate.max_retrieval_loss:.2%}"
        )
    return found


def _files(folder: Path) -> dict[str, Path]:
    paths = {tier: folder / tier_file(tier) for tier in TIERS}
    paths = {tier: path for tier, path in paths.items() if path.is_file()}
    if not paths:
        raise BabeletError(
            f"{folder} has no file to score",
            expected=" or ".join(map(tier_file, TIERS)),
            remedy="export the run first: babelet distill with this workdir",
        )
    return paths


def _score(test: _Test, encode: EncodedOnce, student: EncodedOnce) -> dict[str, Any]:
    metrics, texts = test.metrics(encode), test.texts
    products = student(texts).astype(np.float64) * encode(texts)
    cosines = products.sum(axis=1)
    worst = int(cosines.argmin())
    return {
        "min_cosine": float(cosines[worst]),
        "mean_cosine": float(cosines.mean()),
        "worst_text": texts[worst],
        "metrics": metrics,
    }


def with_latency(
    rows: dict[str, dict[str, Any]], files: Mapping[str, Path]
) -> dict[str, Any]:
    """Adds size and latency to the rows; returns how latency was taken.

    Args:
        rows: By tier; each gains `bytes`, `median_ms` and `visits_ms`.
        files: By tier.

    Returns:
        `tokens`, `batch` and `threads`.
    """
    taken = measure_latency(dict(files))
    for tier, figures in taken.pop("models").items():
        rows[tier] |= {"bytes": files[tier].stat().st_size} | figures
    return taken


def table(report: Mapping[str, Any]) -> str:
    """Returns a line for each tier under a heading, and one for each failure."""
    lines = ["tier       MB       ms  cosine min    mean  retrieval    loss"]
    student = headline(report["metrics"])
    for tier, row in report["tiers"].items():
        score = headline(row["metrics"])
        lines.append(
            f"{tier:6}{row['bytes'] / 1e6:7.1f}{row['median_ms']:9.2f}"
            f"{row['min_cosine']:12.5f}{row['mean_cosine']:8.5f}"
            + (
                ""
                if score is None or student is None
                else f"{score:11.2%}{student - score:8.2%}"
            )
        )
        verdict = "kept by --force" if row["kept"] else "not written"
        lines += [f"  {tier} {verdict}: {reason}" for reason in row["failures"]]
    return "\n".join(lines)


def main(_: list[str]) -> None:
    """Prints the table; a user's error is one line and exit status 2."""
    workdir = Path(flags.FLAGS.workdir)
    folder = Path(flags.FLAGS.folder or workdir / "export")
    end_with(flags.FLAGS.parent)
    with checking(folder):
        require_undamaged_export(folder)
        report = score_tiers(workdir, folder, flags.FLAGS.force)
        if flags.FLAGS.record:
            write_report(folder, report)
        print(table(report))


if __name__ == "__main__":
    command.path_flag("workdir", None, "A finished run.", required=True)
    command.path_flag("folder", None, "The files, if not in <workdir>/export.")
    flags.DEFINE_boolean("force", False, "Keep files that are below the gate.")
    flags.DEFINE_boolean("record", False, "Write the figures, as the export does.")
    flags.DEFINE_integer("parent", 0, "Process whose end ends this one; 0: none.")
    command.hide("parent", "record")
    command.run(main, verdict=True)
