"""Exports a finished run again, in the formats you ship.

    babelet export --workdir=runs/smart_home [--formats=mediapipe_int8,saved_model]

saved_model      TensorFlow: text or token ids to vectors
fp32, fp16, int8 LiteRT from token ids, with builtin operations alone
text_*           LiteRT from text, with the tokenizer inside; the runtime needs the
                 operations of TensorFlow Text
mediapipe_*      the same for MediaPipe Tasks: Android, iOS, browser, Python

Every precision is scored on the run's test split; one that loses more than the run's
export.min_cosine and export.max_retrieval_loss allow is left out, unless --force is
given. The new export replaces <workdir>/export, whole, when every file has been
compared with the student on real text of all the run's languages: with the chosen
formats, tokenizer.model, golden.jsonl, quantisation.json, parity.json and
checksums.json. If it fails, the earlier export stays. A translator has one set of
files, and takes no --formats.
"""

from pathlib import Path

from absl import flags

from babelet.configs import parsing
from babelet.core import command
from babelet.core.errors import BabeletError
from babelet.core.locking import run_lock
from babelet.core.startup import import_quietly


def main(_: list[str]) -> None:
    """Prints one line for each way into a file."""
    # Imported there: TensorFlow says much while it loads, and --help needs none.
    workdir = Path(flags.FLAGS.workdir)
    task = parsing.from_json(workdir / "config.json").task
    with run_lock(workdir):
        _export_translator(workdir) if task == "translation" else _export(workdir)


def _export(workdir: Path) -> None:
    formats = import_quietly("babelet.export.formats")
    chosen = flags.FLAGS.formats
    chosen = list(formats.FORMATS) if chosen is None else chosen
    formats.require_known(chosen)
    texts = import_quietly("babelet.export.parity").read_texts(workdir)
    run = import_quietly("babelet.export.run")
    run.export_run(workdir, texts, chosen, flags.FLAGS.force)


def _export_translator(workdir: Path) -> None:
    if flags.FLAGS.formats is not None or flags.FLAGS.force:
        raise BabeletError(
            f"{workdir} is a run of translation, which has one set of files",
            remedy="leave --formats and --force out",
        )
    translation = import_quietly("babelet.export.translation")
    translation.export_translator(workdir, *translation.read_texts(workdir))


if __name__ == "__main__":
    command.path_flag("workdir", None, "A run whose training is done.", required=True)
    flags.DEFINE_list("formats", None, "Names from the list above; all by default.")
    flags.DEFINE_boolean(
        "force", False, "Write what quantisation spoils by more than the gate allows."
    )
    command.run(main)
