"""The gate that quantised files of a classifier pass: the student's answers.

    python -m babelet.export.class_tiers --workdir=runs/intents [--force]

Compares every student_<tier>.tflite in the run's export folder with the student in
float32, on the texts that the parity gate takes. It writes and deletes nothing; an
export leaves out a file with other answers, unless --force is given, and keeps what was
found of each in quantisation.json.
"""

from pathlib import Path
from typing import Any

from absl import flags

from babelet.core import command
from babelet.export.litert_predict import litert_predict
from babelet.export.new_process import checking, end_with
from babelet.export.parity import read_texts
from babelet.export.predict import keras_predict
from babelet.export.published import require_undamaged_export
from babelet.export.quantisation import TIERS, tier_file, with_latency, write_report
from babelet.export.rebuild import rebuild_served
from babelet.export.score_parity import score_failure, score_figures


def judge_tiers(workdir: Path, folder: Path, force: bool = False) -> dict[str, Any]:
    """Compares the tiers that are in `folder` with the student.

    Args:
        workdir: A trained run.
        folder: Holds files of tiers; it is left as it is.
        force: The files below the gate are to be kept as well.

    Returns:
        What quantisation.json holds: how many `texts`; `tokens`, `batch` and `threads`
        of the latency; and `tiers` by name: `bytes`, `median_ms`, `visits_ms`, the
        figures of `score_figures`, `failures`, and whether to keep the file, `kept`.

    Raises:
        BabeletError: The run lacks its texts or weights.
    """
    student, tokenizer, _ = rebuild_served(workdir)
    texts = [text for rows in read_texts(workdir).values() for _, text in rows]
    texts = [text for text in dict.fromkeys(texts) if text.strip()]
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
    return {"texts": len(texts), "tiers": tiers} | with_latency(tiers, files)


def main(_: list[str]) -> None:
    """Prints a line for each tier; a user's error is one line and exit status 2."""
    workdir = Path(flags.FLAGS.workdir)
    folder = Path(flags.FLAGS.folder or workdir / "export")
    end_with(flags.FLAGS.parent)
    with checking(folder):
        require_undamaged_export(folder)
        report = judge_tiers(workdir, folder, flags.FLAGS.force)
        if flags.FLAGS.record:
            write_report(folder, report)
    for tier, row in report["tiers"].items():
        verdict = "; not written" * (not row["kept"])
        verdict += "".join(f": {reason}" for reason in row["failures"])
        print(
            f"{tier:6}{row['bytes'] / 1e6:7.1f} MB{row['median_ms']:7.2f} ms, the same "
            f"class for {row['same_answer']:.2%} of {report['texts']} texts{verdict}"
        )


if __name__ == "__main__":
    command.path_flag("workdir", None, "A trained run.", required=True)
    command.path_flag("folder", None, "The files, if not in <workdir>/export.")
    flags.DEFINE_boolean("force", False, "Keep files that are below the gate.")
    flags.DEFINE_boolean("record", False, "Write the figures, as the export does.")
    flags.DEFINE_integer("parent", 0, "Process whose end ends this one; 0: none.")
    command.hide("parent", "record")
    command.run(main, verdict=True)
