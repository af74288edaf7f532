"""Exports a finished run again, in the formats you ship.

    babelet export --workdir=runs/smart_home [--formats=mediapipe_int8,saved_model]

saved_model      TensorFlow: text or token ids to vectors, scores or translations
fp32, fp16, int8 LiteRT from token ids, with builtin operations alone
text_*           LiteRT from text, with the tokenizer inside; the runtime needs the
                 operations of TensorFlow Text
mediapipe_*      the same for MediaPipe Tasks: Android, iOS, browser, Python

A translator has saved_model, fp32 and int8. Every precision is measured on the run's
test split; one that loses more than the run's settings export.* allow is left out,
unless --force is given. The new export replaces <workdir>/export, whole, when every
file has been compared with the student on real text of all the run's languages: with
the chosen formats, tokenizer.model, golden.jsonl, quantisation.json, parity.json and
checksums.json. If it fails, the earlier export stays.
"""

from pathlib import Path

from absl import flags

from babelet.configs import parsing
from babelet.core import command
from babelet.core.locking import run_lock
from babelet.core.startup import import_quietly


def main(_: list[str]) -> None:
    """Prints one line for each precision and each way into a file."""
    workdir, formats = Path(flags.FLAGS.workdir), flags.FLAGS.formats
    # A folder without a run gets no lock file.
    parsing.from_json(workdir / "config.json")
    with run_lock(workdir):
        # Imported there: TensorFlow says much while it loads, and --help needs none.
        run = import_quietly("babelet.export.run")
        run.export_run(workdir, formats=formats, force=flags.FLAGS.force)


if __name__ == "__main__":
    command.path_flag("workdir", None, "A run whose training is done.", required=True)
    flags.DEFINE_list("formats", None, "Names from the list above; all by default.")
    flags.DEFINE_boolean(
        "force", False, "Write what quantisation spoils by more than the gate allows."
    )
    command.run(main)
