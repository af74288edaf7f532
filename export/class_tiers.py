"""The gate that quantised files of a classifier pass: the student's answers.

    python -m export.class_tiers --workdir=runs/intents [--force]

Compares every student_<tier>.tflite in the run's export folder with the student in
float32, on the texts that the parity gate takes. One with other answers is deleted,
unless --force is given. quantisation.json tells what was found of each.
"""

import json
from pathlib import Path
from typing import Any

from absl import flags

from configs import command
from configs.atomic import atomic_path, remove
from export.litert_predict import litert_predict
from export.new_process import end_with
from export.parity import read_texts
from export.predict import keras_predict
from export.quantisation import REPORT, TIERS, tier_file, with_latency
from export.rebuild import rebuild_served
from export.score_parity import score_failure, score_figures


def judge_tiers(workdir: Path, folder: Path, force: bool = False) -> dict[str, Any]:
    """Compares the tiers that are in `folder`, and removes those with other answers.

    Args:
        workdir: A trained run.
        folder: Holds files of tiers; gains quantisation.json.
        force: Keep the files below the gate as well.

    Returns:
        What quantisation.json holds: how many `texts`; `tokens`, `batch` and `threads`
        of the latency; and `tiers` by name: `bytes`, `median_ms`, `visits_ms`, the
        figures of `score_figures`, `failures`, and whether the file is `kept`.

    Raises:
        BabeletError: The run lacks its texts or weights.
    """
    student, tokenizer, _ = rebuild_served(workdir)
    texts = [text for rows in read_texts(workdir).values() for _, text in rows]
    expected = keras_predict(student, tokenizer)(texts)
    files = {tier: folder / tier_file(tier) for tier in TIERS}
    files = {tier: path for tier, path in files.items() if path.is_file()}
    tiers = {}
    for tier, path in files.items():
        got = litert_predict(path, tokenizer)(texts)
        # float32 is judged by the parity gate, and that it fails is an error.
        failed = None if tier == "fp32" else score_failure(got, expected, None)
        failures = [f"expected {failed[0]}, received {failed[1]}"] if failed else []
        kept = {"failures": failures, "kept": force or not failures}
        tiers[tier] = score_figures(got, expected) | kept
    report = {"texts": len(texts), "tiers": tiers} | with_latency(tiers, files)
    for tier, path in files.items():
        if not tiers[tier]["kept"]:
            remove(path)
    with atomic_path(folder / REPORT) as path:
        path.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    return report


def main(_: list[str]) -> None:
    """Prints a line for each tier."""
    workdir = Path(flags.FLAGS.workdir)
    folder = Path(flags.FLAGS.folder or workdir / "export")
    end_with(flags.FLAGS.parent)
    report = judge_tiers(workdir, folder, flags.FLAGS.force)
    for tier, row in report["tiers"].items():
        verdict = "" if row["kept"] else "; not written"
        print(
            f"{tier:6}{row['bytes'] / 1e6:7.1f} MB{row['median_ms']:7.2f} ms, the same "
            f"class for {row['same_answer']:.2%} of {report['texts']} texts{verdict}"
        )


if __name__ == "__main__":
    command.path_flag("workdir", None, "A trained run.", required=True)
    command.path_flag("folder", None, "The files, if not in <workdir>/export.")
    flags.DEFINE_boolean("force", False, "Keep files that are below the gate.")
    flags.DEFINE_integer("parent", 0, "Process whose end ends this one; 0: none.")
    command.run(main, verdict=True)
